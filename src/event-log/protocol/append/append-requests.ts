// The requests of Append and BatchAppend, read from bytes, and the events that they propose.
import { recordSizeMax } from '../../embedded/storage/record.js';
import { AppendTooLarge, type NewEvent } from '../../event-log.js';
import { ProtobufReader } from '../../protobuf/reader.js';
import { missingMetadataProperty } from '../exceptions.js';
import { readTargetOptions, readUuid, type TargetOptions } from '../request-fields.js';

/** One chunk of one append. `options` come with its first chunk only. */
export interface BatchAppendChunk {
  readonly correlationId: Buffer;
  readonly options: TargetOptions | undefined;
  readonly proposed: readonly Buffer[];
  readonly isFinal: boolean;
}

const noBytes = Buffer.alloc(0);

export function readBatchAppendChunk(bytes: Buffer): BatchAppendChunk {
  const request = new ProtobufReader(bytes);
  let correlationId: Buffer = noBytes;
  let options: TargetOptions | undefined;
  const proposed: Buffer[] = [];
  let isFinal = false;
  while (request.next()) {
    if (request.field === 1) correlationId = request.bytes();
    else if (request.field === 2) options = readTargetOptions(request.message());
    else if (request.field === 3) proposed.push(request.bytes());
    else if (request.field === 4) isFinal = request.varint() !== 0;
    else request.skip();
  }
  return { correlationId, options, proposed, isFinal };
}

/** One message of a classic append: its options, then its events one by one. */
export interface AppendMessage {
  readonly options: TargetOptions | undefined;
  readonly proposed: Buffer | undefined;
}

export function readAppendMessage(bytes: Buffer): AppendMessage {
  const request = new ProtobufReader(bytes);
  let options: TargetOptions | undefined;
  let proposed: Buffer | undefined;
  while (request.next()) {
    if (request.field === 1) options = readTargetOptions(request.message());
    else if (request.field === 2) proposed = request.bytes();
    else request.skip();
  }
  return { options, proposed };
}

const json = 'application/json';

/** @throws ProtocolError when the id is no UUID or `type` or `content-type` is missing; RangeError when it is no message. */
export function readProposedEvent(bytes: Buffer): NewEvent {
  const message = new ProtobufReader(bytes);
  let id: ProtobufReader | undefined;
  let type: string | undefined;
  let contentType: string | undefined;
  let data: Uint8Array = noBytes;
  let metadata: Uint8Array = noBytes;
  while (message.next()) {
    if (message.field === 1) id = message.message();
    else if (message.field === 2) {
      const [key, value] = readEntry(message.message());
      if (key === 'type') type = value;
      else if (key === 'content-type') contentType = value;
    } else if (message.field === 3) metadata = message.bytes();
    else if (message.field === 4) data = message.bytes();
    else message.skip();
  }
  if (type === undefined) throw missingMetadataProperty('type');
  if (contentType === undefined) throw missingMetadataProperty('content-type');
  const known = contentType === json ? json : 'application/octet-stream';
  return { id: readUuid(id), type, contentType: known, data, metadata };
}

function readEntry(entry: ProtobufReader): readonly [string, string] {
  let key = '';
  let value = '';
  while (entry.next()) {
    if (entry.field === 1) key = entry.text();
    else if (entry.field === 2) value = entry.text();
    else entry.skip();
  }
  return [key, value];
}

/** Bytes that an event counts towards the append limit: data, metadata and the type as UTF-16, as the real server does. */
export function eventSize(event: NewEvent): number {
  return event.data.length + event.metadata.length + 2 * event.type.length;
}

/** What an append costs while it waits, whatever is in it. */
const heldBytesMin = 512;

/** The events of one append as they come in. It holds no more than the limit: what is over it is refused at once. */
export class ProposedAppend {
  readonly events: NewEvent[] = [];
  /** Bytes that count towards the limit. */
  sizeBytes = 0;
  /** Bytes that it takes while it waits: at least those of the log's queue. */
  heldBytes = heldBytesMin;

  constructor(
    private readonly stream: string,
    private readonly appendBytesMax: number,
  ) {}

  /** @throws AppendTooLarge, ProtocolError, RangeError */
  add(proposed: Buffer): void {
    const event = readProposedEvent(proposed);
    this.sizeBytes += eventSize(event);
    if (this.sizeBytes > this.appendBytesMax) throw new AppendTooLarge(this.appendBytesMax, this.sizeBytes);
    this.heldBytes += recordSizeMax(this.stream, event);
    this.events.push(event);
  }
}
