// Builds of the facts: the first one by itself, a new one on request while the old one is read, and what a wiped or
// foreign ClickHouse leads to.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventFacts } from '../../../projections/event-facts.rows.js';
import { readBuilds } from '../../../src/projector/clickhouse/builds/fact-builds.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import { MemoryLog } from './memory-log.js';
import {
  activated,
  operationsOf,
  type Projected,
  projectorOf,
  reachesState,
  readerOf,
  tablesLeft,
} from './running-facts.js';

let test: TestEngine;
beforeAll(() => {
  test = testEngine();
});
afterAll(() => test.close());

const events = history({ seed: 5, people: 20, steps: 400, from: '2026-03-25T00:00:00.000Z', days: 12 });

async function feed(log: MemoryLog, from: number, to: number): Promise<void> {
  for (let index = from; index < Math.min(to, events.length); index += 1) {
    const event = events[index];
    if (event) await log.append(event.stream, [newEvent(event, index)], 'any');
  }
}

function projector(log: MemoryLog, engine = new Engine(test.client), timeZone = 'UTC'): Projected {
  return projectorOf(log, { engine, timeZone });
}

async function rowsOf(build: number): Promise<number> {
  const found = await new Engine(test.client).row<{ n: number }>(
    `SELECT toUInt32(count()) AS n FROM event_facts_v${build}`,
  );
  return Number(found?.n);
}

/** A ClickHouse that may be away. */
class AbsentEngine extends Engine {
  away = false;
  refused = 0;
  private check(): void {
    if (!this.away) return;
    this.refused += 1;
    throw new Error('connect ECONNREFUSED');
  }
  override async insertText(...args: Parameters<Engine['insertText']>): Promise<void> {
    this.check();
    await super.insertText(...args);
  }
  override async rows<Row>(query: string): Promise<Row[]> {
    this.check();
    return await super.rows<Row>(query);
  }
}

describe('builds of the facts', () => {
  const log = new MemoryLog('00000000-0000-8000-8000-00000000000a');
  it('makes the first one by itself and lets readers read it', async () => {
    await feed(log, 0, 250);
    const head = await log.head();
    const { facts, faults } = projector(log);
    facts.start();
    await activated(log, 1);
    const state = await readerOf(log, await log.id(), test).waitFor(head, 20_000);
    expect(state.build).toBe(1);
    expect(state.position).toBeGreaterThanOrEqual(head);
    await facts.close();
    expect(faults).toEqual([]);
  });

  it('builds another one beside it on request, under writes, and switches without going backwards', async () => {
    const { facts, faults } = projector(log);
    const reader = readerOf(log, await log.id(), test);
    facts.start();
    const build = await facts.rebuild();
    expect(build).toBe(2);
    const seen: bigint[] = [];
    let switched = false;
    const done = activated(log, 2).then(() => {
      switched = true;
    });
    for (let at = 250; !switched || at < events.length; at += 10) {
      await feed(log, at, at + 10);
      seen.push((await reader.state()).position);
    }
    await done;
    const state = await reader.waitFor(await log.head(), 20_000);
    expect(state.build).toBe(2);
    expect(seen).toEqual(seen.toSorted((a, b) => Number(a - b)));
    const rows = events.flatMap((event) => (Object.hasOwn(eventFacts.on, event.type) ? [event] : []));
    expect(await rowsOf(2)).toBeGreaterThanOrEqual(rows.length);
    await facts.close();
    expect(faults).toEqual([]);
  });

  it('has views with plain names over the build that is read', async () => {
    const engine = new Engine(test.client);
    const views = await engine.row<Record<string, string>>(
      `SELECT toString((SELECT count() FROM event_facts)) AS facts, toString((SELECT count() FROM share_facts)) AS shares,
        toString((SELECT sum(events) FROM engagement_quarterly WHERE fact = 'ShareCompleted')) AS completed`,
    );
    const build = await engine.row<Record<string, string>>(
      `SELECT toString((SELECT count() FROM event_facts_v2)) AS facts, toString((SELECT uniqExact(share_id) FROM share_facts_v2)) AS shares,
        toString((SELECT count() FROM event_facts_v2 WHERE fact = 'ShareCompleted')) AS completed`,
    );
    expect(views).toEqual(build);
    expect(Number(build?.['completed'])).toBeGreaterThan(0);
  });

  it('waits for a ClickHouse that is away, with bounded tries, and catches up by itself', async () => {
    const away = new AbsentEngine(test.client);
    const { facts, failed } = projector(log, away);
    const reader = readerOf(log, await log.id(), test);
    facts.start();
    await reader.waitFor(await log.head(), 20_000);
    away.away = true;
    const [event] = events;
    for (let index = 0; index < 300; index += 1) {
      await log.append('observations-01', [newEvent(event as never, 10_000 + index)], 'any');
    }
    expect(String(await failed)).toMatch(/ECONNREFUSED/);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // Waits that double: some tries, not hundreds.
    expect(away.refused).toBeLessThan(40);
    away.away = false;
    const head = await log.head();
    expect((await reader.waitFor(head, 20_000)).position).toBeGreaterThanOrEqual(head);
    await facts.close();
  });

  it('goes back to the build before, gives up one that is being made, and drops what nobody needs', async () => {
    const { facts, faults } = projector(log);
    const operations = operationsOf(log, new Engine(test.client));
    // Interrupted, it leaves what is read and what is kept as they were.
    expect(await operations.rollback()).toBe(1);
    await operations.abort();
    expect((await readBuilds(log as never, 'facts')).builds).toMatchObject([
      { build: 1, state: 'kept' },
      { build: 2, state: 'active' },
    ]);
    facts.start();
    expect(await operations.rollback()).toBe(1);
    await activated(log, 1);
    const head = await log.head();
    expect((await readerOf(log, await log.id(), test).waitFor(head, 20_000)).build).toBe(1);
    expect((await operations.status()).map(({ build, state }) => [build, state])).toEqual([[1, 'active']]);
    const build = await operations.rebuild();
    await operations.abort();
    await reachesState(log, build, 'dropped');
    const left = await tablesLeft(new Engine(test.client), build);
    expect(left).toEqual([]);
    await facts.close();
    expect(faults).toEqual([]);
    expect((await operations.verify()).map(({ differences }) => differences)).toEqual(
      Array.from({ length: 7 }, () => 0),
    );
  });

  it('is built anew by itself when the code or the time zone asks for it, and not gone back to then', async () => {
    const { facts, faults } = projector(log, new Engine(test.client), 'Asia/Kolkata');
    facts.start();
    await activated(log, 4);
    const days = await new Engine(test.client).row<{ sql: string }>(`SHOW CREATE TABLE member_days_mv_v4`);
    expect(JSON.stringify(days)).toContain('Asia/Kolkata');
    await expect(operationsOf(log, new Engine(test.client), 'Asia/Kolkata').rollback()).rejects.toThrow(/other code/);
    await facts.close();
    expect(faults).toEqual([]);
  });

  it('leaves the facts of another log alone and says so', async () => {
    const other = new MemoryLog('00000000-0000-8000-8000-00000000000b');
    const { facts, failed } = projector(other);
    const before = await rowsOf(4);
    facts.start();
    await other.append('member-m1', [newEvent(events[0] as never, 1)], 'any');
    expect(String(await failed)).toMatch(/holds facts of log/);
    await facts.close();
    expect(await rowsOf(4)).toBe(before);
  });
});
