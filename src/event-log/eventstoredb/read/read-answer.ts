// The answers of Streams/Read, read from bytes: what the log's contract needs of them and no more.
import type { LogEvent } from '../../event-log.js';
import { ProtobufReader } from '../../protobuf/reader.js';

export type ReadAnswer =
  | { readonly kind: 'event'; readonly event: LogEvent }
  | { readonly kind: 'not-found' }
  | { readonly kind: 'caught-up' }
  /** A confirmation, a checkpoint, a hint: nothing to hand on, but a sign of life. */
  | { readonly kind: 'other' };

const other: ReadAnswer = { kind: 'other' };
const notFound: ReadAnswer = { kind: 'not-found' };
const caughtUp: ReadAnswer = { kind: 'caught-up' };
const noBytes = new Uint8Array(0);
const ticksPerMillisecond = 10_000;
const tombstoneRevision = Number.MAX_SAFE_INTEGER;

/** @throws RangeError when the bytes are no message or an event lacks its id or stream */
export function readAnswer(bytes: Buffer): ReadAnswer {
  const answer = new ProtobufReader(bytes);
  let result = other;
  while (answer.next()) {
    if (answer.field === 1) result = readEvent(answer.message());
    else {
      if (answer.field === 4) result = notFound;
      else if (answer.field === 8) result = caughtUp;
      answer.skip();
    }
  }
  return result;
}

/** Links are asked for unresolved; a server that resolves one all the same has the original in `link`. */
function readEvent(message: ProtobufReader): ReadAnswer {
  let event: LogEvent | undefined;
  let link: LogEvent | undefined;
  while (message.next()) {
    if (message.field === 1) event = readRecorded(message.message());
    else if (message.field === 2) link = readRecorded(message.message());
    else message.skip();
  }
  const original = link ?? event;
  return original ? { kind: 'event', event: original } : other;
}

function readRecorded(message: ProtobufReader): LogEvent {
  let id = '';
  let stream: string | undefined;
  let revision = 0;
  let position = 0n;
  let data: Uint8Array = noBytes;
  let metadata: Uint8Array = noBytes;
  const entries: Record<string, string> = {};
  while (message.next()) {
    if (message.field === 1) id = readText(message.message(), 2);
    else if (message.field === 2) stream = readText(message.message(), 3);
    else if (message.field === 3) revision = Math.min(message.varint(), tombstoneRevision);
    else if (message.field === 5) position = message.uint64();
    else if (message.field === 6) readEntry(message.message(), entries);
    else if (message.field === 7) metadata = message.bytes();
    else if (message.field === 8) data = message.bytes();
    else message.skip();
  }
  if (id === '' || stream === undefined) throw new RangeError('an event without its id or its stream');
  return {
    id,
    stream,
    revision,
    position,
    type: entries['type'] ?? '',
    contentType: entries['content-type'] === 'application/json' ? 'application/json' : 'application/octet-stream',
    recordedAt: Math.floor(Number(entries['created'] ?? 0) / ticksPerMillisecond),
    data,
    metadata,
  };
}

function readText(message: ProtobufReader, field: number): string {
  let text = '';
  while (message.next()) {
    if (message.field === field) text = message.text();
    else message.skip();
  }
  return text;
}

function readEntry(message: ProtobufReader, into: Record<string, string>): void {
  let key = '';
  let value = '';
  while (message.next()) {
    if (message.field === 1) key = message.text();
    else if (message.field === 2) value = message.text();
    else message.skip();
  }
  into[key] = value;
}
