// Where a Redis is, as it is written in one variable.
import { describe, expect, it } from '@jest/globals';
import { parseRedisUrl, redisUrlOf } from '../../src/stores/redis/redis-endpoint.js';

describe('the address of Redis', () => {
  it('is one server', () => {
    expect(parseRedisUrl('rediss://me:p%40ss@redis.internal:6380/2')).toEqual({
      host: 'redis.internal',
      port: 6380,
      username: 'me',
      password: 'p@ss',
      db: 2,
      tls: {},
    });
  });

  it('is some nodes of a cluster', () => {
    expect(parseRedisUrl('redis-cluster://:p%40ss@a:7000,b,[::1]:7002')).toEqual({
      host: 'a',
      port: 7000,
      password: 'p@ss',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
        { host: '::1', port: 7002 },
      ],
    });
  });

  it.each(['redis-cluster://a/0', 'redis-cluster://', 'http://a', 'redis://a/b'])('is not %s', (url) => {
    expect(() => parseRedisUrl(url)).toThrow(/Invalid URL|expected redis/);
  });

  it.each([
    'redis://127.0.0.1:6379',
    'rediss://me:p%40ss@a:6380/2',
    'redis-cluster://me:p%40ss@a:7000,[::1]:7001',
    'rediss-cluster://a:7000',
  ])('is written as it is read: %s', (url) => {
    expect(redisUrlOf(parseRedisUrl(url))).toBe(url);
  });
});
