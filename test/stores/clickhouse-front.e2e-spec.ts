// The HTTP front of the embedded ClickHouse, statement by statement: what the official client can send, and what a server
// would refuse.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type ClickHouseClient, ClickHouseLogLevel, createClient, type DataFormat } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EngineProcess } from '../../src/stores/clickhouse/engine-process.js';

let directory: string;
let engine: EngineProcess;
let client: ClickHouseClient;
const clients: ClickHouseClient[] = [];

function connect(options: Parameters<typeof createClient>[0] = {}): ClickHouseClient {
  const made = createClient({ url: engine.url, ...engine.login, log: { level: ClickHouseLogLevel.OFF }, ...options });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-front-'));
  engine = await EngineProcess.start({ directory, queriesMax: 4, report: () => {} });
  client = connect();
  await client.command({ query: 'CREATE TABLE plain (n UInt64, s String) ENGINE = MergeTree ORDER BY n' });
});
afterAll(async () => {
  for (const open of clients) await open.close();
  await engine.close();
  rmSync(directory, { recursive: true, force: true });
});

async function ask(
  query: string,
  format: DataFormat = 'TabSeparated',
  params: Record<string, unknown> = {},
): Promise<string> {
  const answer = await client.query({ query, format, query_params: params });
  return await answer.text();
}

