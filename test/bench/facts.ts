// The ClickHouse sink against its limit: the same rows, folded already, written in the same format into a bare table, with
// no log, no plan, no views and no check. The engine is the embedded one, in its own process, as the service runs it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventFacts } from '../../projections/event-facts.rows.js';
import { factColumns } from '../../projections/fact-row.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { Row } from '../../src/kernel/projection.js';
import { monthOf } from '../../src/projector/clickhouse/chunk/chunk.js';
import type { ChunkLimits } from '../../src/projector/clickhouse/chunk/chunk-stream.js';
import { rowText } from '../../src/projector/clickhouse/chunk/row-text.js';
import { ClickHouseSink } from '../../src/projector/clickhouse/clickhouse-sink.js';
import { Engine } from '../../src/projector/clickhouse/engine.js';
import { FactTables, storedColumns } from '../../src/projector/clickhouse/tables/fact-tables.js';
import { openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { history, newEvent } from '../projections/history.js';
import { MemoryLog } from '../projector/clickhouse/memory-log.js';
import { type BenchSuite, race } from './suite.js';

const source = { projection: eventFacts, types: factColumns };
const rounds = 5;
const rowsPerPiece = 500;
const line = rowText(factColumns);

async function filledLog(events: number): Promise<MemoryLog> {
  const log = new MemoryLog();
  log.pageEventsMax = 500;
  const size = { seed: 1, people: 500, steps: Math.round(events / 1.18), from: '2026-01-05T00:00:00.000Z', days: 20 };
  log.fill(history(size).map((event, index) => ({ ...newEvent(event, index), stream: event.stream })));
  return log;
}

export const benchFacts: BenchSuite = async (options) => {
  const events = options.quick ? 20_000 : 100_000;
  const limits: ChunkLimits = { rowsMax: options.quick ? 10_000 : 20_000, bytesMax: 32 * 1024 * 1024, waitMs: 20 };
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-facts-'));
  const store = await openClickHouse({ url: undefined, directory, queriesMax: 4 });
  const engine = new Engine(store.client);
  const log = await filledLog(events);
  const chunks = chunksOf(log, limits);
  const rows = chunks.reduce(
    (sum, chunk) => sum + [...chunk.values()].reduce((more, part) => more + part.length, 0),
    0,
  );
  let build = 0;
  let stallMs = 0;

  const sink = async (): Promise<number> => {
    build += 1;
    const place = { sink: 'facts', build, timeZone: 'UTC' };
    const tables = new FactTables(engine, source, place);
    await tables.create();
    const one = new ClickHouseSink({
      log: log as never,
      tables,
      source,
      decode: decodeHidden,
      clock: { now: () => 0 },
      limits,
      ...place,
    });
    const stop = new AbortController();
    const head = await log.head();
    const watch = watchStalls();
    const began = performance.now();
    const running = one.run(stop.signal);
    await Promise.race([one.reaches(head, stop.signal), running]);
    const seconds = (performance.now() - began) / 1_000;
    stallMs = Math.max(stallMs, watch.stop());
    stop.abort();
    await running;
    await tables.drop();
    return rows / seconds;
  };

  const bare = async (): Promise<number> => {
    await engine.command('DROP TABLE IF EXISTS bare SYNC');
    const [create = ''] = new FactTables(engine, source, { sink: 'facts', build: 1, timeZone: 'UTC' }).schema
      .statements;
    await engine.command(create.replace('event_facts_v1', 'bare'));
    const began = performance.now();
    for (const [index, chunk] of chunks.entries()) {
      for (const [month, some] of chunk) {
        const pieces: Buffer[] = [];
        for (let at = 0; at < some.length; at += rowsPerPiece) {
          const lines = some.slice(at, at + rowsPerPiece).map((row) => `${line(row)}\t${index}\n`);
          pieces.push(Buffer.from(lines.join(''), 'utf8'));
          await nextTurn();
        }
        await engine.insertText('bare', storedColumns(source), pieces, `${build}:${index}:${month}`);
      }
    }
    return rows / ((performance.now() - began) / 1_000);
  };

  options.note(`${events} events, ${rows} rows, chunks of ${limits.rowsMax}`);
  const contenders = [
    { subject: 'facts sink: log, plan, six views, check', measure: sink },
    { subject: 'bare insert of the same text', measure: bare },
  ];
  await race(
    { lane: 'facts into ClickHouse', unit: 'rows/s', contenders, rounds: options.quick ? 1 : rounds },
    options,
  );
  options.note(`longest turn of the sink's event loop: ${stallMs.toFixed(0)} ms`);
  await store.close();
  rmSync(directory, { recursive: true, force: true });
};

/** The rows of chunks as large as the sink's, by month. */
function chunksOf(log: MemoryLog, limits: ChunkLimits): ReadonlyMap<number, Row[]>[] {
  const chunks: Map<number, Row[]>[] = [new Map()];
  let inChunk = 0;
  for (const event of log.events) {
    const rows = eventFacts.on[event.type]?.(decodeHidden(event)) ?? [];
    for (const row of rows) {
      const month = monthOf(String(row['occurred_at']));
      const part = chunks.at(-1)?.get(month);
      if (part) part.push(row);
      else chunks.at(-1)?.set(month, [row]);
    }
    inChunk += rows.length;
    if (inChunk < limits.rowsMax) continue;
    chunks.push(new Map());
    inChunk = 0;
  }
  return chunks;
}

/** The longest time that a timer of 5 ms came late. */
function watchStalls(): { stop(): number } {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 5);
    last = now;
  }, 5);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
}
