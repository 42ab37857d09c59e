// A log that was put back from a backup knows less than ClickHouse: nothing of what it does not know may be read, and the
// facts are made anew of what it is now.
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { FactsNotReady } from '../../../src/metrics/facts-reader.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import { MemoryLog } from './memory-log.js';
import { activated, operationsOf, projectorOf, reachesState, readerOf, tablesLeft } from './running-facts.js';

const events = history({ seed: 8, people: 15, steps: 700, from: '2026-02-20T00:00:00.000Z', days: 15 });

let test: TestEngine;
let engine: Engine;
const root = mkdtempSync(join(tmpdir(), 'homing-restore-'));
afterEach(() => test.close());
afterAll(() => rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);
const open = () => EmbeddedEventLog.open(at('log'), { durable: false });
function openEngine(directory?: string): void {
  test = testEngine(directory);
  engine = new Engine(test.client);
}

/** Writes some of the events; `salt` makes others of them. */
async function feed(log: EmbeddedEventLog, from: number, to: number, salt = 0): Promise<void> {
  for (const [index, event] of events.slice(from, to).entries()) {
    await log.append(event.stream, [newEvent(event, salt + from + index)], 'any');
  }
}

/** Runs the facts on the log while `work` is done, and until everything is counted. */
async function whileProjecting(log: EmbeddedEventLog, work: () => Promise<void>): Promise<readonly unknown[]> {
  const { facts, faults } = projectorOf(log, { engine });
  facts.start();
  await work();
  await readerOf(log, await log.id(), test).waitFor(await log.head(), 60_000);
  await facts.close();
  return faults;
}

/** Puts a directory where it was made: ClickHouse knows its own by its whole path. */
function putBack(kept: string, name: string): void {
  rmSync(at(name), { recursive: true, force: true });
  cpSync(at(kept), at(name), { recursive: true, verbatimSymlinks: true });
}

describe('a log that was put back from a backup', () => {
  /** A backup, then more events and a second build. What they come to is kept for every test. */
  beforeAll(async () => {
    openEngine(at('clickhouse'));
    const before = await open();
    await feed(before, 0, 150);
    await whileProjecting(before, () => activated(before, 1));
    await before.close();
    cpSync(at('log'), at('backup'), { recursive: true });
    const after = await open();
    await feed(after, 150, 400);
    await whileProjecting(after, async () => {
      await operationsOf(after, engine).rebuild();
      await activated(after, 2);
    });
    await after.close();
    await test.client.close();
    renameSync(at('clickhouse'), at('advanced-clickhouse'));
  });

  /** The log of the backup, and a ClickHouse that knows more. */
  async function restoredLog(): Promise<EmbeddedEventLog> {
    putBack('backup', 'log');
    putBack('advanced-clickhouse', 'clickhouse');
    openEngine(at('clickhouse'));
    return await open();
  }

  it.each([
    ['as it was', 0],
    ['with some other events since', 40],
    ['with more events since than were lost', 500],
  ])('%s: the facts are made anew of it, and are right', async (_, written) => {
    const log = await restoredLog();
    await feed(log, 150, 150 + written, 10_000);
    const reader = readerOf(log, await log.id(), test);
    if (written < 250) await expect(reader.state()).rejects.toThrow(FactsNotReady);
    const faults = await whileProjecting(log, async () => {
      await activated(log, 3);
      await reachesState(log, 1, 'dropped');
    });
    expect(faults.map(String)).toEqual([expect.stringMatching(/was the log restored/)]);
    expect(await readerOf(log, await log.id(), test).state()).toMatchObject({ build: 3 });
    const reports = await operationsOf(log, engine).verify();
    expect(reports.filter(({ differences }) => differences > 0)).toEqual([]);
    expect(reports[0]?.compared).toBeGreaterThan(150);
    // The build that the log knows nothing of went too.
    expect([await tablesLeft(engine, 1), await tablesLeft(engine, 2)]).toEqual([[], []]);
    await log.close();
  });

  it('while the facts run, and grown beyond them again: the next chunk finds that its plan has no predecessor', async () => {
    openEngine();
    const log = new MemoryLog();
    const write = async (from: number, to: number, salt = 0) => {
      for (const [index, event] of events.slice(from, to).entries()) {
        await log.append(event.stream, [newEvent(event, salt + from + index)], 'any');
      }
    };
    await write(0, 150);
    const { facts, faults } = projectorOf(log, { engine });
    facts.start();
    const reader = readerOf(log, await log.id(), test);
    await activated(log, 1);
    await reader.waitFor(await log.head(), 60_000);
    const backup = [...log.events];
    await write(150, 250);
    await reader.waitFor(await log.head(), 60_000);

    const lost = log.events.length - backup.length;
    log.events.splice(0, log.events.length, ...backup);
    await write(150, 150 + 2 * lost, 10_000);
    await activated(log, 2);
    await readerOf(log, await log.id(), test).waitFor(await log.head(), 60_000);
    await facts.close();
    expect(faults.map(String)).toEqual([expect.stringMatching(/was the log restored/)]);
    const reports = await operationsOf(log, engine).verify();
    expect(reports.filter(({ differences }) => differences > 0)).toEqual([]);
  });
});
