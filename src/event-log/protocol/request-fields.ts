// The fields that several requests share: stream names, ids, expectations. Append, BatchAppend, Delete and Tombstone use
// the same numbers for them, so one reader serves all four.
import type { ExpectedRevision } from '../event-log.js';
import { ProtobufReader } from '../protobuf/reader.js';
import { invalidArgument } from './exceptions.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The name's bytes within a StreamIdentifier. */
function nameBytes(identifier: ProtobufReader): Buffer | undefined {
  let bytes: Buffer | undefined;
  while (identifier.next()) {
    if (identifier.field === 3) bytes = identifier.bytes();
    else identifier.skip();
  }
  return bytes;
}

/** @throws ProtocolError INVALID_ARGUMENT when it is missing, empty or not UTF-8. */
export function streamNameOf(bytes: Uint8Array | undefined): string {
  if (!bytes || bytes.length === 0) throw invalidArgument('Required field StreamIdentifier not set.');
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidArgument('the stream name is not UTF-8');
  }
}

/** The text of a UUID given as two signed or unsigned 64-bit halves. */
export function uuidFromHalves(most: bigint, least: bigint): string {
  const half = (bits: bigint) => BigInt.asUintN(64, bits).toString(16).padStart(16, '0');
  const hex = half(most) + half(least);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A UUID in either of the protocol's two forms, as lower-case text. @throws ProtocolError INVALID_ARGUMENT */
export function readUuid(uuid: ProtobufReader | undefined): string {
  let text = '';
  while (uuid?.next()) {
    if (uuid.field === 1) text = readHalves(uuid.message());
    else if (uuid.field === 2) text = uuid.text().toLowerCase();
    else uuid.skip();
  }
  if (!uuidPattern.test(text)) throw invalidArgument(`'${text}' is not a UUID`);
  return text;
}

function readHalves(structured: ProtobufReader): string {
  let most = 0n;
  let least = 0n;
  while (structured.next()) {
    if (structured.field === 1) most = structured.uint64();
    else if (structured.field === 2) least = structured.uint64();
    else structured.skip();
  }
  return uuidFromHalves(most, least);
}

/** What an append or a delete is about. */
export interface TargetOptions {
  /** The StreamIdentifier as it was sent, for the answer. */
  readonly streamIdentifier: Buffer;
  readonly nameBytes: Buffer | undefined;
  readonly expected: ExpectedRevision | undefined;
  /** The expected revision as it was sent, where it is beyond all that a stream can have; it stands in the refusal. */
  readonly sentRevision: bigint | undefined;
  /** When the client gives up: milliseconds since 1970, or from now. */
  readonly deadlineAt: number | undefined;
  readonly deadlineIn: number | undefined;
}

const noBytes = Buffer.alloc(0);

export function readTargetOptions(options: ProtobufReader): TargetOptions {
  let streamIdentifier: Buffer = noBytes;
  let name: Buffer | undefined;
  let expected: ExpectedRevision | undefined;
  let sentRevision: bigint | undefined;
  let deadlineAt: number | undefined;
  let deadlineIn: number | undefined;
  while (options.next()) {
    if (options.field === 1) {
      streamIdentifier = options.bytes();
      name = nameBytes(new ProtobufReader(streamIdentifier));
    } else if (options.field === 2) {
      const sent = options.uint64();
      const isBeyond = sent > Number.MAX_SAFE_INTEGER;
      expected = isBeyond ? Number.MAX_SAFE_INTEGER : Number(sent);
      sentRevision = isBeyond ? sent : undefined;
    } else if (options.field >= 3 && options.field <= 5) {
      expected = (['no_stream', 'any', 'stream_exists'] as const)[options.field - 3];
      options.skip();
    } else if (options.field === 6) deadlineAt = readSeconds(options.message());
    else if (options.field === 7) deadlineIn = readSeconds(options.message());
    else options.skip();
  }
  return { streamIdentifier, nameBytes: name, expected, sentRevision, deadlineAt, deadlineIn };
}

/** A Timestamp or a Duration, in milliseconds. */
function readSeconds(value: ProtobufReader): number {
  let ms = 0;
  while (value.next()) {
    if (value.field === 1) ms += Number(BigInt.asIntN(64, value.uint64())) * 1_000;
    else if (value.field === 2) ms += Number(BigInt.asIntN(64, value.uint64())) / 1_000_000;
    else value.skip();
  }
  return ms;
}

/** @throws ProtocolError INVALID_ARGUMENT when none of the four expectations is set. */
export function requireExpected(expected: ExpectedRevision | undefined): ExpectedRevision {
  if (expected === undefined) throw invalidArgument('the expected stream revision is not set');
  return expected;
}
