// One event as bytes. A record's position is its byte offset in the whole log, and its checksum is seeded with that
// position, so that a record that is damaged, torn or in the wrong place is noticed wherever it is read.
//
//  0 u32 length of the record          18 u48 recordedAt, ms since 1970
//  4 u32 CRC-32 of bytes 8…            24 u48 revision
//  8 u8  format (1)  9 u8 flags        30 16 bytes id
// 10 u16 stream bytes                  46 stream, type, metadata, data, u32 length again (for reading backwards)
// 12 u16 type bytes
// 14 u32 metadata bytes
import { crc32 } from 'node:zlib';
import type { LogEvent, NewEvent } from '../../event-log.js';

export const recordHeaderBytes = 46;
export const recordTrailerBytes = 4;
const recordBytesMin = recordHeaderBytes + recordTrailerBytes;
/** Hard limit of one record, as EventStoreDB's. */
export const recordBytesMax = 16 * 1024 * 1024;
const formatVersion = 1;
const flagEndsUnit = 1;
const flagJson = 2;
/** The number of a `$streamDeleted` event; EventStoreDB writes 2^63-1, which a JavaScript number cannot hold. */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER;

/** What a record holds besides what the event's author gave. */
export interface RecordPlace {
  readonly stream: string;
  readonly revision: number;
  readonly recordedAt: number;
  /** True for the last record of an append: a unit without its end was never acknowledged. */
  readonly endsUnit: boolean;
}

export function recordSize(stream: string, event: NewEvent): number {
  return (
    recordBytesMin +
    Buffer.byteLength(stream) +
    Buffer.byteLength(event.type) +
    event.metadata.byteLength +
    event.data.byteLength
  );
}

const hexValue = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  hexValue[i.toString(16).charCodeAt(0)] = i;
  hexValue[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}
const byteToHex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const dashAfterByte = [4, 6, 8, 10];

/** Writes the 16 bytes of a UUID; false when the text is not one. */
export function writeUuid(text: string, into: Buffer, at: number): boolean {
  if (text.length !== 36) return false;
  let from = 0;
  for (let i = 0; i < 16; i++) {
    if (dashAfterByte.includes(i) && text.charCodeAt(from++) !== 45) return false;
    const high = hexValue[text.charCodeAt(from++) & 0xff] as number;
    const low = hexValue[text.charCodeAt(from++) & 0xff] as number;
    if (high > 15 || low > 15) return false;
    into[at + i] = (high << 4) | low;
  }
  return true;
}

export function readUuid(from: Buffer, at: number): string {
  let text = '';
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += '-';
    text += byteToHex[from[at + i] as number];
  }
  return text;
}

/** Writes the record at `at`, where `into` has room for `recordSize` bytes, and gives its size. */
export function writeRecord(into: Buffer, at: number, position: number, event: NewEvent, place: RecordPlace): number {
  let cursor = at + recordHeaderBytes;
  const streamBytes = into.write(place.stream, cursor, 'utf8');
  cursor += streamBytes;
  const typeBytes = into.write(event.type, cursor, 'utf8');
  cursor += typeBytes;
  into.set(event.metadata, cursor);
  cursor += event.metadata.byteLength;
  into.set(event.data, cursor);
  cursor += event.data.byteLength;
  const size = cursor + recordTrailerBytes - at;
  into.writeUInt32LE(size, cursor);
  into.writeUInt32LE(size, at);
  into[at + 8] = formatVersion;
  into[at + 9] = (place.endsUnit ? flagEndsUnit : 0) | (event.contentType === 'application/json' ? flagJson : 0);
  into.writeUInt16LE(streamBytes, at + 10);
  into.writeUInt16LE(typeBytes, at + 12);
  into.writeUInt32LE(event.metadata.byteLength, at + 14);
  into.writeUIntLE(place.recordedAt, at + 18, 6);
  writeRevision(into, at + 24, place.revision);
  if (!writeUuid(event.id, into, at + 30)) throw new TypeError(`not a UUID: ${event.id}`);
  into.writeUInt32LE(checksum(into, at, size, position), at + 4);
  return size;
}

const tombstoneOnDisk = 0xffffffffffff;
function writeRevision(into: Buffer, at: number, revision: number): void {
  into.writeUIntLE(revision === tombstoneRevision ? tombstoneOnDisk : revision, at, 6);
}
function readRevision(from: Buffer, at: number): number {
  const revision = from.readUIntLE(at, 6);
  return revision === tombstoneOnDisk ? tombstoneRevision : revision;
}

function checksum(bytes: Buffer, at: number, size: number, position: number): number {
  return crc32(bytes.subarray(at + 8, at + size), position % 0x1_0000_0000);
}

/** The size that the record at `at` claims; 0 when that is no possible size. Needs 4 bytes. */
export function claimedSize(bytes: Buffer, at: number): number {
  const size = bytes.readUInt32LE(at);
  return size >= recordBytesMin && size <= recordBytesMax ? size : 0;
}

/** False for nearly all bytes that are no record's header; cheap. Needs `recordHeaderBytes`. */
export function looksLikeHeader(bytes: Buffer, at: number): boolean {
  return bytes[at + 8] === formatVersion && (bytes[at + 9] as number) <= (flagEndsUnit | flagJson);
}

/** True when the `size` bytes at `at` are the record that was written at `position`. */
export function isIntact(bytes: Buffer, at: number, size: number, position: number): boolean {
  if (bytes.readUInt32LE(at + 4) !== checksum(bytes, at, size, position) || bytes[at + 8] !== formatVersion)
    return false;
  const named = bytes.readUInt16LE(at + 10) + bytes.readUInt16LE(at + 12) + bytes.readUInt32LE(at + 14);
  return recordBytesMin + named <= size;
}

export function endsUnit(bytes: Buffer, at: number): boolean {
  return ((bytes[at + 9] as number) & flagEndsUnit) !== 0;
}

const noBytes = new Uint8Array(0);

/** Reads an intact record. `data` and `metadata` are views of `bytes`. */
export function readRecord(bytes: Buffer, at: number, size: number, position: number): LogEvent {
  const typeAt = at + recordHeaderBytes + bytes.readUInt16LE(at + 10);
  const metadataAt = typeAt + bytes.readUInt16LE(at + 12);
  const dataAt = metadataAt + bytes.readUInt32LE(at + 14);
  const end = at + size - recordTrailerBytes;
  return {
    id: readUuid(bytes, at + 30),
    stream: bytes.toString('utf8', at + recordHeaderBytes, typeAt),
    type: bytes.toString('utf8', typeAt, metadataAt),
    contentType: ((bytes[at + 9] as number) & flagJson) !== 0 ? 'application/json' : 'application/octet-stream',
    revision: readRevision(bytes, at + 24),
    position: BigInt(position),
    recordedAt: bytes.readUIntLE(at + 18, 6),
    metadata: dataAt === metadataAt ? noBytes : bytes.subarray(metadataAt, dataAt),
    data: dataAt === end ? noBytes : bytes.subarray(dataAt, end),
  };
}

/** The id alone, for the idempotency check. */
export function readRecordId(bytes: Buffer, at: number): string {
  return readUuid(bytes, at + 30);
}

/** Stream and revision alone, for building the index: no views, no id. */
export function readRecordKey(bytes: Buffer, at: number): { readonly stream: string; readonly revision: number } {
  const streamAt = at + recordHeaderBytes;
  return {
    stream: bytes.toString('utf8', streamAt, streamAt + bytes.readUInt16LE(at + 10)),
    revision: readRevision(bytes, at + 24),
  };
}
