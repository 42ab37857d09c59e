// What is not as the log says is found, and what a crash can leave behind is repaired: a part that was lost with its
// deduplication record kept, rows that are missing, doubled or nobody's, a roll-up that drifted.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../../src/event-log/codec.js';
import type { LogEvent } from '../../../src/event-log/event-log.js';
import { changeBuild, readBuilds } from '../../../src/projector/clickhouse/builds/fact-builds.js';
import { FactsLost } from '../../../src/projector/clickhouse/clickhouse-sink.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { FactsOperations } from '../../../src/projector/clickhouse/facts-operations.js';
import { remakeMonth } from '../../../src/projector/clickhouse/tables/repair.js';
import { NoSuchLetter } from '../../../src/projector/operation/dead-letters.js';
import { history, newEvent } from '../../projections/history.js';
import { type TestEngine, testEngine } from './engine.js';
import type { MemoryLog } from './memory-log.js';
import { catchUp, deleteRows, differencesOf, logOf, source, stateOf, tablesOf, timeZone } from './running-sink.js';

let test: TestEngine;
let engine: Engine;
beforeAll(() => {
  test = testEngine();
  engine = new Engine(test.client);
});
afterAll(() => test.close());

/** Where parts lie on disk. */
async function partsOf(query: string): Promise<readonly string[]> {
  const parts = await engine.rows<{ path: string }>(
    `SELECT path FROM system.parts WHERE database = currentDatabase() AND ${query}`,
  );
  return parts.map(({ path }) => path);
}

/** Removes parts on disk, as a machine that lost power would: the engine is not asked. */
async function loseParts(paths: readonly string[]): Promise<void> {
  await test.client.close();
  for (const path of paths) rmSync(path, { recursive: true });
  test = testEngine(test.directory);
  engine = new Engine(test.client);
}

const newestOf = (table: string) =>
  `active AND table = '${table}' ORDER BY modification_time DESC, max_block_number DESC LIMIT 1`;

/** A sink that meets this poison and folds it again once it is cured. */
function poisoned(bad: ReadonlySet<bigint>): (event: LogEvent) => ReturnType<typeof decodeHidden> {
  return (event) => {
    if (bad.has(event.position)) throw new Error('cannot be read');
    return decodeHidden(event);
  };
}

const buildOf = (table: string) => Number(table.split('_v')[1]);

describe('repair after a crash', () => {
  const ofLastChunk = ['event_facts_v1', 'engagement_quarterly_v2', 'share_facts_v3', 'brand_facts_v4'];
  const merged: [table: string, partition: string][] = [
    ['event_facts_v8', '202601'],
    ['event_facts_v9', '202602'],
    ['engagement_quarterly_v10', '202602'],
    ['share_facts_v11', 'tuple()'],
    ['brand_facts_v12', '202602'],
  ];
  /** By table: the log, and what its build was before the crash. */
  const before = new Map<string, { readonly log: MemoryLog; readonly wanted: Readonly<Record<string, string>> }>();

  async function filled(table: string, seed: number, rowsMax: number): Promise<void> {
    const build = buildOf(table);
    const log = await logOf(80, seed + build);
    await catchUp(log, engine, { build, limits: { rowsMax } });
    before.set(table, { log, wanted: await stateOf(engine, build) });
  }

  // One crash for all of them: an engine with many tables takes its time to open.
  beforeAll(async () => {
    const lost: string[] = [];
    for (const table of ofLastChunk) {
      // One chunk, so that the newest part is of the last one; it stays the newest.
      await filled(table, 20, 10_000);
      await engine.command(`SYSTEM STOP MERGES ${table}`);
      lost.push(...(await partsOf(newestOf(table))));
    }
    for (const [table, partition] of merged) {
      await filled(table, 60, 12);
      await engine.command(`OPTIMIZE TABLE ${table} FINAL`);
      // With what it was merged from: an engine that finds that would take it again.
      lost.push(...(await partsOf(`table = '${table}' AND partition = '${partition}'`)));
    }
    await loseParts(lost);
  }, 120_000);

  async function afterCrash(table: string) {
    const { log, wanted } = before.get(table) as { log: MemoryLog; wanted: Readonly<Record<string, string>> };
    const build = buildOf(table);
    expect(await stateOf(engine, build)).not.toEqual(wanted);
    return { log, wanted, build };
  }

  it.each(ofLastChunk)('a lost part of %s, its token kept, is found after a restart and put back', async (table) => {
    const { log, wanted, build } = await afterCrash(table);
    const sink = await catchUp(log, engine, { build });
    expect(sink.counters.repairs).toBe(1);
    expect(await stateOf(engine, build)).toEqual(wanted);
    expect(await differencesOf(log, engine, build)).toEqual({});
    await tablesOf(engine, build).drop();
  });

  it.each(merged)('a lost part of %s that was merged from many chunks (%s) is put back whole', async (table) => {
    const { log, wanted, build } = await afterCrash(table);
    const sink = await catchUp(log, engine, { build });
    expect(sink.counters.repairs).toBeGreaterThan(table.startsWith('event_facts') ? 2 : 0);
    expect(await stateOf(engine, build)).toEqual(wanted);
    expect(await differencesOf(log, engine, build)).toEqual({});
    // Nothing is left of it, and the next start has nothing to put right.
    expect((await catchUp(log, engine, { build })).counters.repairs).toBe(0);
    const beside = await engine.rows(`SELECT name FROM system.tables WHERE name LIKE '%_remade_%'`);
    expect(beside).toEqual([]);
    await tablesOf(engine, build).drop();
  });
});

