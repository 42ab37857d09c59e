// The server's exceptions as errors of the log. Their fields are read with care: a server that leaves one out must not
// make the adapter fail in another way than with a typed error.
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
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

/** What a call was about, for the errors that name it. */
export interface CallSubject {
  readonly stream: string;
  readonly expected?: ExpectedRevision;
  readonly sizeBytes?: number;
}

/** Exceptions that come as an EventLogError whose code is their name; true: the same call may succeed later. */
const namedExceptions: Readonly<Record<string, boolean>> = {
  'not-leader': true,
  'stream-not-found': false,
  'no-stream': false,
  'access-denied': false,
  'invalid-transaction': false,
  'scavenge-not-found': false,
  'missing-required-metadata-property': false,
  'persistent-subscription-failed': false,
  'persistent-subscription-does-not-exist': false,
  'persistent-subscription-exists': false,
  'persistent-subscription-dropped': false,
  'maximum-subscribers-reached': false,
  'user-not-found': false,
  'user-conflict': false,
  'maximum-append-event-size-exceeded': false,
  'index-not-found': false,
};

/** gRPC codes without an exception of their own that mean "come back later". */
const passing = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.DEADLINE_EXCEEDED,
  // The server's own write timeout.
  status.ABORTED,
]);

/** Codes that say the request itself cannot be served; anything else may be a broken connection. */
const final: ReadonlyMap<status, string> = new Map([
  [status.UNAUTHENTICATED, 'access-denied'],
  [status.PERMISSION_DENIED, 'access-denied'],
  [status.INVALID_ARGUMENT, 'invalid-argument'],
  [status.NOT_FOUND, 'not-found'],
  [status.FAILED_PRECONDITION, 'failed-precondition'],
  [status.UNIMPLEMENTED, 'unsupported'],
]);

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

function field(metadata: Metadata | undefined, key: string): string {
  return String(metadata?.get(key)[0] ?? '');
}

export function toLogError(error: unknown, subject: CallSubject): EventLogError {
  if (error instanceof EventLogError) return error;
  if (!isServiceError(error)) {
    // The client's own failures: discovery that found no node, a channel that was closed.
    return new LogUnavailable(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const exception = field(error.metadata, 'exception');
  if (exception !== '') return fromException(exception, error, subject);
  if (passing.has(error.code)) return new LogUnavailable(error.message, { cause: error });
  if (error.code === status.RESOURCE_EXHAUSTED && !error.details.includes('larger than max')) {
    return new LogFull(error.message, { cause: error });
  }
  if (error.code === status.DATA_LOSS) return new LogDamaged(error.message);
  const code = final.get(error.code);
  if (code !== undefined) return new EventLogError(code, error.message, false, { cause: error });
  return new EventLogError('unknown', error.message, true, { cause: error });
}

function fromException(exception: string, error: ServiceError, subject: CallSubject): EventLogError {
  switch (exception) {
    case 'stream-deleted':
      return new StreamDeleted(subject.stream);
    case 'wrong-expected-version': {
      const actual = field(error.metadata, 'actual-version');
      return new WrongExpectedRevision(subject.stream, subject.expected ?? 'any', actual === '' ? -1 : Number(actual));
    }
    case 'maximum-append-size-exceeded':
      return new AppendTooLarge(Number(field(error.metadata, 'maximum-append-size')), subject.sizeBytes ?? 0);
    default: {
      const known = Object.hasOwn(namedExceptions, exception);
      return new EventLogError(exception, error.message, known && namedExceptions[exception] === true, {
        cause: error,
      });
    }
  }
}
