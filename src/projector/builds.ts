// The builds of one shard of one projection: which of them readers read, which is being made, which is kept for rollback.

import { activeKey, buildsKey, type ShardName } from '../kernel/document-keys.js';
import type { RedisClient } from './redis-sink.js';

export const buildStates = ['building', 'active', 'kept', 'aborted'] as const;
export type BuildState = (typeof buildStates)[number];

export interface BuildList {
  readonly active: number | undefined;
  readonly states: ReadonlyMap<number, BuildState>;
}

/**
 * KEYS[1] active, KEYS[2] builds. ARGV[1] the build, ARGV[2] the active one expected ('' for none). The one that was
 * active is kept. Returns 1, or 0 when another one is active or the build is not there.
 */
const activateScript = `
local active = redis.call('GET', KEYS[1]) or ''
if active ~= ARGV[2] then return 0 end
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return 0 end
if active ~= '' then redis.call('HSET', KEYS[2], active, 'kept') end
redis.call('HSET', KEYS[2], ARGV[1], 'active')
redis.call('SET', KEYS[1], ARGV[1])
return 1`;

export class Builds {
  constructor(
    private readonly redis: RedisClient,
    readonly name: ShardName,
  ) {}

  async list(): Promise<BuildList> {
    const [active, fields] = await Promise.all([
      this.redis.get(activeKey(this.name)),
      this.redis.hgetall(buildsKey(this.name)),
    ]);
    const states = new Map<number, BuildState>();
    for (const [build, state] of Object.entries(fields)) states.set(Number(build), state as BuildState);
    return { active: active === null ? undefined : Number(active), states };
  }

  /** The number of a new build; two that begin at once get two numbers. */
  async begin(): Promise<number> {
    for (;;) {
      const { states } = await this.list();
      const next = Math.max(0, ...states.keys()) + 1;
      if ((await this.redis.hsetnx(buildsKey(this.name), String(next), 'building')) === 1) return next;
    }
  }

  /** Readers read it from now on. False: another one than `expected` is active. */
  async activate(build: number, expected: number | undefined): Promise<boolean> {
    const keys = [activeKey(this.name), buildsKey(this.name)];
    return (await this.redis.eval(activateScript, 2, ...keys, build, expected ?? '')) === 1;
  }

  /** No reader reads any build: what was active is not whole. */
  async deactivate(): Promise<void> {
    await this.redis.del(activeKey(this.name));
  }

  async mark(build: number, state: BuildState): Promise<void> {
    await this.redis.hset(buildsKey(this.name), String(build), state);
  }

  async forget(build: number): Promise<void> {
    await this.redis.hdel(buildsKey(this.name), String(build));
  }
}
