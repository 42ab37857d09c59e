// The builds of the facts as a process runs them, on the embedded engine of the test.
import { decodeHidden } from '../../../src/event-log/codec.js';
import type { EventLog } from '../../../src/event-log/event-log.js';
import { FactsReader } from '../../../src/metrics/facts-reader.js';
import { activeOf, type FactBuilds, readBuilds } from '../../../src/projector/clickhouse/builds/fact-builds.js';
import type { Decode } from '../../../src/projector/clickhouse/chunk/chunk-stream.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { FactsOperations } from '../../../src/projector/clickhouse/facts-operations.js';
import { FactsProjector } from '../../../src/projector/clickhouse/facts-projector.js';
import { clickhouseFacts } from '../../../src/projector/clickhouse/tables/clickhouse-facts.js';
import type { FactsLease } from '../../../src/projector/clickhouse/turn.js';
import type { TestEngine } from './engine.js';
import type { MemoryLog } from './memory-log.js';
import { source } from './running-sink.js';

/** A log in memory, which keeps what the facts need of the contract, or a real one. */
export type TestLog = MemoryLog | EventLog;

export interface Projected {
  readonly facts: FactsProjector;
  readonly faults: readonly unknown[];
  /** The first fault. */
  readonly failed: Promise<unknown>;
}

export interface ProjectorWish {
  readonly engine: Engine;
  readonly timeZone?: string;
  readonly decode?: Decode;
  readonly lease?: FactsLease;
}

export function projectorOf(
  log: TestLog,
  { engine, timeZone = 'UTC', decode = decodeHidden, ...wish }: ProjectorWish,
): Projected {
  const faults: unknown[] = [];
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const fault = (error: unknown): void => {
    faults.push(error);
    fail(error);
  };
  const facts = new FactsProjector({
    log: log as never,
    store: clickhouseFacts(engine, source, timeZone),
    source,
    decode,
    clock: { now: () => Date.parse('2026-05-01T00:00:00.000Z') },
    limits: { rowsMax: 100, bytesMax: 8_000_000, waitMs: 10 },
    timeZone,
    listener: { fault, told: () => undefined },
    ...wish,
  });
  return { facts, faults, failed };
}

export function operationsOf(log: TestLog, engine: Engine, timeZone = 'UTC'): FactsOperations {
  return new FactsOperations({ log: log as never, engine, source, decode: decodeHidden, timeZone, nowMs: () => 0 });
}

export function readerOf(log: TestLog, logId: string, { client }: TestEngine): FactsReader {
  return new FactsReader({
    client,
    sink: 'facts',
    logId,
    now: () => 0,
    head: () => log.head(),
    queryMsMax: 10_000,
    queryBytesMax: 500_000_000,
  });
}

/** Waits for a change of the builds that the test asked for. */
export async function untilBuilds(log: TestLog, wanted: (seen: FactBuilds) => boolean): Promise<void> {
  const stop = new AbortController();
  for await (const _ of log.subscribeAll({ signal: stop.signal })) {
    if (wanted(await readBuilds(log as never, 'facts'))) stop.abort();
  }
}

export async function activated(log: TestLog, build: number): Promise<void> {
  await untilBuilds(log, (seen) => activeOf(seen)?.build === build);
}

export async function reachesState(log: TestLog, build: number, state: string): Promise<void> {
  await untilBuilds(log, ({ builds }) => builds.find((one) => one.build === build)?.state === state);
}

/** Tables of a build that are there. */
export async function tablesLeft(engine: Engine, build: number): Promise<readonly string[]> {
  const rows = await engine.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%\\_v${build}'`,
  );
  return rows.map(({ name }) => name);
}
