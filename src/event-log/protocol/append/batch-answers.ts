// The answers of BatchAppend as bytes. An error always names the stream: without it EventStoreDB's Node client dies of
// an uncaught TypeError.
import { status } from '@grpc/grpc-js';
import {
  type AppendResult,
  AppendTooLarge,
  type ExpectedRevision,
  LogDamaged,
  LogFull,
  LogUnavailable,
  StreamDeleted,
  WrongExpectedRevision,
} from '../../event-log.js';
import { fieldSize, ProtobufWriter, unsigned, varintSize } from '../../protobuf/writer.js';
import { AppendTimedOut, isInvalidAppend, ProtocolError } from '../exceptions.js';

/** Which append is answered, as the client sent it. */
export interface BatchIdentity {
  readonly correlationId: Uint8Array;
  readonly streamIdentifier: Uint8Array;
  /** Where it is beyond a JavaScript number. */
  readonly sentRevision?: bigint | undefined;
}

/** Field numbers of BatchAppendResp. */
const content = { correlationId: 1, error: 2, success: 3, streamIdentifier: 4 } as const;

function answer(identity: BatchIdentity, field: number, body: Uint8Array): Buffer {
  const { correlationId, streamIdentifier } = identity;
  const writer = new ProtobufWriter(
    fieldSize(correlationId.length) + fieldSize(body.length) + fieldSize(streamIdentifier.length),
  );
  writer.bytes(content.correlationId, correlationId);
  writer.bytes(field, body);
  writer.bytes(content.streamIdentifier, streamIdentifier);
  return writer.finish();
}

const noStreamNoPosition = Buffer.from([0x12, 0, 0x22, 0]);

export function successAnswer(identity: BatchIdentity, result: AppendResult): Buffer {
  // An empty append to a stream that is not there: there is no last event to name.
  if (result.revision < 0) return answer(identity, content.success, noStreamNoPosition);
  const position = unsigned(result.position);
  const positionSize = 2 * (1 + varintSize(position));
  const writer = new ProtobufWriter(1 + varintSize(result.revision) + fieldSize(positionSize));
  writer.uint64(1, result.revision);
  writer.open(3, positionSize);
  writer.uint64(1, position);
  writer.uint64(2, position);
  return answer(identity, content.success, writer.finish());
}

interface Detail {
  readonly code: status;
  readonly name: string;
  readonly message: Uint8Array;
}

/** google.rpc.Status with one Any; clients look at the Any's type and not at the code. */
export function errorAnswer(identity: BatchIdentity, error: unknown): Buffer {
  const detail = detailOf(error, identity);
  const any = Buffer.concat([textField(1, `type.googleapis.com/${detail.name}`), bytesField(2, detail.message)]);
  const text = error instanceof Error ? error.message : String(error);
  const failure = Buffer.concat([uint64Field(1, detail.code), textField(2, text), bytesField(3, any)]);
  return answer(identity, content.error, failure);
}

const empty = Buffer.alloc(0);

function detailOf(error: unknown, identity: BatchIdentity): Detail {
  if (error instanceof WrongExpectedRevision) {
    const name = 'event_store.client.WrongExpectedVersion';
    return { code: status.FAILED_PRECONDITION, name, message: wrongVersion(error, identity.sentRevision) };
  }
  if (error instanceof StreamDeleted) {
    const message = bytesField(1, identity.streamIdentifier);
    return { code: status.FAILED_PRECONDITION, name: 'event_store.client.StreamDeleted', message };
  }
  if (error instanceof AppendTooLarge) {
    const message = uint64Field(1, error.limitBytes);
    return { code: status.INVALID_ARGUMENT, name: 'event_store.client.MaximumAppendSizeExceeded', message };
  }
  if (error instanceof AppendTimedOut) {
    return { code: status.DEADLINE_EXCEEDED, name: 'event_store.client.Timeout', message: empty };
  }
  if (error instanceof ProtocolError) {
    const message = textField(1, error.message);
    return { code: error.code, name: 'event_store.client.BadRequest', message };
  }
  if (isInvalidAppend(error)) {
    const message = textField(1, error.message);
    return { code: status.INVALID_ARGUMENT, name: 'event_store.client.BadRequest', message };
  }
  if (error instanceof LogUnavailable) {
    return { code: status.UNAVAILABLE, name: 'google.protobuf.Empty', message: empty };
  }
  return { code: codeOf(error), name: 'event_store.client.Unknown', message: empty };
}

/** Failures that the protocol has no name for are told apart by the code. */
function codeOf(error: unknown): status {
  if (error instanceof LogFull) return status.RESOURCE_EXHAUSTED;
  return error instanceof LogDamaged ? status.DATA_LOSS : status.UNKNOWN;
}

function wrongVersion(error: WrongExpectedRevision, sentRevision: bigint | undefined): Buffer {
  const current = error.actual < 0 ? bytesField(2, empty) : uint64Field(1, error.actual);
  return Buffer.concat([current, expectation(sentRevision ?? error.expected)]);
}

function expectation(expected: ExpectedRevision | bigint): Buffer {
  if (typeof expected !== 'string') return uint64Field(3, expected);
  return bytesField({ any: 4, stream_exists: 5, no_stream: 6 }[expected], empty);
}

function uint64Field(field: number, value: number | bigint): Buffer {
  const writer = new ProtobufWriter(1 + varintSize(value));
  writer.uint64(field, value);
  return writer.finish();
}

function bytesField(field: number, value: Uint8Array): Buffer {
  const writer = new ProtobufWriter(fieldSize(value.length));
  writer.bytes(field, value);
  return writer.finish();
}

function textField(field: number, value: string): Buffer {
  return bytesField(field, Buffer.from(value, 'utf8'));
}
