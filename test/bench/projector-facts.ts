// The ClickHouse sink against its limit: the same rows, folded already, written in the same format into a bare table, with
// no log, no plan, no views and no check. The engine is the embedded one, in its own process, as the service runs it.
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventFacts } from '../../projections/event-facts.rows.js';
import { factColumns } from '../../projections/fact-row.js';
import { readConfig } from '../../src/config.js';
import { eventCatalog } from '../../src/domain/catalog.js';
import { decodeHidden, EventCodec, personalTable } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog } from '../../src/event-log/event-log.js';
import { Keyring } from '../../src/event-log/keyring.js';
import type { Row } from '../../src/kernel/projection.js';
import { monthOf } from '../../src/projector/clickhouse/chunk/chunk.js';
import type { ChunkLimits } from '../../src/projector/clickhouse/chunk/chunk-stream.js';
import { rowText } from '../../src/projector/clickhouse/chunk/row-text.js';
import { ClickHouseSink } from '../../src/projector/clickhouse/clickhouse-sink.js';
import { Engine } from '../../src/projector/clickhouse/engine.js';
import { FactTables, storedColumns } from '../../src/projector/clickhouse/tables/fact-tables.js';
import { openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { copies, fillLog, type PlainEvent } from './demo-events.js';
import { watchTurns } from './event-loop-watch.js';
import { type BenchOptions, race } from './suite.js';

const source = { projection: eventFacts, types: factColumns };
const clock = { now: () => Date.parse('2026-01-01T00:00:00.000Z') };
const rounds = 5;
const rowsPerPiece = 500;
const line = rowText(factColumns);

type Chunks = readonly ReadonlyMap<number, readonly Row[]>[];

export async function benchFacts(
  directory: string,
  events: readonly PlainEvent[],
  options: BenchOptions,
): Promise<void> {
  const config = readConfig({ HOMING_DATA_DIR: join(directory, 'facts') });
  const { masterKey, eventLog, projector } = config;
  const limits = { rowsMax: projector.clickhouseChunkRowsMax, bytesMax: 32 * 1024 * 1024, waitMs: 20 };
  const log = await EmbeddedEventLog.open(eventLog.directory);
  const codec = new EventCodec(new Keyring({ log, masterKey, clock }), personalTable(eventCatalog));
  const count = options.quick ? 20_000 : events.length;
  await fillLog(log, codec, copies(events, count));
  const store = await openClickHouse({ url: undefined, directory: join(directory, 'clickhouse'), queriesMax: 4 });
  const engine = new Engine(store.client);
  const chunks = await chunksOf(log, limits);
  const rows = rowsIn(chunks);
  const longest = { ms: 0, workMs: 0 };
  let build = 0;
  const sink = async (): Promise<number> => {
    build += 1;
    const { seconds, turn } = await throughSink({ log, engine, limits, build });
    longest.ms = Math.max(longest.ms, turn.ms);
    longest.workMs = Math.max(longest.workMs, turn.workMs ?? 0);
    return rows / seconds;
  };
  options.note(`${count} events, ${rows} rows, chunks of ${limits.rowsMax}`);
  const contenders = [
    { subject: 'facts sink: log, plan, six views, check', measure: sink },
    { subject: 'bare insert of the same text', measure: async () => rows / (await bareInsert(engine, chunks, build)) },
  ];
  await race(
    { lane: 'facts into ClickHouse', unit: 'rows/s', contenders, rounds: options.quick ? 1 : rounds },
    options,
  );
  options.note(`longest turn of the sink's event loop: ${Math.round(longest.workMs)} ms at work itself`);
  options.note(`(a timer came at most ${Math.round(longest.ms)} ms late, waiting for a processor included)`);
  await store.close();
  await log.close();
}

interface SinkRound {
  readonly log: EventLog;
  readonly engine: Engine;
  readonly limits: ChunkLimits;
  readonly build: number;
}

/** The whole log through a sink of its own build. */
async function throughSink({ log, engine, limits, build }: SinkRound) {
  const place = { sink: 'facts', build, timeZone: 'UTC' };
  const tables = new FactTables(engine, source, place);
  await tables.create();
  const sink = new ClickHouseSink({ log, tables, source, decode: decodeHidden, clock, limits, ...place });
  const stop = new AbortController();
  const head = await log.head();
  const watch = watchTurns();
  const began = performance.now();
  const running = sink.run(stop.signal);
  await Promise.race([sink.reaches(head, stop.signal), running]);
  const seconds = (performance.now() - began) / 1_000;
  const turn = watch.stop();
  stop.abort();
  await running;
  await tables.drop();
  return { seconds, turn };
}

/** Gives seconds. */
async function bareInsert(engine: Engine, chunks: Chunks, round: number): Promise<number> {
  await engine.command('DROP TABLE IF EXISTS bare SYNC');
  const { schema } = new FactTables(engine, source, { sink: 'facts', build: 1, timeZone: 'UTC' });
  const [create = ''] = schema.statements;
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
      await engine.insertText('bare', storedColumns(source), pieces, `${round}:${index}:${month}`);
    }
  }
  return (performance.now() - began) / 1_000;
}

/** The rows of chunks as large as the sink's, by month. */
async function chunksOf(log: EventLog, limits: ChunkLimits): Promise<Chunks> {
  const chunks: Map<number, Row[]>[] = [new Map()];
  let inChunk = 0;
  for await (const page of log.readAll()) {
    for (const event of page) {
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
  }
  return chunks;
}

function rowsIn(chunks: Chunks): number {
  return chunks.flatMap((chunk) => [...chunk.values()]).reduce((sum, part) => sum + part.length, 0);
}
