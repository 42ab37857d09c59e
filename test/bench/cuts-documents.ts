// The documents of a log, folded in batches of so many events into an empty Redis: every key that is there afterwards,
// with its value.
import type { LogEvent } from '../../src/event-log/event-log.js';
import { ownKeys } from '../../src/kernel/document-keys.js';
import { RedisBuilds } from '../../src/projector/sinks/redis-builds.js';
import { RedisSink } from '../../src/projector/sinks/redis-sink.js';
import type { RedisStore } from '../../src/stores/redis/open-redis.js';
import { fold } from '../projector/support.js';
import { documentProjections } from '../usual-settings.js';

/**
 * So that the number of events cuts a batch, and no live change is trimmed away. But for the words of one script: more than
 * the product ever sends are no case, so the largest cut is the largest batch that there is.
 */
const unlimited = { bytesMax: Number.MAX_SAFE_INTEGER, changesMax: 10_000_000 };

/** Key → value, as text that is equal for equal values. */
export async function documentsOfCut(
  { client }: RedisStore,
  events: readonly LogEvent[],
  cut: number,
): Promise<ReadonlyMap<string, string>> {
  await client.flushall();
  for (const projection of documentProjections) {
    const name = { projection: projection.name, shard: 0, shards: 1 };
    const sink = new RedisSink(client, name, await new RedisBuilds(client, name).begin());
    const runner = await fold(projection, events, sink, {
      pageSizes: () => cut,
      limits: { ...unlimited, eventsMax: cut },
    });
    if (runner.position !== events.at(-1)?.position) throw new Error(`${projection.name} stands at ${runner.position}`);
  }
  const values = new Map<string, string>();
  for (const key of await client.keys('*')) values.set(key, await textOf(client, key));
  return values;
}

async function textOf(client: RedisStore['client'], key: string): Promise<string> {
  const type = await client.type(key);
  if (type === 'string') {
    const text = (await client.get(key)) ?? '';
    // Its last word is of the commit and of no other.
    return key.endsWith(ownKeys.checkpoint) ? text.replace(/ \w+$/, '') : text;
  }
  if (type === 'hash')
    return JSON.stringify(Object.entries(await client.hgetall(key)).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (type === 'zset') return JSON.stringify(await client.zrange(key, '0', '-1', 'WITHSCORES'));
  if (type === 'stream') return JSON.stringify(await client.xrange(key, '-', '+'));
  throw new Error(`${key} is a ${type}`);
}

/** Keys whose values differ, or that only one side has. */
export function differingKeys(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): string[] {
  return [...new Set([...one.keys(), ...other.keys()])].filter((key) => one.get(key) !== other.get(key));
}
