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
/** Where in a record its id stands. */
export const recordIdAt = 30;
const recordBytesMin = recordHeaderBytes + recordTrailerBytes;
/** Hard limit of one record, as EventStoreDB's. */
export const recordBytesMax = 16 * 1024 * 1024;
const formatVersion = 1;
const flagEndsUnit = 1;
const flagJson = 2;
/** Stream and type are ASCII: one byte a character. */
const flagAscii = 4;
/** The number of a `$streamDeleted` event; EventStoreDB writes 2^63-1, which a JavaScript number cannot hold. */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER;

/** The record of an event takes no more bytes than this: names are counted at the most that UTF-8 may need. */
export function recordSizeMax(stream: string, event: NewEvent): number {
  return recordBytesMin + 3 * (stream.length + event.type.length) + event.metadata.byteLength + event.data.byteLength;
}

const hexValue = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) {
  hexValue[i.toString(16).charCodeAt(0)] = i;
  hexValue[i.toString(16).toUpperCase().charCodeAt(0)] = i;
}
/** Where in a UUID's text the two digits of each byte stand. */
const textAtByte = Uint8Array.from({ length: 16 }, (_, i) => 2 * i + [4, 6, 8, 10].filter((dash) => i >= dash).length);
const dash = '-'.charCodeAt(0);

/** Writes the 16 bytes of a UUID; false when the text is not one. */
export function writeUuid(text: string, into: Buffer, at: number): boolean {
  if (text.length !== 36) return false;
  if (text.charCodeAt(8) !== dash || text.charCodeAt(13) !== dash) return false;
  if (text.charCodeAt(18) !== dash || text.charCodeAt(23) !== dash) return false;
  for (let i = 0; i < 16; i++) {
    const from = textAtByte[i] as number;
    const high = hexValue[text.charCodeAt(from)] ?? 255;
    const low = hexValue[text.charCodeAt(from + 1)] ?? 255;
    if (high > 15 || low > 15) return false;
    into[at + i] = (high << 4) | low;
  }
  return true;
}

const uuidText = Buffer.alloc(36, '-');
const hexDigits = Buffer.from('0123456789abcdef');

export function readUuid(from: Buffer, at: number): string {
  for (let i = 0; i < 16; i++) {
    const byte = from[at + i] as number;
    const text = textAtByte[i] as number;
    uuidText[text] = hexDigits[byte >> 4] as number;
    uuidText[text + 1] = hexDigits[byte & 15] as number;
  }
  return uuidText.toString('latin1');
}

/** Short names, nearly always ASCII: written here they cost half of a call into the runtime. Gives the bytes of UTF-8. */
function writeText(text: string, into: Buffer, at: number): number {
  const { length } = text;
  if (length > 64) return into.write(text, at, 'utf8');
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return into.write(text, at, 'utf8');
    into[at + i] = unit;
  }
  return length;
}

/** Writes the record at `at`, where `into` has room for it, and gives its size. It is no record until it is sealed. */
export function writeRecord(
  into: Buffer,
  at: number,
  event: NewEvent,
  stream: string,
  revision: number,
  recordedAt: number,
): number {
  const streamBytes = writeText(stream, into, at + recordHeaderBytes);
  const typeAt = at + recordHeaderBytes + streamBytes;
  const typeBytes = writeText(event.type, into, typeAt);
  const metadataAt = typeAt + typeBytes;
  into.set(event.metadata, metadataAt);
  const dataAt = metadataAt + event.metadata.byteLength;
  into.set(event.data, dataAt);
  const end = dataAt + event.data.byteLength;
  const size = end + recordTrailerBytes - at;
  const isAscii = streamBytes === stream.length && typeBytes === event.type.length;
  into.writeUInt32LE(size, at);
  into[at + 8] = formatVersion;
  into[at + 9] = (event.contentType === 'application/json' ? flagJson : 0) | (isAscii ? flagAscii : 0);
  into.writeUInt16LE(streamBytes, at + 10);
  into.writeUInt16LE(typeBytes, at + 12);
  into.writeUInt32LE(event.metadata.byteLength, at + 14);
  into.writeUIntLE(recordedAt, at + 18, 6);
  writeRevision(into, at + 24, revision);
  if (!writeUuid(event.id, into, at + recordIdAt)) throw new TypeError(`not a UUID: ${event.id}`);
  into.writeUInt32LE(size, end);
  return size;
}

/** Marks the record as the last of its append, or not, and writes its checksum. */
export function sealRecord(bytes: Buffer, at: number, size: number, position: number, isLast: boolean): void {
  if (isLast) bytes[at + 9] = (bytes[at + 9] as number) | flagEndsUnit;
  bytes.writeUInt32LE(checksum(bytes, at, size, position), at + 4);
}

/** The size of a record that is known to be one. */
export function sizeOfRecord(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at);
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
  return bytes[at + 8] === formatVersion && (bytes[at + 9] as number) <= (flagEndsUnit | flagJson | flagAscii);
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
  const flags = bytes[at + 9] as number;
  const streamAt = at + recordHeaderBytes;
  const typeAt = streamAt + bytes.readUInt16LE(at + 10);
  const metadataAt = typeAt + bytes.readUInt16LE(at + 12);
  const dataAt = metadataAt + bytes.readUInt32LE(at + 14);
  const end = at + size - recordTrailerBytes;
  const encoding = (flags & flagAscii) === 0 ? 'utf8' : 'latin1';
  return {
    id: readUuid(bytes, at + recordIdAt),
    stream: bytes.toString(encoding, streamAt, typeAt),
    type: bytes.toString(encoding, typeAt, metadataAt),
    contentType: (flags & flagJson) === 0 ? 'application/octet-stream' : 'application/json',
    revision: readRevision(bytes, at + 24),
    position: BigInt(position),
    recordedAt: bytes.readUIntLE(at + 18, 6),
    metadata: dataAt === metadataAt ? noBytes : bytes.subarray(metadataAt, dataAt),
    data: dataAt === end ? noBytes : bytes.subarray(dataAt, end),
  };
}

/** The id alone, for the idempotency check. */
export function readRecordId(bytes: Buffer, at: number): string {
  return readUuid(bytes, at + recordIdAt);
}

/** Stream and revision alone, for building the index: no views, no id. */
export function readRecordKey(bytes: Buffer, at: number): { readonly stream: string; readonly revision: number } {
  const streamAt = at + recordHeaderBytes;
  return {
    stream: bytes.toString('utf8', streamAt, streamAt + bytes.readUInt16LE(at + 10)),
    revision: readRevision(bytes, at + 24),
  };
}
