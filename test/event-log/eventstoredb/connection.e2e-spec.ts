// Connection strings: plain, with TLS and a user, with discovery; a server that is restarted, away, or refuses; and
// nothing left open when all is closed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventLogError, LogUnavailable } from '../../../src/event-log/event-log.js';
import { EventStoreDbEventLog } from '../../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { selfSignedCertificate } from '../protocol/self-signed-certificate.js';
import { type Served, serveLog } from '../protocol/serve-log.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import { allOf, impatient, newEvent } from './new-events.js';

const open: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const opened of open.splice(0).toReversed()) await opened.close();
});

function connect(url: string, settings = {}): EventStoreDbEventLog {
  const log = EventStoreDbEventLog.open(url, { ...impatient, ...settings });
  open.push(log);
  return log;
}

async function works(log: EventStoreDbEventLog): Promise<void> {
  const event = newEvent();
  const stream = `works-${event.id}`;
  await log.append(stream, [event], 'no_stream');
  expect((await allOf(log.readStream(stream))).map(({ id }) => id)).toEqual([event.id]);
}

describe('a plain server', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serveLog();
  });
  afterAll(() => served.close());

  it.each([
    ['by its address', (port: number) => `esdb://127.0.0.1:${port}?tls=false`],
    ['by its newer scheme', (port: number) => `kurrentdb://127.0.0.1:${port}?tls=false`],
    ['by discovery', (port: number) => `esdb+discover://127.0.0.1:${port}?tls=false`],
    ['by discovery under the newer scheme', (port: number) => `kurrentdb+discover://127.0.0.1:${port}?tls=false`],
    ['by a list of seeds of which one is away', (port: number) => `esdb://127.0.0.1:1,127.0.0.1:${port}?tls=false`],
  ])('%s', async (_, url) => {
    await works(connect(url(served.port)));
  });

  it('has one id for all who ask, whoever comes first, and it is that of the log in process', async () => {
    const logs = Array.from({ length: 8 }, () => connect(served.url));
    expect(new Set(await Promise.all(logs.map((log) => log.id())))).toEqual(new Set([await served.log.id()]));
  });

  it('is restarted: appends, reads and subscriptions go on', async () => {
    const log = connect(served.url);
    const stop = new AbortController();
    const seen: string[] = [];
    const subscription = (async () => {
      for await (const page of log.subscribeStream('restarted', { signal: stop.signal })) {
        if (page.kind === 'events') seen.push(...page.events.map(({ id }) => id));
        if (seen.length === 40) return;
      }
    })();
    const ids: string[] = [];
    const appending = (async () => {
      for (let i = 0; i < 40; i++) {
        const event = newEvent();
        await log.append('restarted', [event], i === 0 ? 'no_stream' : i - 1);
        ids.push(event.id);
        if (i % 10 === 5) await served.restart();
      }
    })();
    await Promise.all([appending, subscription]);
    expect(seen).toEqual(ids);
    expect((await allOf(log.readStream('restarted'))).map(({ id }) => id)).toEqual(ids);
  });

  it('is told apart from one that is full of appends', async () => {
    const log = connect(served.url, { inFlightBytesMax: 1_000 });
    const large = () => ({ ...newEvent(), data: Buffer.alloc(900) });
    const results = await Promise.allSettled(
      ['a', 'b', 'c'].map((name) => log.append(`full-${name}`, [large()], 'any')),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'log-unavailable', retryable: true } });
    await works(log);
  });
});

describe('a server with TLS and a user', () => {
  let served: Served;
  let directory: TemporaryDirectory;
  let authority: string;
  beforeAll(async () => {
    directory = temporaryDirectory();
    const tls = selfSignedCertificate();
    authority = encodeURIComponent(join(directory.path, 'ca.pem'));
    writeFileSync(join(directory.path, 'ca.pem'), tls.certificate);
    const passwordCheck = (user: string, password: string) => user === 'writer' && password === 'p@ss:word';
    served = await serveLog({ server: { tls, passwordCheck } });
  });
  afterAll(async () => {
    await served.close();
    directory.remove();
  });
  const user = 'writer:p%40ss%3Aword';

  it('takes them', async () => {
    await works(connect(`esdb://${user}@localhost:${served.port}?tlsCAFile=${authority}`));
    await works(connect(`esdb+discover://${user}@127.0.0.1:${served.port}?tls=true&tlsCAFile=${authority}`));
  });

  it('denies another password, and none', async () => {
    for (const who of ['writer:wrong@', '']) {
      const log = connect(`esdb://${who}localhost:${served.port}?tlsCAFile=${authority}`);
      await expect(log.append('s', [newEvent()], 'any')).rejects.toMatchObject({ code: 'access-denied' });
      await expect(log.head()).rejects.toMatchObject({ code: 'access-denied' });
      await expect(log.deleteStream('s', 'any')).rejects.toMatchObject({ code: 'access-denied' });
      const { signal } = new AbortController();
      await expect(log.subscribeAll({ signal }).next()).rejects.toBeInstanceOf(EventLogError);
    }
  });

  it('is not talked to when its certificate is not trusted', async () => {
    const log = connect(`esdb://${user}@localhost:${served.port}`, { giveUpAfterMs: 200 });
    await expect(log.head()).rejects.toBeInstanceOf(LogUnavailable);
  });

  it('a certificate file that is missing is an error at once', () => {
    expect(() => EventStoreDbEventLog.open('esdb://localhost:1?tlsCAFile=/not/there.pem')).toThrow(/not found/);
  });
});

