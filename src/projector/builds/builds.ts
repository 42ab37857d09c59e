// The builds of one shard of one projection: which of them readers read, which is being made, which is kept for rollback.

import { activeKey, buildPrefix, buildsKey, ownKeys, type ShardName } from '../../kernel/document-keys.js';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { RedisSink } from '../sinks/redis-sink.js';

/**
 * returning: was kept, and is gone back to; given up, it is kept as before. refused: readers must not read it, and it is
 * not thrown away either: it may be the log that is the wrong one.
 */
export const buildStates = ['building', 'returning', 'active', 'kept', 'aborted', 'refused'] as const;
export type BuildState = (typeof buildStates)[number];

/** It catches up and then takes over. */
export function isInTheMaking(state: BuildState | undefined): boolean {
  return state === 'building' || state === 'returning';
}

export interface BuildList {
  readonly active: number | undefined;
  readonly states: ReadonlyMap<number, BuildState>;
}

/**
 * KEYS[1] active, KEYS[2] builds, KEYS[3] checkpoint of the build, KEYS[4] checkpoint of the active one. ARGV[1] the
 * build, ARGV[2] the active one expected ('' for none). The one that was active is kept. Returns 'switched'; 'behind'
 * when readers would go back in time; 'refused' when another one is active, or the build is not being made any more.
 */
const activateScript = `
local active = redis.call('GET', KEYS[1]) or ''
local state = redis.call('HGET', KEYS[2], ARGV[1])
if active ~= ARGV[2] or (state ~= 'building' and state ~= 'returning') then return 'refused' end
if active ~= '' then
  local function place(key)
    local log, digits = string.match(redis.call('GET', key) or '', '^(%S+) (%d+)')
    digits = digits or '0'
    return log, string.rep('0', 20 - #digits) .. digits
  end
  local newLog, newPosition = place(KEYS[3])
  local oldLog, oldPosition = place(KEYS[4])
  if newLog == oldLog and newPosition < oldPosition then return 'behind' end
  redis.call('HSET', KEYS[2], active, 'kept')
end
redis.call('HSET', KEYS[2], ARGV[1], 'active')
redis.call('SET', KEYS[1], ARGV[1])
return 'switched'`;

/**
 * KEYS[1] builds. ARGV[1] the build, then pairs of states: from, to. Returns the new state, '' when there was no such move.
 */
const moveScript = `
local state = redis.call('HGET', KEYS[1], ARGV[1])
for at = 2, #ARGV, 2 do
  if state == ARGV[at] then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[at + 1])
    return ARGV[at + 1]
  end
end
return ''`;

export type Activation = 'switched' | 'behind' | 'refused';

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

  /** Readers read it from now on, if that takes nobody back in time. */
  async activate(build: number, expected: number | undefined): Promise<Activation> {
    const checkpoint = (one: number) => buildPrefix(this.name, one) + ownKeys.checkpoint;
    const keys = [activeKey(this.name), buildsKey(this.name), checkpoint(build), checkpoint(expected ?? build)];
    return (await this.redis.eval(activateScript, 4, ...keys, build, expected ?? '')) as Activation;
  }

  /** No reader reads any build: the one that was active is not whole. */
  async abandonActive(build: number): Promise<void> {
    await this.redis.del(activeKey(this.name));
    await this.mark(build, 'aborted');
  }

  /** As abandonActive, but the build is kept as it is. */
  async refuseActive(build: number): Promise<void> {
    await this.redis.del(activeKey(this.name));
    await this.mark(build, 'refused');
  }

  /** What was refused turns out to be sound. */
  async reinstate(build: number): Promise<void> {
    await this.mark(build, 'active');
    await this.redis.set(activeKey(this.name), String(build));
  }

  /** Not made any further, unless it has taken over by now: a new build will be cleared, one that was kept is kept again. */
  async giveUp(build: number): Promise<void> {
    await this.move(build, { building: 'aborted', returning: 'kept' });
  }

  /** A kept build catches up and takes over again. False: it is not kept any more. */
  async goBackTo(build: number): Promise<boolean> {
    return await this.move(build, { kept: 'returning', returning: 'returning' });
  }

  /** A kept build will be cleared, unless somebody goes back to it by now. */
  async letGo(build: number): Promise<void> {
    await this.move(build, { kept: 'aborted' });
  }

  private async move(build: number, moves: Partial<Readonly<Record<BuildState, BuildState>>>): Promise<boolean> {
    const key = buildsKey(this.name);
    return (await this.redis.eval(moveScript, 1, key, build, ...Object.entries(moves).flat())) !== '';
  }

  async mark(build: number, state: BuildState): Promise<void> {
    await this.redis.hset(buildsKey(this.name), String(build), state);
  }

  /** Removes its keys, then the build. */
  async clear(build: number): Promise<void> {
    await new RedisSink(this.redis, this.name, build).clear();
    await this.redis.hdel(buildsKey(this.name), String(build));
  }
}
