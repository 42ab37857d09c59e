// Failures of the log as EventStoreDB's clients know them: a gRPC status and, in the trailers, the name of the exception
// with its fields. The texts and the codes are those of the real server, because clients show and test them.
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  AppendTooLarge,
  EventLogError,
  type ExpectedRevision,
  LogDamaged,
  LogFull,
  LogUnavailable,
  StreamDeleted,
  WrongExpectedRevision,
} from '../event-log.js';

/** A refusal of the protocol itself (a malformed request, an unknown filter): no failure of the log. */
export class ProtocolError extends Error {
  constructor(
    readonly code: status,
    message: string,
    readonly trailers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}

/** An append was not complete, or its turn to be written had not come, when its deadline passed: nothing of it is written. */
export class AppendTimedOut extends Error {
  constructor() {
    super('the append could not be written before its deadline passed');
    this.name = 'AppendTimedOut';
  }
}

export function invalidArgument(message: string): ProtocolError {
  return new ProtocolError(status.INVALID_ARGUMENT, message);
}

export function missingMetadataProperty(property: string): ProtocolError {
  return new ProtocolError(status.INVALID_ARGUMENT, `Required Metadata Property '${property}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });
}

/** The number by which trailers name an expectation: -1 no stream, -2 any, -4 stream exists. */
export function expectedNumber(expected: ExpectedRevision): number {
  if (typeof expected === 'number') return expected;
  return { no_stream: -1, any: -2, stream_exists: -4 }[expected];
}

/** gRPC metadata is ASCII; a name beyond it travels percent-encoded, where the library would refuse the whole answer. */
function asTrailer(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : encodeURIComponent(wellFormed(value));
}

/** Half of a surrogate pair, sent so or cut off by us, cannot be encoded: the library would give no status at all. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

export function serviceError(
  code: status,
  details: string,
  trailers: Readonly<Record<string, string>> = {},
): ServiceError {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, asTrailer(value));
  return Object.assign(new Error(details), { code, details: wellFormed(details), metadata });
}

/**
 * `operation` is what the text of a wrong expected version begins with: Append, Delete.
 * `sentRevision`: what the request expected, where it is beyond a JavaScript number.
 */
export function toServiceError(
  error: unknown,
  operation: 'Append' | 'Delete' | 'Read',
  sentRevision?: bigint,
): ServiceError {
  if (error instanceof ProtocolError) return serviceError(error.code, error.message, error.trailers);
  if (error instanceof WrongExpectedRevision) return wrongExpectedVersion(error, operation, sentRevision);
  if (error instanceof StreamDeleted) {
    return serviceError(status.FAILED_PRECONDITION, `Event stream '${error.stream}' is deleted.`, {
      exception: 'stream-deleted',
      'stream-name': error.stream,
    });
  }
  if (error instanceof AppendTooLarge) {
    return serviceError(status.INVALID_ARGUMENT, `Maximum Append Size of ${error.limitBytes} Exceeded.`, {
      exception: 'maximum-append-size-exceeded',
      'maximum-append-size': String(error.limitBytes),
    });
  }
  if (error instanceof AppendTimedOut) return serviceError(status.ABORTED, `Operation timed out: ${error.message}`);
  if (error instanceof LogUnavailable) return serviceError(status.UNAVAILABLE, `Server Is Too Busy: ${error.message}`);
  if (error instanceof LogFull) return serviceError(status.RESOURCE_EXHAUSTED, error.message);
  if (error instanceof LogDamaged) return serviceError(status.DATA_LOSS, error.message);
  if (isInvalidAppend(error)) return serviceError(status.INVALID_ARGUMENT, error.message);
  if (error instanceof EventLogError) return serviceError(status.INTERNAL, `${error.code}: ${error.message}`);
  return serviceError(status.INTERNAL, error instanceof Error ? error.message : String(error));
}

/** Names, ids, types or revisions that the log cannot take: the request's fault, so trying it again is useless. */
export function isInvalidAppend(error: unknown): error is EventLogError {
  return error instanceof EventLogError && error.code === 'invalid-append';
}

function wrongExpectedVersion(error: WrongExpectedRevision, operation: string, sentRevision?: bigint): ServiceError {
  const expected = sentRevision ?? expectedNumber(error.expected);
  const actual = error.actual < 0 ? '' : String(error.actual);
  const text = `${operation} failed due to WrongExpectedVersion. Stream: ${error.stream}`;
  return serviceError(
    status.FAILED_PRECONDITION,
    `${text}, Expected version: ${expected}, Actual version: ${error.actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': error.stream,
      'expected-version': String(expected),
      'actual-version': actual,
    },
  );
}
