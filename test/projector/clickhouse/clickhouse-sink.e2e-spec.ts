// The promise of the ClickHouse sink: whatever the chunks were, whoever else is at it, and whatever died when, the tables
// are the fold of the log, each event once.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LogEvent, LogUnavailable } from '../../../src/event-log/event-log.js';
import { allPlans, planStream } from '../../../src/projector/clickhouse/chunk/plan-log.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import type { MemoryLog } from './memory-log.js';
import { catchUp, deleteRows, differencesOf, logOf, sinkOf, stateOf, tablesOf } from './running-sink.js';

let test: TestEngine;
let engine: Engine;
let builds = 0;
beforeAll(() => {
  test = testEngine();
  engine = new Engine(test.client);
});
afterAll(() => test.close());

function nextBuild(): number {
  builds += 1;
  return builds;
}

/** One write of a repair in so many is cut off in one run. */
const repairStride = 4;

class Crash extends Error {}

/** Dies before or after the n-th thing it does to ClickHouse, and does nothing more. */
class MortalEngine extends Engine {
  private calls = 0;
  private dead = false;

  constructor(
    private readonly dies: {
      readonly at: number;
      readonly when: 'before' | 'after';
      /** Of a repair: deletes, remade tables and the exchange of partitions are steps, reads are not. */
      readonly repairs?: true;
    },
  ) {
    super(test.client);
  }

  override command(query: string): Promise<void> {
    const counts = this.dies.repairs && (/^(?:ALTER|DROP)/.test(query) || query.includes('_remade_'));
    return counts ? this.step(() => super.command(query)) : super.command(query);
  }

  override insertText(...args: Parameters<Engine['insertText']>): Promise<void> {
    return this.step(() => super.insertText(...args));
  }
  override insertSelect(...args: Parameters<Engine['insertSelect']>): Promise<void> {
    return this.step(() => super.insertSelect(...args));
  }
  override rows<Row>(query: string): Promise<Row[]> {
    return this.dies.repairs ? super.rows<Row>(query) : this.step(() => super.rows<Row>(query));
  }

  get survived(): boolean {
    return !this.dead;
  }

  private async step<Value>(work: () => Promise<Value>): Promise<Value> {
    if (this.dead) throw new Crash('it is dead already');
    this.calls += 1;
    const isLast = this.calls === this.dies.at;
    if (isLast && this.dies.when === 'before') this.die();
    const value = await work();
    if (isLast) this.die();
    return value;
  }

  private die(): never {
    this.dead = true;
    throw new Crash(`died ${this.dies.when} call ${this.dies.at}`);
  }
}

async function plansOf(log: MemoryLog, build: number): Promise<number> {
  let plans = 0;
  for await (const _ of allPlans(log as never, planStream('facts', build))) plans += 1;
  return plans;
}