describe('no server', () => {
  it.each([
    ['at the address', 'esdb://127.0.0.1:1?tls=false'],
    ['to discover', 'esdb+discover://127.0.0.1:1?tls=false&maxDiscoverAttempts=1&discoveryInterval=1'],
  ])('%s: unavailable, after trying', async (_, url) => {
    const log = connect(url, { giveUpAfterMs: 150 });
    await expect(log.append('s', [newEvent()], 'any')).rejects.toBeInstanceOf(LogUnavailable);
    await expect(log.head()).rejects.toBeInstanceOf(LogUnavailable);
    await expect(log.tombstoneStream('s', 'any')).rejects.toBeInstanceOf(LogUnavailable);
  });

  it('a text that is no connection string is an error at once', () => {
    expect(() => EventStoreDbEventLog.open('http://127.0.0.1:2113')).toThrow(/esdb:\/\//);
  });

  it('closing ends what waits: appends, reads, subscriptions', async () => {
    const log = EventStoreDbEventLog.open('esdb://127.0.0.1:1?tls=false', impatient);
    const waiting = [
      log.append('s', [newEvent()], 'any'),
      allOf(log.readAll()),
      log.subscribeAll({ signal: new AbortController().signal }).next(),
      log.deleteStream('s', 'any'),
    ].map((promise) => Promise.resolve<unknown>(promise).catch((error: unknown) => error));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await log.close();
    for (const settled of await Promise.all(waiting)) expect(settled).toBeInstanceOf(EventLogError);
    await expect(log.append('s', [newEvent()], 'any')).rejects.toBeInstanceOf(EventLogError);
  });
});

describe('closing', () => {
  /** Sockets, servers and timers that keep this process from ending. */
  const handles = () =>
    process.getActiveResourcesInfo().filter((kind) => /TCP|TLS|Timeout|Immediate/.test(kind)).length;

  it('leaves nothing behind, many times over', async () => {
    const served = await serveLog();
    const cycle = async () => {
      const log = EventStoreDbEventLog.open(served.url, impatient);
      const stop = new AbortController();
      const subscriptions = [
        log.subscribeAll({ signal: stop.signal }),
        log.subscribeStream('s', { signal: stop.signal }),
      ];
      await Promise.all([
        log.append('s', [newEvent()], 'any'),
        log.head(),
        ...subscriptions.map((pages) => pages.next()),
      ]);
      for await (const page of log.readAll()) if (page.length > 0) break;
      stop.abort();
      await Promise.all(subscriptions.map((pages) => pages.return(undefined)));
      await log.close();
    };
    await cycle();
    const before = handles();
    for (let i = 0; i < 25; i++) await cycle();
    // Sockets end in their own time; settle on their number, not on a moment.
    for (let tries = 0; handles() > before && tries < 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(handles()).toBeLessThanOrEqual(before);
    await served.close();
  });

  it('of a server leaves nothing behind either, whatever its clients still do', async () => {
    const before = handles();
    for (let i = 0; i < 5; i++) {
      const served = await serveLog();
      const log = EventStoreDbEventLog.open(served.url, impatient);
      const stop = new AbortController();
      const pages = log.subscribeAll({ signal: stop.signal });
      await log.append('s', [newEvent()], 'any');
      await pages.next();
      const started = Date.now();
      await served.close();
      expect(Date.now() - started).toBeLessThan(1_500);
      stop.abort();
      await pages.return(undefined);
      await log.close();
    }
    for (let tries = 0; handles() > before && tries < 200; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(handles()).toBeLessThanOrEqual(before);
  });
});
