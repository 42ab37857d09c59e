// Which failures of ClickHouse say "not now" and not "not like that".
import { ClickHouseError } from '@clickhouse/client';
import { hasConnectionCode } from '../connection-codes.js';

/** What the client says of a connection that ended too early, where there is no code. */
const cutOff = /socket hang up|timeout error|aborted|premature close/i;

const engineCodes = new Set([
  '159', // TIMEOUT_EXCEEDED
  '160', // TOO_SLOW
  '202', // TOO_MANY_SIMULTANEOUS_QUERIES
  '203', // NO_FREE_CONNECTION
  '209', // SOCKET_TIMEOUT
  '210', // NETWORK_ERROR
  '236', // ABORTED
  '241', // MEMORY_LIMIT_EXCEEDED
  '242', // TABLE_IS_READ_ONLY
  '243', // NOT_ENOUGH_SPACE
  '252', // TOO_MANY_PARTS
  '394', // QUERY_WAS_CANCELLED
  '425', // SYSTEM_ERROR
  '473', // DEADLOCK_AVOIDED
  '999', // KEEPER_EXCEPTION
]);

/** The engine was not reached, or the connection to it broke before it had answered. */
export function isUnreachable(error: unknown): boolean {
  // It has answered; its words may quote anything.
  if (error instanceof ClickHouseError || typeof error !== 'object' || error === null) return false;
  const { message, cause } = error as { message?: unknown; cause?: unknown };
  if (hasConnectionCode(error) || (typeof message === 'string' && cutOff.test(message))) return true;
  return cause !== error && isUnreachable(cause);
}

/** The same statement may succeed later. An insert that is sent again needs the token that it was sent with. */
export function isRetryable(error: unknown): boolean {
  return error instanceof ClickHouseError ? engineCodes.has(error.code) : isUnreachable(error);
}
