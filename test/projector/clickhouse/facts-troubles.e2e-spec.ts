// What the builds of the facts come to when something goes wrong: a loss, a log that cannot be written to, other changes at the
// same moment, a new build that is not the fold of the log.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { decodeHidden } from '../../../src/event-log/codec.js';
import { type LogEvent, LogUnavailable, WrongExpectedRevision } from '../../../src/event-log/event-log.js';
import { activeOf, dropEvent, readBuilds } from '../../../src/projector/clickhouse/builds/fact-builds.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { FactsWatch } from '../../../src/projector/clickhouse/facts-watch.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import { MemoryLog } from './memory-log.js';
import {
  activated,
  operationsOf,
  projectorOf,
  reachesState,
  readerOf,
  tablesLeft,
  untilBuilds,
} from './running-facts.js';
import { tablesOf } from './running-sink.js';

let test: TestEngine;
let engine: Engine;
let log: MemoryLog;
beforeEach(async () => {
  test = testEngine();
  engine = new Engine(test.client);
  log = new MemoryLog();
  const events = history({ seed: 9, people: 10, steps: 150, from: '2026-03-25T00:00:00.000Z', days: 12 });
  for (const [index, event] of events.entries()) await log.append(event.stream, [newEvent(event, index)], 'any');
});
afterEach(() => test.close());

const restart = async (): Promise<void> => {
  const { facts } = projectorOf(log, { engine });
  facts.start();
  await activated(log, 1);
  await readerOf(log, await log.id(), test).waitFor(await log.head(), 30_000);
  await facts.close();
};

describe('facts that were lost', () => {
  it('are made anew, though the log cannot be written to at first and the builds change meanwhile', async () => {
    await restart();
    await engine.command(`ALTER TABLE sink_progress DELETE WHERE 1`);
    let refused = 0;
    log.beforeAppend = (stream) => {
      if (stream !== 'sink-facts' || refused === 4) return;
      refused += 1;
      if (refused <= 2) throw new LogUnavailable('away');
      throw new WrongExpectedRevision(stream, 0, 1);
    };
    const { facts } = projectorOf(log, { engine });
    facts.start();
    await activated(log, 2);
    const head = await log.head();
    expect(await readerOf(log, await log.id(), test).waitFor(head, 30_000)).toMatchObject({ build: 2 });
    await facts.close();
    expect(refused).toBe(4);
  });
});

it('what a process that was away makes again of a dropped build is dropped again', async () => {
  const { facts } = projectorOf(log, { engine });
  facts.start();
  const operations = operationsOf(log, engine);
  await activated(log, 1);
  for (const build of [2, 3]) {
    await operations.rebuild();
    await activated(log, build);
  }
  await reachesState(log, 1, 'dropped');
  await tablesOf(engine, 1).create();
  await operations.rebuild();
  await reachesState(log, 2, 'dropped');
  expect([await tablesLeft(engine, 1), await tablesLeft(engine, 2)]).toEqual([[], []]);
  await facts.close();
});

describe('a new build that is not the fold of the log', () => {
  /** A sink that reads one event as something else: its rows are missing. */
  const decode = (event: LogEvent) => {
    const decoded = decodeHidden(event);
    return event.position === wrong ? { ...decoded, type: 'NothingOfInterest' } : decoded;
  };
  let wrong = 0n;

  async function healthOf(): Promise<object> {
    const operations = operationsOf(log, engine);
    return await new FactsWatch(new Registry(), () => undefined, { operations, head: () => log.head() }).check(0);
  }

  it('never reaches readers and is not made again and again; a person is told, and asks for another one', async () => {
    await restart();
    wrong = log.events.find(({ type }) => type === 'ContentViewed')?.position ?? 0n;
    const first = projectorOf(log, { engine, decode });
    first.facts.start();
    await operationsOf(log, engine).rebuild();
    await reachesState(log, 2, 'aborted');
    await first.facts.close();
    expect(String(await first.failed)).toMatch(/build 2 differs from the build that is read in the rows of 2026/);
    expect(await healthOf()).toMatchObject({ status: 'degraded', detail: expect.stringMatching(/build 2 differs/) });
    const second = projectorOf(log, { engine });
    second.facts.start();
    await reachesState(log, 2, 'dropped');
    expect((await readBuilds(log as never, 'facts')).builds).toHaveLength(2);
    expect(activeOf(await readBuilds(log as never, 'facts'))).toMatchObject({ build: 1 });
    expect(await operationsOf(log, engine).rebuild()).toBe(3);
    await activated(log, 3);
    await second.facts.close();
    expect(second.faults).toEqual([]);
    expect(await healthOf()).toMatchObject({ status: 'up' });
  });
});

describe('an operator', () => {
  it('gives up a build and goes back to one, whoever changes the builds at the same time', async () => {
    await restart();
    const operations = operationsOf(log, engine);
    const build = await operations.rebuild();
    let meddled = 0;
    const meddle = (): void => {
      log.beforeAppend = (stream) => {
        if (stream !== 'sink-facts') return;
        log.beforeAppend = () => undefined;
        meddled += 1;
        throw new WrongExpectedRevision(stream, 0, 1);
      };
    };
    meddle();
    await operations.abort();
    const after = await readBuilds(log as never, 'facts');
    expect(after.builds.find((one) => one.build === build)?.state).toBe('aborted');
    const next = projectorOf(log, { engine });
    next.facts.start();
    await operations.rebuild();
    await activated(log, 3);
    meddle();
    expect(await operations.rollback()).toBe(1);
    await untilBuilds(log, (seen) => activeOf(seen)?.build === 1);
    await next.facts.close();
    expect(meddled).toBe(2);
    expect(await dropEvent(log as never, 'facts', after, { position: '1', reason: 'too late' })).toBe(false);
  });
});

describe('health', () => {
  it('finds the build that is read stuck, though a new one beside it moves', async () => {
    let moving = 10n;
    const status = {
      projection: 'facts',
      shard: 0,
      parkedKeys: 0,
      deadLetters: 0,
      events: 1,
      capped: false,
      seconds: 1,
    };
    const operations = {
      builds: async () => [
        { ...status, build: 1, state: 'active' as const, position: 5n },
        { ...status, build: 2, state: 'building' as const, position: moving },
      ],
      refusal: async () => undefined,
    };
    const watch = new FactsWatch(new Registry(), () => undefined, { operations, head: async () => 100n });
    expect(await watch.check(0)).toMatchObject({ status: 'up' });
    moving = 20n;
    expect(await watch.check(61_000)).toMatchObject({ status: 'down', detail: expect.stringMatching(/has not moved/) });
  });

  it('figures tell the lag and how far a rebuild has come', async () => {
    await restart();
    const build = await operationsOf(log, engine).rebuild();
    const registry = new Registry();
    const operations = operationsOf(log, engine);
    const watch = new FactsWatch(registry, () => undefined, { operations, head: () => log.head() });
    watch.sunk(build, 70);
    const text = await registry.metrics();
    expect(text).toMatch(/homing_facts_lag_events\{build="1",state="active"\} [01]\n/);
    expect(text).toMatch(
      new RegExp(`homing_facts_lag_events\\{build="${build}",state="building"\\} ${log.events.length}\n`),
    );
    expect(text).toMatch(new RegExp(`homing_facts_progress\\{build="${build}",state="building"\\} 0\n`));
    expect(text).toMatch(/homing_facts_chunk_rows_bucket\{le="100",build="2"\} 1\n/);
  });
});
