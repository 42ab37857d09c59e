// The kinds of Redis that the projector is tested on: a server, a cluster of three real servers, and the one in
// JavaScript where there is no server.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { openRedis, type RedisStore } from '../../src/stores/redis/open-redis.js';
import { type RedisClient, serversOf } from '../../src/stores/redis/redis-endpoint.js';
import { RedisCluster } from './redis-cluster.js';

export type RedisKind = 'redis-server' | 'cluster' | 'JavaScript';

export const hasRedisServer = spawnSync('redis-server', ['--version']).error === undefined;
if (!hasRedisServer && process.env['CI']) throw new Error('CI must have a redis-server');
if (!hasRedisServer) process.stdout.write('no redis-server on PATH: only the JavaScript Redis is tested, no cluster\n');

/** The best one that is here. */
export const oneKind: RedisKind = hasRedisServer ? 'redis-server' : 'JavaScript';
/** Those that a suite is run on, each once. */
export const kinds: readonly RedisKind[] = hasRedisServer ? ['redis-server', 'cluster'] : ['JavaScript'];

export interface TestRedis {
  readonly store: RedisStore;
  /** A server dies at once and comes back with what it had. */
  killOne(): Promise<void>;
  close(): Promise<void>;
}

/** One for all tests of the describe around it: opened before them, closed after. */
export function redisForAll(kind: RedisKind): () => TestRedis {
  let directory: string;
  let redis: TestRedis;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'homing-redis-'));
    redis = await openKind(kind, directory);
  });
  afterAll(async () => {
    await redis.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return () => redis;
}

export async function openKind(kind: RedisKind, directory: string): Promise<TestRedis> {
  const cluster = kind === 'cluster' ? await RedisCluster.start() : undefined;
  const binary = kind === 'JavaScript' ? 'no-such' : 'redis-server';
  const store = await openRedis({ url: cluster?.url, directory, binary });
  return {
    store,
    // The embedded one is started again by whoever opened it.
    killOne: async () => (cluster ? await cluster.killOne() : void process.kill(store.pid() ?? 0, 'SIGKILL')),
    close: async () => {
      await store.close();
      await cluster?.close();
    },
  };
}

/** Of all its servers. */
export async function keysOf(client: RedisClient, pattern: string): Promise<string[]> {
  return (await Promise.all(serversOf(client).map((server) => server.keys(pattern)))).flat();
}
export async function flush(client: RedisClient): Promise<void> {
  await Promise.all(serversOf(client).map((server) => server.flushall()));
}
