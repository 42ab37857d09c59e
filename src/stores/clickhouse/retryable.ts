// Which failures of ClickHouse say "not now" and not "not like that".
import { ClickHouseError } from '@clickhouse/client';

/** The connection was refused, cut, or never answered. */
const connection = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ECONNABORTED',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

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

/** The same statement may succeed later. An insert that is sent again needs the token that it was sent with. */
export function isRetryable(error: unknown): boolean {
  if (error instanceof ClickHouseError) return engineCodes.has(error.code);
  if (typeof error !== 'object' || error === null) return false;
  const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
  if (typeof code === 'string' && connection.has(code)) return true;
  if (typeof message === 'string' && cutOff.test(message)) return true;
  return cause !== error && isRetryable(cause);
}
