// Which failures of the Redis client say that nobody answers, and not that the question was wrong.
import { hasConnectionCode } from '../connection-codes.js';

const names = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError']);
/** What the client says where it gives no code; the last three are a server's that is starting, or has lost its master. */
const words =
  /connection is closed|connection close$|isn't (?:writeable|ready)|command timed out|socket timeout|^LOADING |^MASTERDOWN |^CLUSTERDOWN /i;

/** The same question may be answered later. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return names.has(error.name) || hasConnectionCode(error) || words.test(error.message);
}
