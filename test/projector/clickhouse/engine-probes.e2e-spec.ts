// What the sink believes of the engine, tried: what makes a repeated insert one insert, what does not, and what is left when a
// view fails in the middle. An engine of another version that behaves otherwise is found here.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { type TestEngine, testEngine } from './engine.js';
import { differencesOf, logOf, sinkOf } from './running-sink.js';

let test: TestEngine;
let engine: Engine;
beforeAll(() => {
  test = testEngine();
  engine = new Engine(test.client);
});
afterAll(() => test.close());

const remembers = 'SETTINGS non_replicated_deduplication_window = 1000';
const forgets = 'SETTINGS non_replicated_deduplication_window = 0';

/** A raw table and a summing view of it. */
async function pair(name: string, raw: string, target: string, select = 'key, count() AS n'): Promise<void> {
  await engine.command(`CREATE TABLE ${name} (key String) ENGINE = MergeTree ORDER BY key ${raw}`);
  await engine.command(
    `CREATE TABLE ${name}_sums (key String, n SimpleAggregateFunction(sum, UInt64)) ENGINE = AggregatingMergeTree ORDER BY key ${target}`,
  );
  await engine.command(
    `CREATE MATERIALIZED VIEW ${name}_view TO ${name}_sums AS SELECT ${select} FROM ${name} GROUP BY key`,
  );
}

const insert = (name: string, token: string) => engine.insertText(name, ['key'], [Buffer.from('a\nb\n')], token);

async function countsOf(name: string): Promise<{ readonly raw: number; readonly sums: number }> {
  const row = await engine.row<{ raw: string; sums: string }>(
    `SELECT toString((SELECT count() FROM ${name})) AS raw, toString((SELECT sum(n) FROM ${name}_sums)) AS sums`,
  );
  return { raw: Number(row?.raw), sums: Number(row?.sums) };
}

describe('the same insert under the same token', () => {
  it('is one insert, in the table and in what its views fill', async () => {
    await pair('kept', remembers, remembers);
    for (let time = 0; time < 2; time += 1) await insert('kept', 't1');
    expect(await countsOf('kept')).toEqual({ raw: 2, sums: 2 });
  });

  it('is two where the tables remember no tokens, or this file would prove nothing', async () => {
    await pair('forgotten', forgets, forgets);
    for (let time = 0; time < 2; time += 1) await insert('forgotten', 't1');
    expect(await countsOf('forgotten')).toEqual({ raw: 4, sums: 4 });
  });

  it('is counted twice by a view whose own table remembers none: every roll-up needs the setting', async () => {
    await pair('half', remembers, forgets);
    for (let time = 0; time < 2; time += 1) await insert('half', 't1');
    expect(await countsOf('half')).toEqual({ raw: 2, sums: 4 });
  });
});

describe('a view that fails', () => {
  it('fails the insert; the same insert again, once the cause is gone, is whole in the table and in the view', async () => {
    await engine.command('CREATE TABLE broken (x UInt8) ENGINE = MergeTree ORDER BY x');
    await pair('failing', remembers, remembers, 'key, count() + throwIf((SELECT count() FROM broken) > 0) AS n');
    await engine.command('INSERT INTO broken VALUES (1)');
    await expect(insert('failing', 't1')).rejects.toThrow(/throwIf/);
    await engine.command('TRUNCATE TABLE broken');
    await insert('failing', 't1');
    expect(await countsOf('failing')).toEqual({ raw: 2, sums: 2 });
  });
});

describe('eight questions at a time while the sink inserts', () => {
  it('are all answered, none goes backwards, and nothing is counted wrongly', async () => {
    const log = await logOf(400, 90);
    const sink = sinkOf(log, engine, { build: 1, limits: { rowsMax: 25 } });
    const stop = new AbortController();
    const running = sink.run(stop.signal);
    const head = await log.head();
    await sink.reaches(1n, stop.signal);
    const seen = Array.from({ length: 8 }, () => [] as number[]);
    await Promise.all(
      seen.map(async (counts) => {
        while (sink.position < head || counts.length === 0) {
          const row = await engine.row<{ n: string }>(
            `SELECT toString(sum(events) + uniqExactMerge(people) * 0) AS n FROM engagement_quarterly_v1 WHERE fact = 'ContentViewed'`,
          );
          counts.push(Number(row?.n));
        }
      }),
    );
    stop.abort();
    await running;
    for (const counts of seen) expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(await differencesOf(log, engine, 1)).toEqual({});
  });
});