describe('repair', () => {
  it('rows that nobody planned cannot be put right: the build is given up', async () => {
    const build = 13;
    const log = await logOf(40, 80);
    await catchUp(log, engine, { build, limits: { rowsMax: 20 } });
    await engine.command(
      `INSERT INTO event_facts_v${build} (log_position, event_id, fact, occurred_at, chunk) VALUES (1, generateUUIDv4(), 'ContentViewed', '2026-01-26 00:00:00', 1)`,
    );
    await expect(catchUp(log, engine, { build })).rejects.toThrow(FactsLost);
  });

  it('so many lost chunks that a new build is the shorter way are not put back one by one', async () => {
    const build = 14;
    const log = await logOf(50, 81);
    await catchUp(log, engine, { build, limits: { rowsMax: 1 } });
    await deleteRows(engine, `event_facts_v${build}`, '1');
    await expect(catchUp(log, engine, { build })).rejects.toThrow(/chunks or more are missing/);
  });

  it('a ClickHouse that was emptied, or put back to an earlier state, is noticed', async () => {
    const build = 5;
    const log = await logOf(60, 30);
    await catchUp(log, engine, { build, limits: { rowsMax: 30 } });
    await engine.command(`DELETE FROM sink_progress WHERE build = ${build}`);
    await expect(catchUp(log, engine, { build })).rejects.toThrow(FactsLost);
  });
});

describe('verification', () => {
  const build = 6;
  let log: MemoryLog;
  beforeAll(async () => {
    log = await logOf(80, 40);
    await catchUp(log, engine, { build, limits: { rowsMax: 30 } });
  });

  async function within(spoil: string, heal: () => Promise<void>, tables: readonly string[]): Promise<void> {
    await engine.command(spoil);
    expect(Object.keys(await differencesOf(log, engine, build))).toEqual(tables);
    await heal();
    expect(await differencesOf(log, engine, build)).toEqual({});
  }
  const facts = `event_facts_v${build}`;

  it('finds nothing where nothing is wrong', async () => {
    expect(await differencesOf(log, engine, build)).toEqual({});
  });

  it('tells the row that is missing, the one that is doubled and the one that nobody planned', async () => {
    await engine.command(`CREATE TABLE saved AS ${facts} ENGINE = MergeTree ORDER BY log_position`);
    await engine.command(
      `INSERT INTO saved SELECT * FROM ${facts} WHERE fact = 'ContentViewed' ORDER BY log_position LIMIT 1`,
    );
    const position = (await engine.row<{ p: string }>('SELECT toString(log_position) AS p FROM saved'))?.p;
    await deleteRows(engine, facts, `log_position = ${position}`);
    const missing = await differencesOf(log, engine, build);
    expect(missing[facts]).toBe(1);
    // Put back without the views: they have their share of it already.
    await engine.command(`CREATE TABLE again AS ${facts}`);
    const putBack = async (): Promise<void> => {
      await engine.command(`INSERT INTO again SELECT * FROM saved`);
      await engine.command(`ALTER TABLE ${facts} ATTACH PARTITION ID '${(await partition()) ?? ''}' FROM again`);
    };
    const partition = async (): Promise<string | undefined> =>
      (await engine.row<{ id: string }>(`SELECT toString(toYYYYMM(occurred_at)) AS id FROM saved`))?.id;
    await putBack();
    expect(await differencesOf(log, engine, build)).toEqual({});
    await engine.command(`ALTER TABLE ${facts} ATTACH PARTITION ID '${await partition()}' FROM again`);
    expect((await differencesOf(log, engine, build))[facts]).toBe(1);
    await deleteRows(engine, facts, `log_position = ${position}`);
    await engine.command(`ALTER TABLE ${facts} ATTACH PARTITION ID '${await partition()}' FROM again`);
    await engine.command(`ALTER TABLE saved UPDATE chunk = 2 WHERE 1`);
    await engine.command(`TRUNCATE TABLE again`);
    await putBack();
    expect((await differencesOf(log, engine, build))[facts]).toBe(1);
    await deleteRows(engine, facts, 'chunk = 2');
    expect(await differencesOf(log, engine, build)).toEqual({});
  });

  it('finds a roll-up that drifted; a month of a sum is made anew', async () => {
    const engagement = `engagement_quarterly_v${build}`;
    const shape = (await tablesOf(engine, build).rollUps()).find(({ rollUp }) => rollUp.table === engagement);
    if (!shape) throw new Error('no such roll-up');
    const remake = () => remakeMonth(tablesOf(engine, build), shape, { month: 202601, attempt: 1 });
    await within(
      `INSERT INTO ${engagement} SELECT * FROM ${engagement} WHERE toYYYYMM(quarter) = 202601 LIMIT 3`,
      remake,
      [engagement],
    );
    await within(
      `INSERT INTO share_facts_v${build} (share_id, destination) VALUES ('nobodys', 'x')`,
      () => deleteRows(engine, `share_facts_v${build}`, "share_id = 'nobodys'"),
      [`share_facts_v${build}`],
    );
  });
});

