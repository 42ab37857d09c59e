// The same log cut into small and large chunks gives equal tables: every finalised value, but the chunk's own column. A
// comparison rather than a race; the figures say what a cut costs. Quick: 3,000 events; else 500,000.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Engine } from '../../src/projector/clickhouse/engine.js';
import { openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { history, newEvent } from '../projections/history.js';
import { MemoryLog } from '../projector/clickhouse/memory-log.js';
import { catchUp, differencesOf, stateOf, tablesOf } from '../projector/clickhouse/running-sink.js';
import type { BenchSuite } from './suite.js';

export const benchCuts: BenchSuite = async (options) => {
  const events = options.quick ? 3_000 : 500_000;
  const cuts = options.quick ? [1, 7, 1_000] : [1_000, 50_000];
  const directory = mkdtempSync(join(tmpdir(), 'homing-cuts-'));
  const store = await openClickHouse({ url: undefined, directory });
  const engine = new Engine(store.client);
  const steps = Math.round(events / 1.18);
  const made = history({ seed: 1, people: 200, steps, from: '2026-01-20T00:00:00.000Z', days: 25 });
  const states: string[] = [];
  for (const [index, rowsMax] of cuts.entries()) {
    const log = new MemoryLog();
    log.pageEventsMax = 500;
    log.fill(made.map((event, place) => ({ ...newEvent(event, place), stream: event.stream })));
    const build = index + 1;
    const began = performance.now();
    const limits = { rowsMax, bytesMax: 64 * 1024 * 1024, waitMs: 10 };
    const { counters } = await catchUp(log, engine, { build, limits });
    const seconds = (performance.now() - began) / 1_000;
    states.push(JSON.stringify(await stateOf(engine, build)));
    const differences = await differencesOf(log, engine, build);
    if (Object.keys(differences).length > 0) throw new Error(`chunks of ${rowsMax}: ${JSON.stringify(differences)}`);
    const value = Number((counters.rows / seconds).toPrecision(4));
    const subject = `${counters.chunks} chunks of ${rowsMax} rows`;
    options.print(JSON.stringify({ lane: 'cuts', subject, unit: 'rows/s', value, against: null, ratio: null }));
    if (rowsMax !== cuts.at(-1)) await tablesOf(engine, build).drop();
  }
  if (new Set(states).size !== 1) throw new Error(`the tables depend on the cut:\n${states.join('\n')}`);
  options.note(`${made.length} events: every table equal whether cut into chunks of ${cuts.join(', ')} rows`);
  await store.close();
  rmSync(directory, { recursive: true, force: true });
};
