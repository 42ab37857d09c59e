// The promise of the ClickHouse sink: whatever the chunks were, and whatever died when, the tables are the fold of the log.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventFacts } from '../../../projections/event-facts.rows.js';
import { factColumns } from '../../../projections/fact-row.js';
import { decodeHidden } from '../../../src/event-log/codec.js';
import type { ChunkLimits } from '../../../src/projector/clickhouse/chunk-stream.js';
import { ClickHouseSink } from '../../../src/projector/clickhouse/clickhouse-sink.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { FactTables } from '../../../src/projector/clickhouse/fact-tables.js';
import { digestOf, finalised } from '../../../src/projector/clickhouse/roll-up-check.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import { MemoryLog } from './memory-log.js';

const source = { projection: eventFacts, types: factColumns };
const timeZone = 'Europe/Berlin';
let test: TestEngine;
beforeAll(() => {
  test = testEngine();
});
afterAll(() => test.close());

async function logOf(steps: number, seed = 1): Promise<MemoryLog> {
  const log = new MemoryLog();
  const events = history({ seed, people: 30, steps, from: '2026-01-20T00:00:00.000Z', days: 25 });
  for (const [index, event] of events.entries()) await log.append(event.stream, [newEvent(event, index)], 'any');
  return log;
}

interface Running {
  readonly sink: ClickHouseSink;
  readonly tables: FactTables;
  stop(): Promise<void>;
}

function start(log: MemoryLog, build: number, limits: Partial<ChunkLimits> = {}): Running {
  const tables = new FactTables(new Engine(test.client), source, { sink: 'facts', build, timeZone });
  const sink = new ClickHouseSink({
    log: log as never,
    tables,
    source,
    decode: decodeHidden,
    clock: { now: () => Date.parse('2026-03-01T00:00:00.000Z') },
    limits: { rowsMax: 1_000, bytesMax: 8_000_000, waitMs: 20, ...limits },
    sink: 'facts',
    build,
  });
  const stopped = new AbortController();
  const running = sink.run(stopped.signal);
  return {
    sink,
    tables,
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

function reached(sink: ClickHouseSink, position: bigint): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (sink.position < position) return;
      stop();
      resolve();
    };
    const stop = sink.onProgress(look);
    look();
  });
}

/** Finalised values of every table, but the chunk's own column. */
async function state(tables: FactTables): Promise<Record<string, string>> {
  const columns = eventFacts.columns.join(', ');
  const digests: Record<string, string> = {};
  const raw = await tables.engine.row<{ digest: string }>(
    `SELECT concat(toString(count()), ':', toString(groupBitXor(sipHash64(formatRow('TSV', ${columns}))))) AS digest FROM ${tables.schema.factTable}`,
  );
  digests['event_facts'] = raw?.digest ?? '';
  for (const shape of await tables.rollUps()) {
    digests[shape.rollUp.name] = await digestOf(tables.engine, shape, finalised(shape, shape.rollUp.table));
  }
  return digests;
}

describe('the ClickHouse sink', () => {
  it('gives equal tables however the log is cut', async () => {
    const states: Record<string, string>[] = [];
    for (const [index, rowsMax] of [7, 1_000].entries()) {
      const log = await logOf(1_200);
      const head = await log.head();
      const run = start(log, index + 1, { rowsMax });
      await reached(run.sink, head);
      states.push(await state(run.tables));
      await run.stop();
    }
    expect(states[0]).toEqual(states[1]);
    expect(Number(states[0]?.['event_facts']?.split(':')[0])).toBeGreaterThan(1_200);
  });
});
