// The life of the embedded ClickHouse: it dies with the service and never before it without being started again, and what
// a crash cut off is told apart from what went wrong.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EngineProcess } from '../../src/stores/clickhouse/engine-process.js';
import { type ClickHouseStore, openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { isRetryable } from '../../src/stores/clickhouse/retryable.js';
import { DirectoryHeld } from '../../src/stores/directory-hold.js';
import { firstMessage, forkModule } from '../../src/stores/forked-module.js';
import { identityOf, isSameProcess, untilEnded } from '../../src/stores/process-identity.js';
import { eventually } from './eventually.js';

let directory: string;
let closers: (() => Promise<void>)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'homing-chdb-'));
  closers = [];
});
afterEach(async () => {
  await Promise.all(closers.map((close) => close()));
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<ClickHouseStore> {
  const store = await openClickHouse({ url: undefined, directory });
  closers.push(() => store.close());
  return store;
}

async function count({ client }: ClickHouseStore, table: string): Promise<number> {
  const answer = await client.query({ query: `SELECT toUInt32(count()) AS n FROM ${table}`, format: 'JSONEachRow' });
  const [row] = await answer.json<{ n: number }>();
  return row?.n ?? -1;
}

describe('the engine of a service', () => {
  it('ends when the service is killed, and the next service has the directory at once', async () => {
    const service = forkModule(import.meta.url, 'open-clickhouse.main', { args: [directory] });
    const { enginePid } = await firstMessage<{ enginePid: number }>(service, 60_000);
    const engine = identityOf(enginePid);
    const ended = once(service.child, 'exit');
    service.child.kill('SIGKILL');
    await ended;
    const store = await open();
    expect(isSameProcess(engine)).toBe(false);
    expect(await count(store, 'kept')).toBe(1);
  });

  it('ends when the service is killed in the middle of a query', async () => {
    const service = forkModule(import.meta.url, 'open-clickhouse.main', { args: [directory, 'busy'] });
    const { enginePid } = await firstMessage<{ enginePid: number }>(service, 60_000);
    const engine = identityOf(enginePid);
    service.child.kill('SIGKILL');
    expect(await untilEnded(engine, 15_000)).toBe(true);
  });

  it('refuses a second service and names the first', async () => {
    await open();
    const second = openClickHouse({ url: undefined, directory });
    await expect(second).rejects.toThrow(DirectoryHeld);
    await expect(second).rejects.toThrow(`held by process ${process.pid}`);
  });

  it('lets a running statement end before it stops', async () => {
    const engine = await EngineProcess.start({ directory, queriesMax: 2, report: () => {} });
    const client = createClient({ url: engine.url, ...engine.login, log: { level: ClickHouseLogLevel.OFF } });
    const slow = client.query({ query: 'SELECT sleep(1.5) AS s', format: 'JSONEachRow' });
    await eventually(async () => {
      const answer = await client.query({ query: 'SELECT count() AS n FROM system.processes', format: 'JSONEachRow' });
      const [row] = await answer.json<{ n: number }>();
      return Number(row?.n) === 2;
    });
    const child = identityOf(engine.pid ?? 0);
    await engine.close();
    expect(isSameProcess(child)).toBe(false);
    expect(await (await slow).json()).toEqual([{ s: 0 }]);
    await client.close();
  });
});

describe('a crash of the engine', () => {
  it('in the middle of an insert is retryable, and the same token makes it exactly once', async () => {
    const store = await open();
    await store.client.command({
      query:
        'CREATE TABLE facts (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100',
    });
    const lines = Array.from({ length: 1_000 }, (_, n) => `${n}\n`);
    const insert = (killAt: number): Promise<unknown> =>
      store.client.insert({
        table: 'facts',
        values: Readable.from(
          (function* () {
            for (const [at, line] of lines.entries()) {
              if (at === killAt) process.kill(store.pid() ?? 0, 'SIGKILL');
              yield line;
            }
          })(),
          { objectMode: false },
        ),
        format: 'TabSeparated',
        clickhouse_settings: { insert_deduplication_token: 'chunk-1' },
      });
    const failure = await insert(500).catch((error: unknown) => error);
    expect(isRetryable(failure)).toBe(true);
    await eventually(async () => {
      await insert(-1);
      return true;
    });
    await insert(-1);
    expect(await count(store, 'facts')).toBe(1_000);
  });

  it('again and again is survived, at the same address', async () => {
    const store = await open();
    const { url } = store;
    for (let round = 0; round < 3; round += 1) {
      const pid = store.pid() ?? 0;
      process.kill(pid, 'SIGKILL');
      await eventually(async () => store.pid() !== pid && (await store.client.ping()).success);
    }
    expect(store.url).toBe(url);
  });

  it('leaves no rows of a request that was cut off lying about', async () => {
    const store = await open();
    await store.client.command({ query: 'CREATE TABLE facts (n UInt64) ENGINE = MergeTree ORDER BY n' });
    const stop = new AbortController();
    const endless = Readable.from(
      (async function* () {
        for (let n = 0; ; n += 1) {
          yield `${n}\n`;
          if (n === 1_000) stop.abort();
          if (n % 100 === 0) await new Promise(setImmediate);
        }
      })(),
      { objectMode: false },
    );
    const cut = store.client.insert({
      table: 'facts',
      values: endless,
      format: 'TabSeparated',
      abort_signal: stop.signal,
    });
    await expect(cut).rejects.toThrow(/abort/i);
    await eventually(() => readdirSync(join(directory, 'incoming')).length === 0);
    expect(await count(store, 'facts')).toBe(0);
  });
});

describe('a named ClickHouse', () => {
  it('is used as it is, and outlives those that used it', async () => {
    const engine = await EngineProcess.start({ directory, queriesMax: 2, report: () => {} });
    closers.push(() => engine.close());
    const url = new URL(engine.url);
    url.username = engine.login.username;
    url.password = engine.login.password;
    const guest = await openClickHouse({ url: `${url.href}default`, directory });
    expect([guest.kind, guest.pid(), guest.version]).toEqual(['external', undefined, engine.version]);
    expect(guest.url).not.toContain(engine.login.password);
    await guest.close();
    const again = await openClickHouse({ url: url.href, directory });
    await again.close();
  });

  it('that refuses us is an error at once, without the password in it', async () => {
    const engine = await EngineProcess.start({ directory, queriesMax: 2, report: () => {} });
    closers.push(() => engine.close());
    const url = engine.url.replace('//', '//homing:hunter2@');
    const refused = openClickHouse({ url, directory });
    await expect(refused).rejects.toThrow(/cannot be used.*Authentication failed/);
    await expect(refused).rejects.not.toThrow(/hunter2/);
  });

  it('that cannot be reached is an error when time is up', async () => {
    const lost = openClickHouse({ url: 'http://127.0.0.1:1', directory, reachMsMax: 300 });
    await expect(lost).rejects.toThrow(/cannot be used.*ECONNREFUSED/);
  });
});
