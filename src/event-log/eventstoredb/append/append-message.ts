// The messages of BatchAppend as bytes, so that events go out exactly as they came in.
import { status } from '@grpc/grpc-js';
import {
  type AppendResult,
  AppendTooLarge,
  EventLogError,
  type ExpectedRevision,
  LogDamaged,
  LogFull,
  LogUnavailable,
  type NewEvent,
  StreamDeleted,
  WrongExpectedRevision,
} from '../../event-log.js';
import { ProtobufReader } from '../../protobuf/reader.js';
import { fieldSize, ProtobufWriter, varintSize } from '../../protobuf/writer.js';

/** A chunk is closed when the next event would make it larger than this (an event by itself may be). */
const chunkBytesMax = 3 * 1024 * 1024;
const uuidBytes = 36;

function metadataEntrySize(key: string, valueBytes: number): number {
  return fieldSize(key.length) + fieldSize(valueBytes);
}

function messageSize(event: NewEvent): number {
  return (
    fieldSize(fieldSize(uuidBytes)) +
    fieldSize(metadataEntrySize('type', Buffer.byteLength(event.type))) +
    fieldSize(metadataEntrySize('content-type', event.contentType.length)) +
    (event.metadata.length > 0 ? fieldSize(event.metadata.length) : 0) +
    fieldSize(event.data.length)
  );
}

function writeMetadataEntry(writer: ProtobufWriter, key: string, value: string): void {
  const valueBytes = Buffer.byteLength(value);
  writer.open(2, metadataEntrySize(key, valueBytes));
  writer.text(1, key, key.length);
  writer.text(2, value, valueBytes);
}

function writeMessage(writer: ProtobufWriter, event: NewEvent, size: number): void {
  writer.open(3, size);
  writer.open(1, fieldSize(uuidBytes));
  writer.text(2, event.id, uuidBytes);
  writeMetadataEntry(writer, 'type', event.type);
  writeMetadataEntry(writer, 'content-type', event.contentType);
  if (event.metadata.length > 0) writer.bytes(3, event.metadata);
  writer.bytes(4, event.data);
}

function options(stream: string, expected: ExpectedRevision): Buffer {
  const nameBytes = Buffer.byteLength(stream);
  const expectation = typeof expected === 'number' ? 1 + varintSize(expected) : fieldSize(0);
  const writer = new ProtobufWriter(fieldSize(fieldSize(nameBytes)) + expectation);
  writer.open(1, fieldSize(nameBytes));
  writer.text(3, stream, nameBytes);
  if (typeof expected === 'number') writer.uint64(2, expected);
  else writer.open({ no_stream: 3, any: 4, stream_exists: 5 }[expected], 0);
  return writer.finish();
}

export interface AppendRequest {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly events: readonly NewEvent[];
}

/** The chunks of one append; the last one says so. */
export function appendChunks(correlationId: string, request: AppendRequest): Buffer[] {
  const sizes = request.events.map(messageSize);
  const chunks: Buffer[] = [];
  const target = options(request.stream, request.expected);
  let from = 0;
  do {
    let to = from;
    let bytes = 0;
    while (to < sizes.length && (to === from || bytes + fieldSize(sizes[to] ?? 0) <= chunkBytesMax)) {
      bytes += fieldSize(sizes[to] ?? 0);
      to += 1;
    }
    const isFirst = from === 0;
    const isFinal = to === sizes.length;
    const size = fieldSize(fieldSize(uuidBytes)) + (isFirst ? fieldSize(target.length) : 0) + bytes + (isFinal ? 2 : 0);
    const writer = new ProtobufWriter(size);
    writer.open(1, fieldSize(uuidBytes));
    writer.text(2, correlationId, uuidBytes);
    if (isFirst) writer.bytes(2, target);
    for (let i = from; i < to; i++) writeMessage(writer, request.events[i] as NewEvent, sizes[i] as number);
    if (isFinal) writer.uint64(4, 1);
    chunks.push(writer.finish());
    from = to;
  } while (from < sizes.length);
  return chunks;
}

