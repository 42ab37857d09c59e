// Which failures of the Redis client say that nobody answers, and not that the question was wrong.
const names = new Set(['MaxRetriesPerRequestError', 'ClusterAllFailedError']);
const codes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
/** What the client says where it gives no code; the last two are a server's that is starting, or has lost its master. */
const words =
  /connection is closed|isn't writeable|command timed out|socket timeout|^LOADING |^MASTERDOWN |^CLUSTERDOWN /i;

/** The same question may be answered later. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return names.has(error.name) || (code !== undefined && codes.has(code)) || words.test(error.message);
}
