// The tail of a run's file: a directory (each page's first entry), a Bloom filter and a footer that says which part of
// the log the run covers. A run is complete or it does not exist: it is written under another name and renamed.
import { crc32 } from 'node:zlib';

/** The stretch of the log whose events a run holds: positions in [from, to). */
export interface Coverage {
  readonly from: number;
  readonly to: number;
}

export interface RunFooter extends Coverage {
  readonly pages: number;
  readonly bloomBytes: number;
  readonly events: number;
  /** The number of different streams, but for collisions of their hashes. */
  readonly streams: number;
  readonly logId: Buffer;
  /** CRC-32 of directory and filter. */
  readonly tailChecksum: number;
}

/** u32 hash high, u32 hash low, u48 first revision. */
export const directoryEntryBytes = 14;
export const footerBytes = 80;
const magic = Buffer.from('HOMEIDX1', 'latin1');

export function writeFooter(footer: RunFooter): Buffer {
  const bytes = Buffer.alloc(footerBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(footer.pages, 8);
  bytes.writeUInt32LE(footer.bloomBytes, 12);
  bytes.writeBigUInt64LE(BigInt(footer.from), 16);
  bytes.writeBigUInt64LE(BigInt(footer.to), 24);
  bytes.writeBigUInt64LE(BigInt(footer.events), 32);
  bytes.writeBigUInt64LE(BigInt(footer.streams), 40);
  footer.logId.copy(bytes, 48);
  bytes.writeUInt32LE(footer.tailChecksum, 64);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 68)), 68);
  return bytes;
}

/** Undefined when the bytes are no intact footer. */
export function readFooter(bytes: Buffer): RunFooter | undefined {
  if (bytes.length !== footerBytes || !magic.equals(bytes.subarray(0, 8))) return undefined;
  if (bytes.readUInt32LE(68) !== crc32(bytes.subarray(0, 68))) return undefined;
  return {
    pages: bytes.readUInt32LE(8),
    bloomBytes: bytes.readUInt32LE(12),
    from: Number(bytes.readBigUInt64LE(16)),
    to: Number(bytes.readBigUInt64LE(24)),
    events: Number(bytes.readBigUInt64LE(32)),
    streams: Number(bytes.readBigUInt64LE(40)),
    logId: Buffer.from(bytes.subarray(48, 64)),
    tailChecksum: bytes.readUInt32LE(64),
  };
}

export function runName({ from, to }: Coverage): string {
  return `${from.toString().padStart(16, '0')}-${to.toString().padStart(16, '0')}.idx`;
}

export function parseRunName(name: string): Coverage | undefined {
  const match = /^([0-9]{16})-([0-9]{16})\.idx$/.exec(name);
  return match ? { from: Number(match[1]), to: Number(match[2]) } : undefined;
}