/** An answer as it came: which append it is for, and the two things it may hold, still as bytes. */
export interface AppendAnswer {
  readonly correlationId: string;
  readonly success: Buffer | undefined;
  readonly error: Buffer | undefined;
}

export function readAppendAnswer(bytes: Buffer): AppendAnswer {
  const answer = new ProtobufReader(bytes);
  let correlationId = '';
  let success: Buffer | undefined;
  let error: Buffer | undefined;
  while (answer.next()) {
    if (answer.field === 1) correlationId = readText(answer.message(), 2).toLowerCase();
    else if (answer.field === 2) error = answer.bytes();
    else if (answer.field === 3) success = answer.bytes();
    else answer.skip();
  }
  return { correlationId, success, error };
}

function readText(message: ProtobufReader, field: number): string {
  let text = '';
  while (message.next()) {
    if (message.field === field) text = message.text();
    else message.skip();
  }
  return text;
}

function readNumber(bytes: Buffer, field: number): number | undefined {
  const message = new ProtobufReader(bytes);
  let value: number | undefined;
  while (message.next()) {
    if (message.field === field) value = message.varint();
    else message.skip();
  }
  return value;
}

/** @throws EventLogError what the server answered, or that it cannot be understood */
export function resultOf(answer: AppendAnswer, request: AppendRequest): AppendResult {
  if (answer.error) throw answerError(answer.error, request);
  if (!answer.success)
    throw new EventLogError('unknown', 'the server answered an append with neither success nor error', true);
  const success = new ProtobufReader(answer.success);
  let revision = -1;
  let position = 0n;
  while (success.next()) {
    if (success.field === 1) revision = success.varint();
    else if (success.field === 3) position = readCommit(success.message());
    else success.skip();
  }
  return { revision, position };
}

function readCommit(message: ProtobufReader): bigint {
  let commit = 0n;
  while (message.next()) {
    if (message.field === 1) commit = message.uint64();
    else message.skip();
  }
  return commit;
}

/** google.rpc.Status: the Any's type names the failure; servers do not agree on the code. */
function answerError(bytes: Buffer, request: AppendRequest): EventLogError {
  const message = new ProtobufReader(bytes);
  let code = 0;
  let text = '';
  let typeUrl = '';
  let value: Buffer = Buffer.alloc(0);
  while (message.next()) {
    if (message.field === 1) code = message.varint();
    else if (message.field === 2) text = message.text();
    else if (message.field === 3) {
      const any = message.message();
      while (any.next()) {
        if (any.field === 1) typeUrl = any.text();
        else if (any.field === 2) value = any.bytes();
        else any.skip();
      }
    } else message.skip();
  }
  const { stream, expected } = request;
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'event_store.client.WrongExpectedVersion':
      return new WrongExpectedRevision(stream, expected, readNumber(value, 1) ?? -1);
    case 'event_store.client.StreamDeleted':
      return new StreamDeleted(stream);
    case 'event_store.client.MaximumAppendSizeExceeded':
      return new AppendTooLarge(readNumber(value, 1) ?? 0, appendSize(request.events));
    case 'event_store.client.AccessDenied':
      return new EventLogError('access-denied', `${stream}: the server denies the append`);
    case 'event_store.client.InvalidTransaction':
      return new EventLogError('invalid-transaction', `${stream}: ${text}`);
    case 'event_store.client.BadRequest':
      return new EventLogError('invalid-argument', `${stream}: ${text}`);
    case 'event_store.client.Timeout':
      return new LogUnavailable(`${stream}: the server did not write the append in time`);
    default:
      // Nothing named: "Server Is Not Ready", "Server Is Busy" and the like come with an empty Any.
      if (code === status.RESOURCE_EXHAUSTED) return new LogFull(`${stream}: ${text}`);
      if (code === status.DATA_LOSS) return new LogDamaged(`${stream}: ${text}`);
      return new LogUnavailable(`${stream}: ${text === '' ? 'the server gave no reason' : text}`);
  }
}

/** Bytes that an append counts towards the server's limit. */
export function appendSize(events: readonly NewEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += event.data.byteLength + event.metadata.byteLength + 2 * event.type.length;
  return bytes;
}