describe('the ClickHouse sink', () => {
  it('gives equal tables however the log is cut', async () => {
    const states: Record<string, string>[] = [];
    for (const rowsMax of [1, 7, 1_000]) {
      const build = nextBuild();
      const log = await logOf(60);
      await catchUp(log, engine, { build, limits: { rowsMax } });
      expect(await plansOf(log, build)).toBeGreaterThan(60 / rowsMax);
      states.push(await stateOf(engine, build));
      expect(await differencesOf(log, engine, build)).toEqual({});
    }
    expect(states[0]).toEqual(states[1]);
    expect(states[1]).toEqual(states[2]);
    expect(Number(states[0]?.['event_facts']?.split(':')[0])).toBeGreaterThan(60);
  });

  it.each(['before', 'after'] as const)('survives a crash just %s any step', async (when) => {
    const clean = nextBuild();
    const { counters } = await catchUp(await logOf(60, 2), engine, { build: clean });
    const wanted = await stateOf(engine, clean);
    await tablesOf(engine, clean).drop();
    // Two chunks: every step of the first, and every step of one that follows another.
    const limits = { rowsMax: Math.ceil(counters.rows / 2) };
    let crashes = 0;
    for (let at = 1; ; at += 1) {
      const build = nextBuild();
      const log = await logOf(60, 2);
      const mortal = new MortalEngine({ at, when });
      const died = await catchUp(log, mortal, { build, limits }).then(
        () => false,
        (error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          return true;
        },
      );
      if (mortal.survived) break;
      // The mark that is written in quiet moments may fail without anybody dying of it.
      if (died) crashes += 1;
      await catchUp(log, engine, { build, limits });
      expect({ at, ...(await stateOf(engine, build)) }).toEqual({ at, ...wanted });
      // Many builds side by side make the engine slow.
      await tablesOf(engine, build).drop();
    }
    expect(crashes).toBeGreaterThan(5);
  });

  it('a repair survives a crash before any of its writes', async () => {
    // A repair takes seconds, so a run tries every fourth of its writes; with which it begins is drawn.
    const first = Number(process.env['CRASH_SEED'] ?? Date.now()) % repairStride;
    console.info(`crashes of a repair: CRASH_SEED=${first}`);
    const build = nextBuild();
    const log = await logOf(40, 7);
    const view = log.events.find(({ type }) => type === 'ContentViewed');
    const facts = `event_facts_v${build}`;
    let deaths = 0;
    for (let at = 1 + first; ; at += repairStride) {
      await log.append('observations-01', [{ ...(view as LogEvent), id: crypto.randomUUID() }], 'any');
      await catchUp(log, engine, { build, limits: { rowsMax: 30 } });
      const wanted = await stateOf(engine, build);
      await deleteRows(engine, facts, `chunk IN (SELECT DISTINCT chunk FROM ${facts} ORDER BY chunk DESC LIMIT 2)`);
      const mortal = new MortalEngine({ at, when: 'before', repairs: true });
      await catchUp(log, mortal, { build }).catch((error: unknown) => {
        if (!(error instanceof Crash)) throw error;
        deaths += 1;
      });
      if (mortal.survived) break;
      await catchUp(log, engine, { build });
      expect({ at, ...(await stateOf(engine, build)) }).toEqual({ at, ...wanted });
    }
    expect(deaths).toBeGreaterThanOrEqual(3);
    expect(await differencesOf(log, engine, build)).toEqual({});
  }, 240_000);

  it('survives a log that takes the plan and loses the answer', async () => {
    const build = nextBuild();
    const log = await logOf(60, 3);
    let lost = 0;
    const append = log.append.bind(log);
    log.append = async (stream, events, expected) => {
      const result = await append(stream, events, expected);
      if (stream.startsWith('sink-') && lost < 2) {
        lost += 1;
        throw new LogUnavailable('the answer was lost');
      }
      return result;
    };
    for (;;) {
      const again = await catchUp(log, engine, { build, limits: { rowsMax: 40 } }).catch((error: unknown) => {
        if (!(error instanceof LogUnavailable)) throw error;
        return undefined;
      });
      if (again) break;
    }
    expect(lost).toBe(2);
    expect(await differencesOf(log, engine, build)).toEqual({});
  });

  it('two owners of one build count every event once', async () => {
    const build = nextBuild();
    const log = await logOf(150, 4);
    const stop = new AbortController();
    const sinks = [1, 2].map(() => sinkOf(log, engine, { build, limits: { rowsMax: 20 } }));
    const running = sinks.map((sink) => sink.run(stop.signal));
    const head = await log.head();
    await Promise.race([Promise.race(sinks.map((sink) => sink.reaches(head, stop.signal))), ...running]);
    stop.abort();
    await Promise.all(running);
    expect(await differencesOf(log, engine, build)).toEqual({});
  });

  it('an owner that begins while another one goes on takes the new plan for no loss', async () => {
    const build = nextBuild();
    const [log, { events }] = [await logOf(120, 6), await logOf(40, 7)];
    await catchUp(log, engine, { build });
    let isFirst = true;
    class Slow extends Engine {
      /** While its first look at the mark is on the way back, the other one counts what has come. */
      override async row<Row>(query: string): Promise<Row | undefined> {
        const found = await super.row<Row>(query);
        if (!isFirst || !query.includes('sink_progress')) return found;
        isFirst = false;
        for (const event of events) await log.append(event.stream, [{ ...event, id: randomUUID() }], 'any');
        await catchUp(log, engine, { build, limits: { rowsMax: 10 } });
        return found;
      }
    }
    await catchUp(log, new Slow(test.client), { build });
    expect(isFirst).toBe(false);
    expect(await differencesOf(log, engine, build)).toEqual({});
  });

  it('writes nothing while nothing happens, and is prompt when something does', async () => {
    const build = nextBuild();
    const log = await logOf(20, 5);
    const sink = sinkOf(log, engine, { build });
    const stop = new AbortController();
    const running = sink.run(stop.signal);
    await sink.reaches(await log.head(), stop.signal);
    await sink.reaches(await log.head(), stop.signal);
    const quiet = { plans: await plansOf(log, build), head: await log.head() };
    // Several turns of its timers.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect({ plans: await plansOf(log, build), head: await log.head() }).toEqual(quiet);
    const [event] = (await logOf(1, 6)).events;
    await log.append(
      'observations-01',
      [{ ...(event as never as ReturnType<typeof newEvent>), id: crypto.randomUUID() }],
      'any',
    );
    await sink.reaches(await log.head(), stop.signal);
    expect(await plansOf(log, build)).toBe(quiet.plans + 1);
    stop.abort();
    await running;
  });
});