async function send(query: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Response> {
  const url = new URL(engine.url);
  url.searchParams.set('query', query);
  const login = Buffer.from(`${engine.login.username}:${engine.login.password}`).toString('base64');
  return await fetch(url, {
    method: 'POST',
    body: new Uint8Array(Buffer.from(body)),
    headers: { Authorization: `Basic ${login}`, ...headers },
  });
}

describe('statements', () => {
  it.each([
    'JSON',
    'JSONCompact',
    'JSONEachRow',
    'JSONCompactEachRowWithNamesAndTypes',
    'CSVWithNames',
    'TabSeparated',
  ] as const)('answer long results in %s as one document', async (format) => {
    const answer = await client.query({ query: 'SELECT number AS n FROM numbers(200000)', format });
    const whole = await answer.text();
    if (format.startsWith('JSON') && !format.includes('EachRow')) {
      expect((JSON.parse(whole) as { rows: number }).rows).toBe(200_000);
    } else {
      const heads = { JSONCompactEachRowWithNamesAndTypes: 2, CSVWithNames: 1 };
      expect(whole.trimEnd().split('\n')).toHaveLength(200_000 + (heads[format as keyof typeof heads] ?? 0));
    }
  });

  it('that are not SELECT answer as well', async () => {
    expect(await ask('SHOW TABLES')).toContain('plain');
    expect(await ask('DESCRIBE plain')).toContain('UInt64');
    expect(await ask('EXISTS plain')).toBe('1\n');
    expect(await ask('EXPLAIN SELECT 1')).toContain('ReadFromSystemOne');
    expect(await ask('-- why\n/* and how */ SELECT 1')).toBe('1\n');
    expect(await ask('WITH 2 AS two SELECT two')).toBe('2\n');
    expect(await ask("SELECT ';' AS semicolon")).toBe(';\n');
  });

  it('come one at a time', async () => {
    const two = client.command({ query: 'SELECT 1; DROP TABLE plain' });
    await expect(two).rejects.toMatchObject({ code: '62' });
    expect(await ask('EXISTS plain')).toBe('1\n');
  });

  it('insert by VALUES, by SELECT, and in binary formats', async () => {
    await client.command({ query: 'CREATE TABLE many (n UInt64, s String) ENGINE = MergeTree ORDER BY n' });
    await client.command({ query: "INSERT INTO many VALUES (1, 'a;b'), (2, 'it''s')" });
    await client.command({ query: 'INSERT INTO many SELECT n + 10, s FROM many' });
    const binary = Buffer.from([20, 0, 0, 0, 0, 0, 0, 0, 1, 0x78]);
    const { stream } = await client.exec({
      query: 'INSERT INTO many (n, s) FORMAT RowBinary',
      values: Readable.from([binary]),
    });
    await text(stream);
    await client.insert({ table: 'many', values: [{ n: '18446744073709551615', s: 'last' }], format: 'JSONEachRow' });
    expect(await ask('SELECT * FROM many ORDER BY n')).toBe(
      "1\ta;b\n2\tit\\'s\n11\ta;b\n12\tit\\'s\n20\tx\n18446744073709551615\tlast\n",
    );
  });

  it('make one part of a large insert, and tell how many rows it had', async () => {
    await client.command({ query: 'CREATE TABLE large (n UInt64) ENGINE = MergeTree ORDER BY n' });
    const rows = Readable.from(
      (function* () {
        for (let n = 0; n < 200_000; n += 1_000) yield `${Array.from({ length: 1_000 }, (_, i) => n + i).join('\n')}\n`;
      })(),
      { objectMode: false },
    );
    const done = await client.insert({ table: 'large', values: rows, format: 'TabSeparated' });
    expect(done.summary?.written_rows).toBe('200000');
    expect(await ask("SELECT count(), sum(rows) FROM system.parts WHERE table = 'large' AND active")).toBe(
      '1\t200000\n',
    );
  });

  it('take a compressed body and give a compressed answer', async () => {
    const packing = connect({ compression: { request: true, response: true } });
    await packing.command({ query: 'CREATE TABLE packed (n UInt64) ENGINE = MergeTree ORDER BY n' });
    await packing.insert({ table: 'packed', values: [{ n: 7 }], format: 'JSONEachRow' });
    const answer = await packing.query({
      query: 'SELECT n FROM packed, numbers(100000) AS many',
      format: 'JSONEachRow',
    });
    expect(await answer.json()).toHaveLength(100_000);
  });
});

describe('parameters', () => {
  it('carry any text, in the address or in a form', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary' }),
        fc.array(fc.string()),
        fc.boolean(),
        async (value, list, form) => {
          const answer = await client.query({
            query: 'SELECT {v:String} AS v, {l:Array(String)} AS l',
            query_params: { v: value, l: list },
            format: 'JSONEachRow',
            use_multipart_params: form,
          });
          expect(await answer.json()).toEqual([{ v: value, l: list }]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('that are missing or of another type are told', async () => {
    await expect(ask('SELECT {v:UInt8}')).rejects.toMatchObject({ code: '456' });
    await expect(ask('SELECT {v:UInt8}', 'TabSeparated', { v: 'x' })).rejects.toMatchObject({ code: '457' });
  });
});

describe('settings', () => {
  it('of one request do not reach the next, a deduplication token least of all', async () => {
    await client.command({
      query:
        'CREATE TABLE once (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
    });
    const insert = (n: number, token?: string): Promise<unknown> =>
      client.insert({
        table: 'once',
        values: [{ n }],
        format: 'JSONEachRow',
        ...(token === undefined ? {} : { clickhouse_settings: { insert_deduplication_token: token } }),
      });
    await insert(1, 'token');
    await insert(2, 'token');
    await insert(3);
    await insert(4);
    expect(await ask('SELECT groupArray(n) FROM (SELECT n FROM once ORDER BY n)')).toBe('[1,3,4]\n');
  });

  it('bound the time and the memory of a query', async () => {
    const slow = client.query({
      query: 'SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1',
      clickhouse_settings: { max_execution_time: 1 },
    });
    await expect(slow).rejects.toMatchObject({ code: '159' });
    const large = client.query({
      query: 'SELECT uniqExact(number) FROM numbers(10000000)',
      clickhouse_settings: { max_memory_usage: '10000000' },
    });
    await expect(large).rejects.toMatchObject({ code: '241' });
  });

  it('and tables of a named session stay in it, one request at a time', async () => {
    const session_id = 'desk';
    await client.command({ query: 'CREATE TEMPORARY TABLE scratch (n UInt8)', session_id });
    await client.command({ query: 'INSERT INTO scratch VALUES (1)', session_id });
    await client.command({ query: 'SET max_result_rows = 2', session_id });
    await client.command({ query: 'SELECT 1', session_id, clickhouse_settings: { max_result_rows: '1' } });
    const mine = await client.query({ query: 'SELECT n FROM scratch', session_id, format: 'TabSeparated' });
    expect(await mine.text()).toBe('1\n');
    const two = await client.query({ query: 'SELECT number FROM numbers(2)', session_id, format: 'TabSeparated' });
    expect(await two.text()).toBe('0\n1\n');
    await expect(client.query({ query: 'SELECT number FROM numbers(3)', session_id })).rejects.toMatchObject({
      code: '396',
    });
    await expect(ask('SELECT * FROM scratch')).rejects.toMatchObject({ code: '60' });
    const both = await Promise.allSettled([
      client.query({ query: 'SELECT sleep(0.5)', session_id }),
      client.query({ query: 'SELECT sleep(0.5)', session_id }),
    ]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a.localeCompare(b))).toEqual(['fulfilled', 'rejected']);
  });
});

describe('refusals', () => {
  it('of bad rows come with their code, without a path of ours, and nothing is kept', async () => {
    const bad = client.insert({
      table: 'plain',
      values: Readable.from(['1\tgood\nx\tbad\n'], { objectMode: false }),
      format: 'TabSeparated',
    });
    await expect(bad).rejects.toMatchObject({ code: '27' });
    await expect(bad).rejects.not.toThrow(directory);
    expect(await ask('SELECT count() FROM plain')).toBe('0\n');
    expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
  });

  it('in the middle of an answer are told to those that read row by row, and break it off for the others', async () => {
    const query = 'SELECT throwIf(number = 900000) AS x FROM numbers(1000000)';
    const rows = await client.query({ query, format: 'JSONEachRow' });
    await expect(rows.json()).rejects.toMatchObject({ code: '395' });
    const whole = await client.query({ query, format: 'TabSeparated' });
    await expect(whole.text()).rejects.toThrow(/aborted|terminated|socket|premature/i);
  });

  it('have the status and the header of a server', async () => {
    const missing = await send('SELECT * FROM nowhere', '');
    expect([missing.status, missing.headers.get('x-clickhouse-exception-code')]).toEqual([404, '60']);
    expect(await missing.text()).toMatch(/^Code: 60\. DB::Exception: .*\(UNKNOWN_TABLE\) \(version /);
    const syntax = await send('SELEC 1', '');
    expect([syntax.status, syntax.headers.get('x-clickhouse-exception-code')]).toEqual([400, '62']);
    const unknown = await send('SELECT 1', '', { 'Content-Encoding': 'snappy' });
    expect(unknown.status).toBe(501);
    const broken = await send('INSERT INTO plain FORMAT TSV', gzipSync('1\ta\n').subarray(0, 12), {
      'Content-Encoding': 'gzip',
    });
    expect(broken.status).toBe(500);
    expect(await ask('SELECT count() FROM plain')).toBe('0\n');
  });

  it('meet a stranger before anything else, but a ping is free', async () => {
    const stranger = await fetch(`${engine.url}/?query=${encodeURIComponent('DROP TABLE plain')}`, { method: 'POST' });
    expect([stranger.status, stranger.headers.get('x-clickhouse-exception-code')]).toEqual([403, '516']);
    expect(await (await fetch(`${engine.url}/ping`)).text()).toBe('Ok.\n');
  });
});

describe('many at once', () => {
  it('each get their own answer', async () => {
    const wide = connect({ max_open_connections: 40 });
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const answer = await wide.query({
          query: 'SELECT {n:UInt32} AS n, {t:String} AS t',
          query_params: { n, t: `text ${n}` },
          format: 'JSONEachRow',
        });
        return await answer.json<{ n: number; t: string }>();
      }),
    );
    expect(answers.flat()).toEqual(Array.from({ length: 200 }, (_, n) => ({ n, t: `text ${n}` })));
  });

  it('are refused beyond what can wait, in a way that can be tried again', async () => {
    const flood = connect({ max_open_connections: 1_000 });
    const results = await Promise.allSettled(
      Array.from({ length: 300 }, async () => {
        const answer = await flood.query({ query: 'SELECT sleep(0.02)', format: 'JSONEachRow' });
        return await answer.text();
      }),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    for (const { reason } of refused as PromiseRejectedResult[]) {
      expect(['202', 'ECONNRESET']).toContain((reason as { code: string }).code);
    }
    expect(await ask('SELECT 1')).toBe('1\n');
  });
});
