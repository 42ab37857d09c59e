// The document store in Redis.
import { buildsKey, shardsMax } from '../../kernel/document-keys.js';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { type Attendance, silentMsMax } from '../builds/company.js';
import { shardNames } from '../operation/document-status.js';
import type { DocumentStore } from './document-store.js';
import { RedisBuilds } from './redis-builds.js';
import { RedisLease } from './redis-lease.js';
import { RedisSink } from './redis-sink.js';

export function redisDocuments(redis: RedisClient): DocumentStore {
  return {
    builds: (name) => new RedisBuilds(redis, name),
    sink: (name, build) => new RedisSink(redis, name, build),
    lease: (work, holder) => new RedisLease(redis, work, holder),
    attendance: (shards, holder) => redisAttendance(redis, `projector-processes:${shards}`, holder),
    cuts: (projections) => cuts(redis, projections),
  };
}

function redisAttendance(redis: RedisClient, key: string, holder: string): Attendance {
  return {
    hear: async () => {
      const nowMs = Date.now();
      await redis.zadd(key, nowMs, holder);
      await redis.zremrangebyscore(key, '-inf', nowMs - silentMsMax);
      return await redis.zcard(key);
    },
    leave: async () => {
      await redis.zrem(key, holder);
    },
  };
}

async function cuts(redis: RedisClient, projections: readonly string[]): Promise<readonly number[]> {
  const found: number[] = [];
  for (let shards = 1; shards <= shardsMax; shards += 1) {
    const keys = shardNames(projections, shards).map((name) => buildsKey(name));
    const there = await Promise.all(keys.map((key) => redis.exists(key)));
    if (there.includes(1)) found.push(shards);
  }
  return found;
}
