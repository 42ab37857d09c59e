// When nobody waits for a call's answer any more. Looked at when the call's turn to be written comes, so it needs no timer
// of its own: what is not written by then never is.
import type { ServerReadableStream, ServerUnaryCall } from '@grpc/grpc-js';
import type { CallOff } from '../../embedded/append/append-queue.js';

/** Cancelled, or past its deadline. */
export function givenUp(call: ServerReadableStream<unknown, unknown> | ServerUnaryCall<unknown, unknown>): CallOff {
  const dueAt = Number(call.getDeadline());
  return {
    get aborted() {
      return call.cancelled || Date.now() > dueAt;
    },
  };
}
