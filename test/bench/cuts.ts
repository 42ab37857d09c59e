// The same log cut into small and large chunks gives equal read models: every finalised value of every table in ClickHouse,
// but the chunk's own column, and every key in Redis. A comparison rather than a race; the figures say what a cut costs.
// Quick: 3,000 events; else 500,000.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogEvent, NewEvent } from '../../src/event-log/event-log.js';
import { Engine } from '../../src/projector/clickhouse/engine.js';
import { openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { openRedis } from '../../src/stores/redis/open-redis.js';
import { history, newEvent } from '../projections/history.js';
import { asNewEvent, SocialHistory } from '../projections/social-history.js';
import { MemoryLog } from '../projector/clickhouse/memory-log.js';
import { catchUp, differencesOf, stateOf, tablesOf } from '../projector/clickhouse/running-sink.js';
import { differingKeys, documentsOfCut } from './cuts-documents.js';
import type { BenchOptions, BenchSuite } from './suite.js';

const seed = 1;
const pageEventsMax = 500;
const peopleOf = (events: number) => Math.max(60, Math.round(events / 200));

type Placed = NewEvent & { readonly stream: string };

/**
 * Half of it of the town that shops, which has all kinds of facts; half of people who talk, which have all kinds of
 * documents. Both have somewhat more events than steps; the rest is cut off.
 */
function mixed(events: number): readonly Placed[] {
  const half = events / 2;
  const shopping = history({ seed, people: 200, steps: half, from: '2026-01-20T00:00:00.000Z', days: 25 })
    .slice(0, half)
    .map((event, index) => ({ ...newEvent(event, index), stream: event.stream }));
  const talking = new SocialHistory(seed, peopleOf(half), half).events
    .slice(0, half)
    .map((event, index) => ({ ...asNewEvent(event, index), stream: event.stream }));
  if (shopping.length + talking.length !== events) throw new Error('a history is too short');
  return shopping.flatMap((event, index) => [event, talking[index] as Placed]);
}

/** As a log would have them: a thread's messages are told apart by their revision. */
async function logEvents(log: MemoryLog): Promise<readonly LogEvent[]> {
  const revisions = new Map<string, number>();
  const events: LogEvent[] = [];
  for await (const page of log.readAll()) {
    for (const event of page) {
      const revision = revisions.get(event.stream) ?? 0;
      revisions.set(event.stream, revision + 1);
      events.push({ ...event, revision });
    }
  }
  return events;
}

function logOf(events: readonly Placed[]): MemoryLog {
  const log = new MemoryLog();
  log.pageEventsMax = pageEventsMax;
  log.fill(events);
  return log;
}

function figure({ print }: BenchOptions, subject: string, unit: string, value: number): void {
  const rounded = Number(value.toPrecision(4));
  print(JSON.stringify({ lane: 'cuts', subject, unit, value: rounded, against: null, ratio: null }));
}

async function cutTables(events: readonly Placed[], cuts: readonly number[], options: BenchOptions, directory: string) {
  const store = await openClickHouse({ url: undefined, directory });
  const engine = new Engine(store.client);
  const states: string[] = [];
  for (const [index, rowsMax] of cuts.entries()) {
    const log = logOf(events);
    const build = index + 1;
    const began = performance.now();
    const limits = { rowsMax, bytesMax: 64 * 1024 * 1024, waitMs: 10 };
    const { counters } = await catchUp(log, engine, { build, limits });
    const seconds = (performance.now() - began) / 1_000;
    states.push(JSON.stringify(await stateOf(engine, build)));
    const differences = await differencesOf(log, engine, build);
    if (Object.keys(differences).length > 0) throw new Error(`chunks of ${rowsMax}: ${JSON.stringify(differences)}`);
    figure(options, `ClickHouse, ${counters.chunks} chunks of ${rowsMax} rows`, 'rows/s', counters.rows / seconds);
    if (rowsMax !== cuts.at(-1)) await tablesOf(engine, build).drop();
  }
  if (new Set(states).size !== 1) throw new Error(`the tables depend on the cut:\n${states.join('\n')}`);
  await store.close();
}

async function cutDocuments(
  events: readonly Placed[],
  cuts: readonly number[],
  options: BenchOptions,
  directory: string,
) {
  const store = await openRedis({ url: undefined, directory });
  if (store.kind !== 'redis-server') throw new Error('there is no redis-server on PATH');
  const log = await logEvents(logOf(events));
  let first: ReadonlyMap<string, string> | undefined;
  for (const cut of cuts) {
    const began = performance.now();
    const values = await documentsOfCut(store, log, cut);
    const seconds = (performance.now() - began) / 1_000;
    figure(options, `Redis, batches of ${cut} events, ${values.size} keys`, 'events/s', log.length / seconds);
    first ??= values;
    const differing = differingKeys(first, values);
    if (differing.length > 0) {
      const [key = ''] = differing;
      const sides = `${first.get(key)?.slice(0, 500)}\n${values.get(key)?.slice(0, 500)}`;
      throw new Error(`${differing.length} keys depend on the cut, such as ${key}:\n${sides}`);
    }
  }
  await store.close();
}

export const benchCuts: BenchSuite = async (options) => {
  const cuts = options.quick ? [1, 7, 1_000] : [1_000, 50_000];
  const events = mixed(options.quick ? 3_000 : 500_000);
  const directory = mkdtempSync(join(tmpdir(), 'homing-cuts-'));
  await cutDocuments(events, cuts, options, join(directory, 'redis'));
  await cutTables(events, cuts, options, join(directory, 'clickhouse'));
  options.note(`${events.length} events cut into chunks of ${cuts.join(', ')}: every key and every table is equal`);
  rmSync(directory, { recursive: true, force: true });
};
