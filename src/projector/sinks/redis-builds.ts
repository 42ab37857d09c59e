// The builds of one shard in Redis: a hash of their states, and a key that says which one readers read. Every change is
// one script.
import { activeKey, buildPrefix, buildsKey, ownKeys, type ShardName } from '../../kernel/document-keys.js';
import { pipelineReplies } from '../../stores/documents/replies.js';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import type { Activation, BuildList, BuildState, Builds } from '../builds/builds.js';
import { RedisSink } from './redis-sink.js';

/** A field beside the states: the highest number that was ever given. */
const lastField = 'last';

/** KEYS[1] the builds. Returns the number of the new one. */
const beginScript = `
local last = tonumber(redis.call('HGET', KEYS[1], '${lastField}') or 0)
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  last = math.max(last, tonumber(field) or 0)
end
local next = string.format('%d', last + 1)
redis.call('HSET', KEYS[1], '${lastField}', next, next, 'building')
return next`;

/**
 * KEYS[1] active, KEYS[2] builds, KEYS[3] checkpoint of the build, KEYS[4] checkpoint of the active one. ARGV[1] the
 * build, ARGV[2] the active one expected ('' for none). Returns an Activation.
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

/** KEYS[1] active, KEYS[2] builds. ARGV[1] the build, ARGV[2] the state that it leaves, ARGV[3] the next. 1: done. */
const moveScript = `
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
local active = redis.call('GET', KEYS[1])
if ARGV[3] == 'active' then
  if active and active ~= ARGV[1] then return 0 end
  redis.call('SET', KEYS[1], ARGV[1])
elseif active == ARGV[1] then
  redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return 1`;

export class RedisBuilds implements Builds {
  private readonly activeKey: string;
  private readonly key: string;

  constructor(
    private readonly redis: RedisClient,
    readonly name: ShardName,
  ) {
    this.activeKey = activeKey(name);
    this.key = buildsKey(name);
  }

  async list(): Promise<BuildList> {
    const replies = await this.redis.multi().get(this.activeKey).hgetall(this.key).exec();
    const [active, fields] = pipelineReplies(replies) as [string | null, Record<string, string>];
    const states = new Map<number, BuildState>();
    for (const [field, state] of Object.entries(fields)) {
      if (field !== lastField) states.set(Number(field), state as BuildState);
    }
    return { active: active === null ? undefined : Number(active), states };
  }

  async begin(): Promise<number> {
    return Number(await this.redis.eval(beginScript, 1, this.key));
  }

  async activate(build: number, expected: number | undefined): Promise<Activation> {
    const checkpoint = (one: number) => buildPrefix(this.name, one) + ownKeys.checkpoint;
    const keys = [this.activeKey, this.key, checkpoint(build), checkpoint(expected ?? build)];
    return (await this.redis.eval(activateScript, 4, ...keys, build, expected ?? '')) as Activation;
  }

  async move(build: number, from: BuildState, to: BuildState): Promise<boolean> {
    return (await this.redis.eval(moveScript, 2, this.activeKey, this.key, build, from, to)) === 1;
  }

  async clear(build: number): Promise<void> {
    await new RedisSink(this.redis, this.name, build).clear();
    await this.redis.hdel(this.key, String(build));
  }

  async clearAll(): Promise<void> {
    await this.redis.del(this.activeKey);
    for (const build of (await this.list()).states.keys()) await this.clear(build);
    await this.redis.del(this.key);
  }
}
