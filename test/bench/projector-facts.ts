// The ClickHouse sink against its limit: the same rows, folded already, written in the same format into a bare table, with
// no log, no plan, no views and no check. The engine is the embedded one, in its own process, as the service runs it.

import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { eventFacts } from '../../projections/event-facts.rows.js';
import { factColumns } from '../../projections/fact-row.js';
import { readConfig } from '../../src/config.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog } from '../../src/event-log/event-log.js';
import type { Row } from '../../src/kernel/projection.js';
import { monthOf } from '../../src/projector/clickhouse/chunk/chunk.js';
import type { ChunkLimits } from '../../src/projector/clickhouse/chunk/chunk-stream.js';
import { rowText } from '../../src/projector/clickhouse/chunk/row-text.js';
import { ClickHouseSink } from '../../src/projector/clickhouse/clickhouse-sink.js';
import { Engine } from '../../src/projector/clickhouse/engine.js';
import { FactTables, storedColumns } from '../../src/projector/clickhouse/tables/fact-tables.js';
import { factSource as source } from '../../src/service/fact-source.js';
import { cutInThread } from '../../src/service/fold-thread.js';
import { openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { clock, codecOf, copies, fillLog, type PlainEvent } from './demo-events.js';
import { watchTurns } from './event-loop-watch.js';
import { type BenchOptions, race } from './suite.js';

const rounds = 5;
const rowsPerPiece = 500;
const line = rowText(factColumns);

/** Rows by month. */
type Chunk = ReadonlyMap<number, readonly Row[]>;

/** Nothing but one chunk is held in memory while it is measured: a full heap would slow down whoever allocates more. */
export async function benchFacts(
  directory: string,
  demo: () => Promise<readonly PlainEvent[]>,
  options: BenchOptions,
): Promise<void> {
  const config = readConfig({ HOMING_DATA_DIR: join(directory, 'facts') });
  const { masterKey, eventLog, projector } = config;
  const { clickhouseChunkRowsMax: rowsMax, clickhouseChunkMs: waitMs } = projector;
  const limits = { rowsMax, bytesMax: 32 * 1024 * 1024, waitMs };
  const log = await EmbeddedEventLog.open(eventLog.directory);
  const count = options.quick ? 20_000 : 400_000;
  await fillLog(log, codecOf(log, masterKey), copies(await demo(), count));
  const store = await openClickHouse({ url: undefined, directory: join(directory, 'clickhouse'), queriesMax: 4 });
  const engine = new Engine(store.client);
  let rows = 0;
  for await (const chunk of chunksOf(log, limits)) rows += rowsIn(chunk);
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
    {
      subject: 'bare insert of the same text',
      measure: async () => rows / (await bareInsert(engine, chunksOf(log, limits), build)),
    },
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
  readonly log: EmbeddedEventLog;
  readonly engine: Engine;
  readonly limits: ChunkLimits;
  readonly build: number;
}

/** The whole log through a sink of its own build. */
async function throughSink({ log, engine, limits, build }: SinkRound) {
  const place = { sink: 'facts', build, timeZone: 'UTC' };
  const tables = new FactTables(engine, source, place);
  await tables.create();
  const cutLog = cutInThread(log);
  const sink = new ClickHouseSink({ log, tables, source, decode: decodeHidden, cutLog, clock, limits, ...place });
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

/** Gives the seconds that the inserts took; reading and folding is not in them. */
async function bareInsert(engine: Engine, chunks: AsyncIterable<Chunk>, round: number): Promise<number> {
  await engine.command('DROP TABLE IF EXISTS bare SYNC');
  const { schema } = new FactTables(engine, source, { sink: 'facts', build: 1, timeZone: 'UTC' });
  const [create = ''] = schema.statements;
  await engine.command(create.replace('event_facts_v1', 'bare'));
  let ms = 0;
  let index = 0;
  for await (const chunk of chunks) {
    const began = performance.now();
    for (const [month, some] of chunk) await insertPart(engine, some, index, `${round}:${index}:${month}`);
    ms += performance.now() - began;
    index += 1;
  }
  return ms / 1_000;
}

async function insertPart(engine: Engine, rows: readonly Row[], index: number, token: string): Promise<void> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < rows.length; at += rowsPerPiece) {
    const lines = rows.slice(at, at + rowsPerPiece).map((row) => `${line(row)}\t${index}\n`);
    pieces.push(Buffer.from(lines.join(''), 'utf8'));
    await nextTurn();
  }
  await engine.insertText('bare', storedColumns(source), pieces, token);
}

/** The rows of chunks as large as the sink's. */
async function* chunksOf(log: EventLog, limits: ChunkLimits): AsyncIterable<Chunk> {
  let chunk = new Map<number, Row[]>();
  for await (const page of log.readAll()) {
    for (const event of page) {
      for (const row of eventFacts.on[event.type]?.(decodeHidden(event)) ?? []) {
        const month = monthOf(String(row['occurred_at']));
        const part = chunk.get(month);
        if (part) part.push(row);
        else chunk.set(month, [row]);
      }
    }
    if (rowsIn(chunk) < limits.rowsMax) continue;
    yield chunk;
    chunk = new Map();
  }
  if (chunk.size > 0) yield chunk;
}

function rowsIn(chunk: Chunk): number {
  return [...chunk.values()].reduce((sum, part) => sum + part.length, 0);
}