describe('poison events', () => {
  const build = 7;
  const size = { seed: 51, people: 10, from: '2026-01-25T00:00:00.000Z', days: 12 };

  /** A log whose active build met three events that could not be read. */
  async function poisonedLog(
    places = [40, 41, 70],
  ): Promise<{ log: MemoryLog; bad: readonly bigint[]; letters: FactsOperations }> {
    const log = await logOf(100, 50);
    const bad = places.map((index) => log.events[index]?.position ?? 0n);
    for (const type of ['BuildStarted', 'BuildActivated'] as const) {
      await changeBuild(log as never, 'facts', await readBuilds(log as never, 'facts'), { type, build });
    }
    const sink = await catchUp(log, engine, { build, limits: { rowsMax: 40 }, decode: poisoned(new Set(bad)) });
    expect(sink.counters.parked).toBe(places.length);
    const letters = new FactsOperations({
      log: log as never,
      engine,
      source,
      decode: decodeHidden,
      timeZone,
      nowMs: () => 0,
    });
    return { log, bad, letters };
  }

  it('are parked by themselves, stay out over a restart, and are taken in when they can be read', async () => {
    const { log, bad, letters } = await poisonedLog();
    const listed = await letters.list();
    expect(listed.map(({ position }) => position)).toEqual(bad.map(String));
    expect(listed[0]).toMatchObject({ stream: log.events[40]?.stream, error: 'Error: cannot be read' });
    expect(await differencesOf(log, engine, build)).toEqual({});
    // The same code that can read them by now: they were left out of that chunk, and are another chunk's work.
    await catchUp(log, engine, { build });
    expect(await letters.list()).toHaveLength(3);
    expect(await letters.retry(String(bad[1]))).toEqual({ folded: 1, stillParked: 2, rebuilding: [] });
    expect(await letters.retry()).toEqual({ folded: 2, stillParked: 0, rebuilding: [] });
    await catchUp(log, engine, { build });
    expect(await differencesOf(log, engine, build)).toEqual({});
    const rows = await engine.row<{ n: string }>(
      `SELECT toString(count()) AS n FROM event_facts_v${build} WHERE log_position IN (${bad.join(', ')})`,
    );
    const expected = bad.flatMap((position) => {
      const event = log.events.find((one) => one.position === position);
      return event ? (source.projection.on[event.type]?.(decodeHidden(event)) ?? []) : [];
    });
    expect(Number(rows?.n)).toBe(expected.length);
    await expect(letters.retry('12345')).rejects.toThrow(NoSuchLetter);
    await tablesOf(engine, build).drop();
  });

  async function forget(): Promise<void> {
    await engine.command(`DELETE FROM sink_progress WHERE build = ${build}`);
    await engine.command(`DELETE FROM sink_parked WHERE build = ${build}`);
  }

  it('that open a chunk are taken in beside its rows, and once, though nobody noted that they were', async () => {
    await forget();
    const { log, letters } = await poisonedLog([0, 1]);
    expect(await letters.retry()).toMatchObject({ folded: 2, stillParked: 0 });
    expect(await differencesOf(log, engine, build)).toEqual({});
    await engine.command(`DELETE FROM sink_parked WHERE build = ${build} AND settled != ''`);
    await catchUp(log, engine, { build });
    await log.append('observations-01', [newEvent(history({ ...size, steps: 30 }).at(-1) as never, 9_000)], 'any');
    await catchUp(log, engine, { build });
    await engine.command(`DELETE FROM sink_parked WHERE build = ${build} AND settled != ''`);
    expect(await letters.retry()).toMatchObject({ folded: 0 });
    expect(await differencesOf(log, engine, build)).toEqual({});
    await tablesOf(engine, build).drop();
  });

  it('can be dropped for good', async () => {
    await forget();
    const { log, bad, letters } = await poisonedLog();
    expect(await letters.drop(String(bad[0]), 'a test')).toMatchObject({ folded: 0, stillParked: 2 });
    expect((await letters.list()).map(({ position }) => position)).toEqual(bad.slice(1).map(String));
    await expect(letters.show(String(bad[0]))).rejects.toThrow(NoSuchLetter);
    expect((await letters.verify()).flatMap(({ parked }) => parked)).toHaveLength(2);
    expect(await differencesOf(log, engine, build)).toEqual({});
  });
});
