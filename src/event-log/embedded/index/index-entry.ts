// A run of the index is a file of pages; a page is a row of entries; an entry says where some consecutive events of one
// stream stand in the log. Every page carries its checksum.
//
// entry: u32 hash high, u32 hash low, u8 name bytes, u16 count, u48 first revision, name, count × u48 position
// page:  entries, zeros (a name of 0 bytes ends the row), u32 CRC-32 of all before it
import { crc32 } from 'node:zlib';
import { tombstoneRevision } from '../storage/record.js';
import type { StreamKey } from './stream-key.js';

export const pageBytes = 4096;
export const pagePayloadBytes = pageBytes - 4;
/** Entries are split beyond this many positions, so that one always fits into a page. */
export const entryPositionsMax = 512;
const entryHeaderBytes = 17;
const positionBytes = 6;

export interface IndexEntry {
  readonly key: StreamKey;
  readonly first: number;
  readonly positions: readonly number[];
}

export function entrySize(entry: IndexEntry): number {
  return entryHeaderBytes + entry.key.name.length + entry.positions.length * positionBytes;
}

/** The tombstone's number does not fit into 48 bits: the highest that does stands for it. */
const tombstoneOnDisk = 0xffff_ffff_ffff;

export function writeEntry(page: Buffer, at: number, { key, first, positions }: IndexEntry): number {
  page.writeUInt32LE(key.high, at);
  page.writeUInt32LE(key.low, at + 4);
  page[at + 8] = key.name.length;
  page.writeUInt16LE(positions.length, at + 9);
  page.writeUIntLE(first === tombstoneRevision ? tombstoneOnDisk : first, at + 11, 6);
  key.name.copy(page, at + entryHeaderBytes);
  let cursor = at + entryHeaderBytes + key.name.length;
  for (const position of positions) {
    page.writeUIntLE(position, cursor, positionBytes);
    cursor += positionBytes;
  }
  return cursor;
}

/** What can be told of an entry without copying anything. */
export interface EntryHead {
  readonly high: number;
  readonly low: number;
  readonly nameBytes: number;
  readonly count: number;
  readonly first: number;
  readonly at: number;
  readonly end: number;
}

/** Undefined at the end of the page. */
export function readEntryHead(page: Buffer, at: number): EntryHead | undefined {
  if (at + entryHeaderBytes > pagePayloadBytes) return undefined;
  const nameBytes = page[at + 8] as number;
  if (nameBytes === 0) return undefined;
  const count = page.readUInt16LE(at + 9);
  const first = page.readUIntLE(at + 11, 6);
  return {
    high: page.readUInt32LE(at),
    low: page.readUInt32LE(at + 4),
    nameBytes,
    count,
    first: first === tombstoneOnDisk ? tombstoneRevision : first,
    at,
    end: at + entryHeaderBytes + nameBytes + count * positionBytes,
  };
}

export function isOf(page: Buffer, head: EntryHead, key: StreamKey): boolean {
  if (head.high !== key.high || head.low !== key.low || head.nameBytes !== key.name.length) return false;
  const nameAt = head.at + entryHeaderBytes;
  return key.name.compare(page, nameAt, nameAt + head.nameBytes) === 0;
}

export function readPositions(page: Buffer, head: EntryHead): number[] {
  const positions: number[] = [];
  const from = head.at + entryHeaderBytes + head.nameBytes;
  for (let at = from; at < head.end; at += positionBytes) positions.push(page.readUIntLE(at, positionBytes));
  return positions;
}

export function readEntry(page: Buffer, head: EntryHead): IndexEntry {
  const nameAt = head.at + entryHeaderBytes;
  const name = Buffer.from(page.subarray(nameAt, nameAt + head.nameBytes));
  return { key: { high: head.high, low: head.low, name }, first: head.first, positions: readPositions(page, head) };
}

export function sealPage(page: Buffer): void {
  page.writeUInt32LE(crc32(page.subarray(0, pagePayloadBytes)), pagePayloadBytes);
}

export function isPageIntact(page: Buffer): boolean {
  return page.length === pageBytes && page.readUInt32LE(pagePayloadBytes) === crc32(page.subarray(0, pagePayloadBytes));
}
