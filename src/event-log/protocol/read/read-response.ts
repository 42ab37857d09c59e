// The answers of Streams/Read as bytes. Field numbers are those of EventStoreDB's streams.proto (the client's generated
// classes decode what is written here; the tests compare the two field by field).
import type { LogEvent } from '../../event-log.js';
import { fieldSize, ProtobufWriter, unsigned, varintSize } from '../../protobuf/writer.js';

/** How the client wants event ids: as text, or as two 64-bit halves (the protocol's default). */
export type IdFormat = 'string' | 'structured';

export interface ReadEventParts {
  /** The event itself, or the target of a link. Undefined when the target is gone. */
  readonly event?: LogEvent | undefined;
  readonly link?: LogEvent | undefined;
}

/** Field numbers of ReadResp. */
const content = {
  event: 1,
  confirmation: 2,
  checkpoint: 3,
  streamNotFound: 4,
  firstStreamPosition: 5,
  lastStreamPosition: 6,
  lastAllStreamPosition: 7,
  caughtUp: 8,
} as const;

const ticksPerMillisecond = 10_000n;
const uuidTextLength = 36;
/** A tombstone has the last number a stream can have: 2^63 - 1, for which the log keeps the last safe integer. */
const tombstoneRevision = 9_223_372_036_854_775_807n;

function revisionOf(event: LogEvent): number | bigint {
  return event.revision === Number.MAX_SAFE_INTEGER ? tombstoneRevision : event.revision;
}

interface Measured {
  readonly event: LogEvent;
  readonly position: number | bigint;
  readonly created: string;
  readonly streamBytes: number;
  readonly typeBytes: number;
  readonly idBytes: number;
  readonly size: number;
}

function metadataEntrySize(key: string, valueBytes: number): number {
  return fieldSize(key.length) + fieldSize(valueBytes);
}

function measure(event: LogEvent, format: IdFormat): Measured {
  const position = unsigned(event.position);
  // 100-nanosecond ticks since 1970, not since the year 1 as .NET counts.
  const created = (BigInt(Math.trunc(event.recordedAt)) * ticksPerMillisecond).toString();
  const streamBytes = Buffer.byteLength(event.stream);
  const typeBytes = Buffer.byteLength(event.type);
  const idBytes = format === 'string' ? fieldSize(uuidTextLength) : fieldSize(structuredSize(event.id));
  const size =
    fieldSize(idBytes) +
    fieldSize(fieldSize(streamBytes)) +
    1 +
    varintSize(revisionOf(event)) +
    2 * (1 + varintSize(position)) +
    fieldSize(metadataEntrySize('type', typeBytes)) +
    fieldSize(metadataEntrySize('content-type', event.contentType.length)) +
    fieldSize(metadataEntrySize('created', created.length)) +
    (event.metadata.length > 0 ? fieldSize(event.metadata.length) : 0) +
    (event.data.length > 0 ? fieldSize(event.data.length) : 0);
  return { event, position, created, streamBytes, typeBytes, idBytes, size };
}

/** The two halves of a UUID as the protocol's signed 64-bit integers, given as unsigned for the varint. */
function halves(id: string): readonly [bigint, bigint] {
  const hex = id.replaceAll('-', '');
  return [BigInt(`0x${hex.slice(0, 16)}`), BigInt(`0x${hex.slice(16)}`)];
}

function structuredSize(id: string): number {
  const [most, least] = halves(id);
  return 1 + varintSize(most) + 1 + varintSize(least);
}

function writeMetadata(writer: ProtobufWriter, key: string, value: string, valueBytes: number): void {
  writer.open(6, metadataEntrySize(key, valueBytes));
  writer.text(1, key, key.length);
  writer.text(2, value, valueBytes);
}

function writeId(writer: ProtobufWriter, id: string, format: IdFormat, idBytes: number): void {
  writer.open(1, idBytes);
  if (format === 'string') {
    writer.text(2, id, uuidTextLength);
    return;
  }
  const [most, least] = halves(id);
  writer.open(1, structuredSize(id));
  writer.uint64(1, most);
  writer.uint64(2, least);
}

function writeRecordedEvent(writer: ProtobufWriter, field: number, measured: Measured, format: IdFormat): void {
  const { event, position } = measured;
  writer.open(field, measured.size);
  writeId(writer, event.id, format, measured.idBytes);
  writer.open(2, fieldSize(measured.streamBytes));
  writer.text(3, event.stream, measured.streamBytes);
  writer.uint64(3, revisionOf(event));
  writer.uint64(4, position);
  writer.uint64(5, position);
  writeMetadata(writer, 'type', event.type, measured.typeBytes);
  writeMetadata(writer, 'content-type', event.contentType, event.contentType.length);
  writeMetadata(writer, 'created', measured.created, measured.created.length);
  if (event.metadata.length > 0) writer.bytes(7, event.metadata);
  if (event.data.length > 0) writer.bytes(8, event.data);
}

/** `position` is that of the event as it stands in the log (the link's, for a resolved link). */
export function eventResponse(parts: ReadEventParts, position: bigint, format: IdFormat): Buffer {
  const event = parts.event ? measure(parts.event, format) : undefined;
  const link = parts.link ? measure(parts.link, format) : undefined;
  const at = unsigned(position);
  const size = (event ? fieldSize(event.size) : 0) + (link ? fieldSize(link.size) : 0) + 1 + varintSize(at);
  const writer = new ProtobufWriter(fieldSize(size));
  writer.open(content.event, size);
  if (event) writeRecordedEvent(writer, 1, event, format);
  if (link) writeRecordedEvent(writer, 2, link, format);
  writer.uint64(3, at);
  return writer.finish();
}

export function confirmationResponse(subscriptionId: string): Buffer {
  const length = Buffer.byteLength(subscriptionId);
  const writer = new ProtobufWriter(fieldSize(fieldSize(length)));
  writer.open(content.confirmation, fieldSize(length));
  writer.text(1, subscriptionId, length);
  return writer.finish();
}

function allPosition(field: number, position: bigint): Buffer {
  const at = unsigned(position);
  const size = 2 * (1 + varintSize(at));
  const writer = new ProtobufWriter(fieldSize(size));
  writer.open(field, size);
  writer.uint64(1, at);
  writer.uint64(2, at);
  return writer.finish();
}

export function checkpointResponse(position: bigint): Buffer {
  return allPosition(content.checkpoint, position);
}

export function lastAllStreamPositionResponse(position: bigint): Buffer {
  return allPosition(content.lastAllStreamPosition, position);
}

export function streamNotFoundResponse(stream: string): Buffer {
  const length = Buffer.byteLength(stream);
  const identifier = fieldSize(length);
  const writer = new ProtobufWriter(fieldSize(fieldSize(identifier)));
  writer.open(content.streamNotFound, fieldSize(identifier));
  writer.open(1, identifier);
  writer.text(3, stream, length);
  return writer.finish();
}

function streamPosition(field: number, revision: number): Buffer {
  const writer = new ProtobufWriter(1 + varintSize(revision));
  writer.uint64(field, revision);
  return writer.finish();
}

export function firstStreamPositionResponse(revision: number): Buffer {
  return streamPosition(content.firstStreamPosition, revision);
}

export function lastStreamPositionResponse(revision: number): Buffer {
  return streamPosition(content.lastStreamPosition, revision);
}

export function caughtUpResponse(): Buffer {
  const writer = new ProtobufWriter(2);
  writer.open(content.caughtUp, 0);
  return writer.finish();
}
