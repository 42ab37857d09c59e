// The document store in Redis.
import { buildsKey, shardsMax } from '../../kernel/document-keys.js';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { type Attendance, silentMsMax } from '../builds/company.js';
import { leaseMs } from '../builds/lease.js';
import type { DocumentStore } from './document-store.js';
import { RedisBuilds } from './redis-builds.js';
import { RedisLease } from './redis-lease.js';
import { RedisSink } from './redis-sink.js';

/** How long a process is believed to be there after it was last heard of, by Redis' clock and by the processes' own. */
export interface OwnerTimes {
  readonly leaseMs: number;
  readonly silentMsMax: number;
}

export function redisDocuments(redis: RedisClient, times: OwnerTimes = { leaseMs, silentMsMax }): DocumentStore {
  return {
    builds: (name) => new RedisBuilds(redis, name),
    sink: (name, build) => new RedisSink(redis, name, build),
    lease: (work, holder) => new RedisLease(redis, work, holder, times.leaseMs),
    attendance: (shards, holder) => redisAttendance(redis, `projector-processes:${shards}`, holder, times),
    cuts: (projections) => cuts(redis, projections),
  };
}

function redisAttendance(redis: RedisClient, key: string, holder: string, times: OwnerTimes): Attendance {
  return {
    hear: async () => {
      const nowMs = Date.now();
      await redis.zadd(key, nowMs, holder);
      await redis.zremrangebyscore(key, '-inf', nowMs - times.silentMsMax);
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
    // What is kept of one shard lies together, so that all projections are one question.
    const ofShard = (shard: number) => projections.map((projection) => buildsKey({ projection, shard, shards }));
    const there = await Promise.all(Array.from({ length: shards }, (_, shard) => redis.exists(ofShard(shard))));
    if (there.some((count) => count > 0)) found.push(shards);
  }
  return found;
}
