// What is left of another number of shards. A new number is a new set of keys, built from zero; once it is read, nobody
// reads the old ones any more, and they are cleared.
import { setTimeout as sleep } from 'node:timers/promises';
import { activeKey, buildsKey, shardsMax } from '../../kernel/document-keys.js';
import type { DocumentProjection } from '../../kernel/projection.js';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { shardNames } from '../operation/document-status.js';
import { Builds } from './builds.js';
import { Lease } from './lease.js';

const lookEveryMs = 5_000;

export interface OtherShardsOptions {
  readonly redis: RedisClient;
  readonly projections: readonly Pick<DocumentProjection, 'name'>[];
  /** The number that is built and read. */
  readonly shards: number;
  readonly listener?: { fault?(error: unknown): void };
}

export class OtherShards {
  constructor(private readonly options: OtherShardsOptions) {}

  /** Until nothing is left of them, or the signal aborts. */
  async clear(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (await this.look(signal)) return;
      } catch (error) {
        if (!signal.aborted) this.options.listener?.fault?.(error);
      }
      await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** True when nothing is left. Nothing is touched while this number is not read everywhere, or another is still made. */
  async look(signal?: AbortSignal): Promise<boolean> {
    const { shards } = this.options;
    const own = await Promise.all(this.builds(shards).map((builds) => builds.list()));
    if (own.some(({ active }) => active === undefined)) return false;
    let left = 0;
    for (let other = 1; other <= shardsMax; other += 1) {
      if (other === shards || !(await this.hasKeys(other))) continue;
      if (await this.isMade(other)) left += 1;
      else await this.clearAll(other, signal);
    }
    return left === 0;
  }

  private async hasKeys(shards: number): Promise<boolean> {
    const { redis } = this.options;
    const found = await Promise.all(this.builds(shards).map(({ name }) => redis.exists(buildsKey(name))));
    return found.includes(1);
  }

  /** Some process is set to that number. */
  private async isMade(shards: number): Promise<boolean> {
    const leases = Array.from({ length: shards }, (_, shard) => leaseOf(this.options.redis, shard, shards, ''));
    return (await Promise.all(leases.map((lease) => lease.isHeld()))).includes(true);
  }

  private async clearAll(shards: number, signal: AbortSignal | undefined): Promise<void> {
    for (const builds of this.builds(shards)) {
      const { states } = await builds.list();
      await this.options.redis.del(activeKey(builds.name));
      for (const build of states.keys()) {
        signal?.throwIfAborted();
        await builds.clear(build);
      }
    }
  }

  private builds(shards: number): Builds[] {
    const { redis, projections } = this.options;
    const names = projections.map(({ name }) => name);
    return shardNames(names, shards).map((name) => new Builds(redis, name));
  }
}

/** Of one shard's document projections. */
export function leaseOf(redis: RedisClient, shard: number, shards: number, holder: string): Lease {
  return new Lease(redis, `documents-${shard}-of-${shards}`, holder);
}
