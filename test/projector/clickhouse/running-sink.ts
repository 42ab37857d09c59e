// A sink on the embedded engine for the tests, and what is held equal: the finalised values of every table.

import { eventFacts } from '../../../projections/event-facts.rows.js';
import { decodeHidden } from '../../../src/event-log/codec.js';
import { type ChunkLimits, cutLog, type Decode } from '../../../src/projector/clickhouse/chunk/chunk-stream.js';
import { planStream } from '../../../src/projector/clickhouse/chunk/plan-log.js';
import { ClickHouseSink } from '../../../src/projector/clickhouse/clickhouse-sink.js';
import type { Engine } from '../../../src/projector/clickhouse/engine.js';
import { FactTables } from '../../../src/projector/clickhouse/tables/fact-tables.js';
import { digestOf, finalised } from '../../../src/projector/clickhouse/tables/roll-up-check.js';
import { FactsVerifier } from '../../../src/projector/clickhouse/verification/facts-verifier.js';
import { factSource } from '../../../src/service/fact-source.js';
import { history, newEvent } from '../../projections/history.js';
import { MemoryLog } from './memory-log.js';

export const source = factSource;
/** A zone in which some facts of one UTC day are of another. */
export const timeZone = 'Europe/Berlin';

/** A history over the end of a month, in a log. */
export async function logOf(steps: number, seed = 1): Promise<MemoryLog> {
  const log = new MemoryLog();
  const events = history({ seed, people: 10, steps, from: '2026-01-25T00:00:00.000Z', days: 12 });
  for (const [index, event] of events.entries()) await log.append(event.stream, [newEvent(event, index)], 'any');
  return log;
}

export interface Wish {
  readonly build: number;
  readonly limits?: Partial<ChunkLimits>;
  readonly decode?: Decode;
}

export function tablesOf(engine: Engine, build: number): FactTables {
  return new FactTables(engine, source, { sink: 'facts', build, timeZone });
}

export function sinkOf(log: MemoryLog, engine: Engine, { build, limits, decode }: Wish): ClickHouseSink {
  const decoding = decode ?? decodeHidden;
  return new ClickHouseSink({
    log: log as never,
    tables: tablesOf(engine, build),
    source,
    decode: decoding,
    cutLog: (options) => cutLog(log as never, source, decoding, options),
    clock: { now: () => Date.parse('2026-03-01T00:00:00.000Z') },
    limits: { rowsMax: 1_000, bytesMax: 8_000_000, waitMs: 5, ...limits },
    sink: 'facts',
    build,
  });
}

/** Runs a sink until everything in the log now is in the tables; throws what the sink throws. */
export async function catchUp(log: MemoryLog, engine: Engine, wish: Wish): Promise<ClickHouseSink> {
  const sink = sinkOf(log, engine, wish);
  const stop = new AbortController();
  const running = sink.run(stop.signal);
  const head = await log.head();
  await Promise.race([sink.reaches(head, stop.signal), running]);
  stop.abort();
  await running;
  return sink;
}

/**
 * Damage: rows of a table are gone. Its parts are merged first: a mutation of several small parts, or beside a merge, takes
 * the engine a second, of one part hardly any time.
 */
export async function deleteRows(engine: Engine, table: string, where: string): Promise<void> {
  await engine.command(`OPTIMIZE TABLE ${table} FINAL`);
  await engine.command(`ALTER TABLE ${table} DELETE WHERE ${where}`);
}

/** Finalised values of every table, but the chunk's own column, which is about the cut and not about what happened. */
export async function stateOf(engine: Engine, build: number): Promise<Record<string, string>> {
  const tables = tablesOf(engine, build);
  const columns = eventFacts.columns.join(', ');
  const raw = await engine.row<{ digest: string }>(
    `SELECT concat(toString(count()), ':', toString(groupBitXor(sipHash64(formatRow('TSV', ${columns}))))) AS digest FROM ${tables.schema.factTable}`,
  );
  const state: Record<string, string> = { event_facts: raw?.digest ?? '' };
  for (const shape of await tables.rollUps()) {
    state[shape.rollUp.name] = await digestOf(engine, shape, finalised(shape, shape.rollUp.table));
  }
  return state;
}

/** What verification says differs, by table. */
export async function differencesOf(log: MemoryLog, engine: Engine, build: number): Promise<Record<string, number>> {
  const verifier = new FactsVerifier({
    log: log as never,
    tables: tablesOf(engine, build),
    source,
    decode: decodeHidden,
    stream: planStream('facts', build),
  });
  const reports = await verifier.verify();
  return Object.fromEntries(
    reports.filter(({ differences }) => differences > 0).map(({ table, differences }) => [table, differences]),
  );
}
