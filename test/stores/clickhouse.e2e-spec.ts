// The embedded ClickHouse behind its HTTP front, asked by the official client: what a server would answer, it answers.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ClickHouseStore, openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { eventually } from './eventually.js';

let directory: string;
let store: ClickHouseStore;
let client: ClickHouseClient;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-chdb-'));
  store = await openClickHouse({ url: undefined, directory });
  client = store.client;
  await client.command({
    query: `CREATE TABLE facts (id UInt64, text String, tags Array(String), at DateTime64(3, 'UTC'))
            ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100`,
  });
  await client.command({
    query: `CREATE TABLE totals (tag String, n SimpleAggregateFunction(sum, UInt64))
            ENGINE = AggregatingMergeTree ORDER BY tag SETTINGS non_replicated_deduplication_window = 100`,
  });
  await client.command({
    query: `CREATE MATERIALIZED VIEW totals_mv TO totals AS SELECT arrayJoin(tags) AS tag, count() AS n FROM facts GROUP BY tag`,
  });
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function rows<Row>(query: string, params: Record<string, unknown> = {}): Promise<Row[]> {
  const result = await client.query({ query, query_params: params, format: 'JSONEachRow' });
  return result.json<Row>();
}
async function insert(lines: readonly string[], token: string): Promise<void> {
  await client.insert({
    table: 'facts',
    columns: ['id', 'text', 'tags', 'at'],
    values: Readable.from(
      lines.map((line) => Buffer.from(`${line}\n`)),
      { objectMode: false },
    ),
    format: 'TabSeparated',
    clickhouse_settings: { insert_deduplication_token: token, deduplicate_blocks_in_dependent_materialized_views: 1 },
  });
}
const totals = () => rows<{ tag: string; n: number }>('SELECT tag, sum(n) AS n FROM totals GROUP BY tag ORDER BY tag');

describe('the embedded ClickHouse', () => {
  it('answers a ping', async () => {
    expect(await client.ping()).toEqual({ success: true });
  });

  it('counts an insert with the same token once, views included, and an insert without a token always', async () => {
    const line = "1\tat sea\\tshore's\t['a','b']\t2026-09-01 00:00:00.000";
    await insert([line], 'chunk-1');
    await insert([line], 'chunk-1');
    expect(await rows('SELECT id, text, tags FROM facts')).toEqual([
      { id: 1, text: "at sea\tshore's", tags: ['a', 'b'] },
    ]);
    expect(await totals()).toEqual([
      { tag: 'a', n: 1 },
      { tag: 'b', n: 1 },
    ]);
    await client.insert({
      table: 'facts',
      values: [{ id: 2, text: 'x', tags: ['a'], at: '2026-09-01 00:00:00' }],
      format: 'JSONEachRow',
    });
    await client.insert({
      table: 'facts',
      values: [{ id: 3, text: 'y', tags: ['a'], at: '2026-09-01 00:00:00' }],
      format: 'JSONEachRow',
    });
    expect((await totals())[0]).toEqual({ tag: 'a', n: 3 });
  });

  it('binds parameters of every kind, whatever stands in them', async () => {
    const text = `o'clock \\ "quoted"\ttab\nline – é`;
    expect(
      await rows('SELECT {t:String} AS t, {l:Array(String)} AS l, {n:Nullable(String)} AS n, {u:UInt64} AS u', {
        t: text,
        l: ["a'b", 'c'],
        n: null,
        u: 7,
      }),
    ).toEqual([{ t: text, l: ["a'b", 'c'], n: null, u: 7 }]);
  });

  it('keeps the settings of one statement from the next', async () => {
    const limited = client.query({
      query: 'SELECT number FROM numbers(10)',
      format: 'JSONEachRow',
      clickhouse_settings: { max_result_rows: '3' },
    });
    await expect(limited.then((result) => result.text())).rejects.toThrow(/Limit for result exceeded/);
    const all = await Promise.all(Array.from({ length: 8 }, () => rows('SELECT number FROM numbers(10)')));
    expect(all.map((each) => each.length)).toEqual(Array(8).fill(10));
  });

  it("tells the engine's errors with their codes", async () => {
    const failure = await client.query({ query: 'SELECT * FROM nowhere' }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ClickHouseError);
    expect(failure).toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' });
    await expect(client.command({ query: 'SELEC 1' })).rejects.toMatchObject({ code: '62' });
    await expect(
      client.query({ query: 'SELECT 1', clickhouse_settings: { no_such: 1 } as never }),
    ).rejects.toMatchObject({ code: '115' });
  });

  it('breaks an answer off rather than pass half of it for the whole', async () => {
    const result = client
      .query({ query: 'SELECT throwIf(number = 900000) AS x FROM numbers(1000000)', format: 'JSONEachRow' })
      .then((answer) => answer.text());
    await expect(result).rejects.toThrow(/non-zero|aborted|socket/);
  });

  it('turns away a caller without its password', async () => {
    const stranger = createClient({
      url: store.url,
      username: 'homing',
      password: 'guess',
      log: { level: ClickHouseLogLevel.OFF },
    });
    await expect(stranger.query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' });
    await stranger.close();
  });

  it('compresses both ways and streams a long answer', async () => {
    const { url } = store;
    const packed = store.connect();
    expect(url).toContain('127.0.0.1');
    const result = await packed.query({
      query: 'SELECT number FROM numbers(300000)',
      format: 'JSONEachRow',
      clickhouse_settings: { enable_http_compression: 1 },
    });
    let count = 0;
    for await (const piece of result.stream()) count += piece.length;
    expect(count).toBe(300_000);
    await packed.close();
  });

  it('answers forty at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => rows<{ n: number }>('SELECT {n:UInt32} AS n', { n })),
    );
    expect(answers.map(([row]) => row?.n)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it('refuses a second holder of its directory', async () => {
    await expect(openClickHouse({ url: undefined, directory })).rejects.toThrow(`held by process ${process.pid}`);
  }, 60_000);

  it('comes back after a crash with all that was inserted, at the same address', async () => {
    const before = await rows('SELECT count() AS n FROM facts');
    const pid = store.pid();
    if (!pid) throw new Error('no engine');
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      expect(store.pid()).not.toBe(pid);
      expect(await rows('SELECT count() AS n FROM facts')).toEqual(before);
      return true;
    });
  }, 60_000);
});
