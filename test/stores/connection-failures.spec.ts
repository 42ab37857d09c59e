// Which failures of the stores' clients say that nobody has answered, and which are an answer.
import { ClickHouseError } from '@clickhouse/client';
import { describe, expect, it } from '@jest/globals';
import { available } from '../../src/metrics/metric-access.js';
import { isRetryable, isUnreachable } from '../../src/stores/clickhouse/retryable.js';
import { isRedisAway } from '../../src/stores/redis/away.js';

const codes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
];
const answered = (code: string, message: string) => new ClickHouseError({ code, message, type: 'ERROR' });

describe('a connection that fails', () => {
  it.each(codes)('by %s is the same to every store', async (code) => {
    const error = Object.assign(new Error('connect'), { code });
    expect([isRedisAway(error), isUnreachable(error), isRetryable(error)]).toEqual([true, true, true]);
    await expect(available(Promise.reject(error))).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it.each([
    'Connection is closed.',
    "Stream isn't writeable and enableOfflineQueue options is false",
    "Cluster isn't ready and enableOfflineQueue options is false",
    'Command timed out',
    "Socket timeout. Expecting data, but didn't receive any in 300ms.",
    'Command aborted due to connection close',
    'LOADING Redis is loading the dataset in memory',
    'MASTERDOWN Link with MASTER is down',
    'CLUSTERDOWN The cluster is down',
  ])('is told by the Redis client: %s', (message) => expect(isRedisAway(new Error(message))).toBe(true));

  it.each(['socket hang up', 'Timeout error.', 'The user aborted a request.', 'Premature close'])(
    'is told by the ClickHouse client, also as a cause: %s',
    (message) => {
      expect(isUnreachable(new Error(message))).toBe(true);
      expect(isUnreachable(new Error('the query failed', { cause: new Error(message) }))).toBe(true);
    },
  );
});

describe('an answer', () => {
  it('of ClickHouse that it has no memory now may be another one later, but is no 503 for a query that is too large', async () => {
    const error = answered('241', 'memory limit exceeded');
    expect([isRetryable(error), isUnreachable(error)]).toEqual([true, false]);
    await expect(available(Promise.reject(error))).rejects.toBe(error);
  });

  it('that quotes the words of a broken connection is an answer all the same', () => {
    const error = answered('62', 'Syntax error: failed at position 8 (socket hang up)');
    expect([isRetryable(error), isUnreachable(error)]).toEqual([false, false]);
  });

  it('of Redis to a wrong question stays a fault', () =>
    expect(isRedisAway(new Error('ERR syntax error'))).toBe(false));
});
