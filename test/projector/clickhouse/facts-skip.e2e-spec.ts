// Verification believes no plan: an event that the sink passed over is found wherever it stands, between two plans, after the
// last one, or where nothing was planned at all.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../../src/event-log/codec.js';
import type { LogEvent } from '../../../src/event-log/event-log.js';
import type { RecordedEvent } from '../../../src/kernel/message.js';
import { planStream } from '../../../src/projector/clickhouse/chunk/plan-log.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { FactsVerifier } from '../../../src/projector/clickhouse/verification/facts-verifier.js';
import type { TableReport } from '../../../src/projector/clickhouse/verification/findings.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import { MemoryLog } from './memory-log.js';
import { sinkOf, source, tablesOf } from './running-sink.js';

let test: TestEngine;
let engine: Engine;
beforeAll(() => {
  test = testEngine();
  engine = new Engine(test.client);
});
afterAll(() => test.close());

const views = history({ seed: 3, people: 5, steps: 60, from: '2026-01-05T00:00:00.000Z', days: 2 }).filter(
  ({ type }) => type === 'ContentViewed',
);

/** A sink that takes the events at these places for nothing worth a row; it meets the log one event at a time. */
async function sinkThatSkips(build: number, skipped: readonly number[]): Promise<MemoryLog> {
  const log = new MemoryLog();
  const blind = (event: LogEvent): RecordedEvent => {
    const decoded = decodeHidden(event);
    return skipped.some((index) => newEvent(views[index] as never, index).id === event.id)
      ? { ...decoded, type: 'NothingOfInterest' }
      : decoded;
  };
  const sink = sinkOf(log, engine, { build, decode: blind, limits: { waitMs: 1 } });
  const stop = new AbortController();
  const running = sink.run(stop.signal);
  for (let index = 0; index < 4; index += 1) {
    await log.append('observations-01', [newEvent(views[index] as never, index)], 'any');
    await Promise.race([sink.reaches(await log.head(), stop.signal), running]);
  }
  stop.abort();
  await running;
  const position = await log.head();
  await tablesOf(engine, build).saveProgress({ logId: await log.id(), position, completeUpToMs: 0, planRevision: -1 });
  return log;
}

async function factsOf(log: MemoryLog, build: number, decode = decodeHidden): Promise<TableReport | undefined> {
  const from = { log: log as never, source, decode, stream: planStream('facts', build) };
  const [facts] = await new FactsVerifier({ ...from, tables: tablesOf(engine, build) }).verify();
  return facts;
}

describe('an event that the sink passed over', () => {
  it.each([
    ['between two plans', 1, [1]],
    ['after the last plan', 2, [3]],
    ['before the first plan', 3, [0]],
    ['where nothing was planned', 4, [0, 1, 2, 3]],
  ])('%s is found', async (_, build, skipped) => {
    const log = await sinkThatSkips(build, skipped);
    const report = await factsOf(log, build);
    expect(report?.differences).toBe(skipped.length);
    expect(report?.told[0]).toMatchObject({
      at: expect.stringContaining('ContentViewed observations-01@'),
      expected: '1 rows',
      found: 'no plan',
    });
  });

  it('and that cannot be read is found too: it was not even parked', async () => {
    const log = await sinkThatSkips(5, [1]);
    const bad = newEvent(views[1] as never, 1).id;
    const report = await factsOf(log, 5, (event) => {
      if (event.id === bad) throw new Error('cannot be read');
      return decodeHidden(event);
    });
    expect(report?.told).toEqual([
      expect.objectContaining({ expected: 'rows, or parked: cannot be read', found: 'no plan' }),
    ]);
  });

  it('is no difference where the event makes no rows', async () => {
    const report = await factsOf(await sinkThatSkips(6, []), 6);
    expect(report).toMatchObject({ compared: 4, differences: 0 });
  });
});
