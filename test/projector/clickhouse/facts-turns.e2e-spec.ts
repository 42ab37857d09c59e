// Several processes that could fill the facts: one does, the others cost next to nothing; one that dies is replaced, and a
// Redis that is away keeps nobody from work.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import type { FactsLease } from '../../../src/projector/clickhouse/turn.js';
import { RedisLease } from '../../../src/projector/sinks/redis-lease.js';
import { openRedis, type RedisStore } from '../../../src/stores/redis/open-redis.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import { MemoryLog } from './memory-log.js';
import { type Projected, projectorOf, readerOf } from './running-facts.js';
import { differencesOf, sinkOf } from './running-sink.js';

const events = history({ seed: 12, people: 10, steps: 200, from: '2026-03-25T00:00:00.000Z', days: 12 });

let test: TestEngine;
let store: RedisStore;
let log: MemoryLog;
let fed: number;
const directory = mkdtempSync(join(tmpdir(), 'homing-turns-'));
beforeEach(async () => {
  test = testEngine();
  store = await openRedis({ url: undefined, directory, binary: 'redis-server' });
  log = new MemoryLog();
  fed = 0;
});
afterEach(async () => {
  await store.close();
  await test.close();
  rmSync(directory, { recursive: true, force: true });
});

async function feed(count: number): Promise<void> {
  for (const event of events.slice(fed, fed + count)) {
    await log.append(event.stream, [newEvent(event, fed)], 'any');
    fed += 1;
  }
}

async function settled(): Promise<void> {
  await readerOf(log, await log.id(), test).waitFor(await log.head(), 60_000);
}

/** A process; the questions that it asks of ClickHouse are counted. */
function processOf(lease: FactsLease): Projected & { readonly asked: () => number } {
  let asked = 0;
  class CountingEngine extends Engine {
    override rows<Row>(query: string): Promise<Row[]> {
      asked += 1;
      return super.rows<Row>(query);
    }
  }
  const projected = projectorOf(log, { engine: new CountingEngine(test.client), timeZone: 'Europe/Berlin', lease });
  projected.facts.start();
  return { ...projected, asked: () => asked };
}

describe('several processes with one lease', () => {
  it('one works and the other one looks on; when the first dies, the second takes over', async () => {
    const held = new RedisLease(store.client, 'facts', 'a');
    // It dies: it never gives back what it holds.
    const first = processOf({ hold: () => held.hold(), release: async () => undefined });
    await feed(60);
    await settled();
    const second = processOf(new RedisLease(store.client, 'facts', 'b'));
    await feed(60);
    await settled();
    expect(second.asked()).toBe(0);
    await first.facts.close();
    const diedMs = performance.now();
    await feed(60);
    await settled();
    console.info(`who filled the facts was replaced in ${Math.round(performance.now() - diedMs)} ms`);
    expect(second.facts.counters().size).toBe(1);
    await second.facts.close();
    expect(await differencesOf(log, new Engine(test.client), 1)).toEqual({});
  });

  it('work goes on while Redis cannot be asked whose turn it is', async () => {
    const redis = store.connect();
    const held = new RedisLease(redis, 'facts', 'a');
    let asked = 0;
    const hold = (): Promise<boolean> => {
      asked += 1;
      return held.hold();
    };
    const only = processOf({ hold, release: () => held.release() });
    await feed(60);
    await settled();
    redis.disconnect();
    for (const before = asked; asked < before + 3; ) {
      await feed(1);
      await settled();
    }
    expect(only.facts.counters().get(1)?.overtaken).toBe(0);
    await only.facts.close();
    expect(only.faults).toEqual([]);
  });
});

describe('an owner that was overtaken', () => {
  it('inserts and compares nothing as long as the other one is at work, and steps in when that stops', async () => {
    const engine = new Engine(test.client);
    const build = 1;
    const another = () => sinkOf(log, engine, { build, limits: { rowsMax: 5 } });
    const [a, b] = [another(), another()];
    const [stopA, stopB] = [new AbortController(), new AbortController()];
    const running = [a.run(stopA.signal), b.run(stopB.signal)];
    for (let at = 0; at < 10; at += 1) {
      await feed(10);
      const head = await log.head();
      await Promise.race([a.reaches(head, stopA.signal), b.reaches(head, stopB.signal)]);
    }
    // Whoever has come as far as the log is the one at work.
    const [working, waiting, stop] = a.position > b.position ? [a, b, stopA] : [b, a, stopB];
    expect(waiting.counters.overtaken).toBeLessThan(3);
    stop.abort();
    await feed(10);
    await waiting.reaches(await log.head(), new AbortController().signal);
    expect(working.counters.repairs).toBe(0);
    for (const end of [stopA, stopB]) end.abort();
    await Promise.all(running);
    expect(await differencesOf(log, engine, build)).toEqual({});
  });
});
