// The projector on the engines: Redis (real and in JavaScript) and the embedded log. Restarts, losses, other logs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { activeKey, buildPrefix, ownKeys } from '../../src/kernel/document-keys.js';
import { DocumentProjector } from '../../src/projector/builds/document-projector.js';
import type { ProjectorListener } from '../../src/projector/builds/shard-projector.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { redisDocuments } from '../../src/projector/sinks/redis-documents.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader, DocumentsNotReady } from '../../src/stores/documents/reader.js';
import type { RedisStore } from '../../src/stores/redis/open-redis.js';
import { asLogEvents, asNewEvent, type SocialEvent, SocialHistory } from '../projections/social-history.js';
import { documentProjections } from '../usual-settings.js';
import { documentStoreContract } from './document-store.contract.js';
import { flush, kinds, type RedisKind, redisForAll } from './redis-kinds.js';
import { fold, plainDecoder } from './support.js';

const waitMs = 20_000;

const everyKind = [...new Set<RedisKind>([...kinds, 'JavaScript'])];

describe.each(everyKind)('on a Redis that is a %s', (kind) => {
  const redis = redisForAll(kind);
  let directory: string;
  let store: RedisStore;
  let log: EmbeddedEventLog;
  let running: DocumentProjector | undefined;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'homing-projector-'));
    store = redis().store;
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await log?.close();
    await flush(store.client);
  });

  documentStoreContract('a Redis', () => redisDocuments(store.client));

  let serial = 0;
  async function openLog(): Promise<void> {
    serial += 1;
    log = await EmbeddedEventLog.open(join(directory, `log-${serial}`), { durable: false });
  }
  async function append(events: readonly SocialEvent[], first = 0): Promise<bigint> {
    const appends = events.map((event, index) => log.append(event.stream, [asNewEvent(event, first + index)], 'any'));
    return (await Promise.all(appends)).at(-1)?.position ?? 0n;
  }
  function start(listener: ProjectorListener = {}, shards = 1, projections = documentProjections): DocumentProjector {
    running = new DocumentProjector({
      log,
      store: redisDocuments(store.client),
      decoder: plainDecoder,
      projections,
      shards,
      limits: { ...defaultRunnerLimits, eventsMax: 50 },
      listener,
    });
    running.start();
    return running;
  }
  async function settled(position: bigint, shards = 1): Promise<void> {
    const progress = new Progress(new DocumentReader(store.client, shards));
    const names = documentProjections.flatMap(({ name }) =>
      Array.from({ length: shards }, (_, shard) => ({ projection: name, shard, shards })),
    );
    expect(await progress.waitFor(names, position, waitMs)).toBe(true);
  }
  async function expectFold(events: readonly SocialEvent[], shards = 1): Promise<void> {
    for (const projection of documentProjections) {
      for (let shard = 0; shard < shards; shard += 1) {
        const name = { projection: projection.name, shard, shards };
        const { active } = await redisDocuments(store.client).builds(name).list();
        const found = new Map<string, unknown>();
        const sink = redisDocuments(store.client).sink(name, active ?? 0);
        for await (const page of sink.documents()) for (const [key, document] of page) found.set(key, document);
        const expected = new MemorySink();
        await fold(projection, asLogEvents(events), expected, { shard, shards });
        expect(found).toEqual(expected.all());
      }
    }
  }

  it('holds the fold of the log, over a restart and with what comes in live', async () => {
    await openLog();
    const { events } = new SocialHistory(21, 8, 600);
    await append(events.slice(0, 300));
    start();
    await settled(await append(events.slice(300, 500), 300));
    await running?.close();
    await append(events.slice(500), 500);
    start();
    await settled(await log.head());
    await expectFold(events);
  });

  it('holds the same in eight shards', async () => {
    await openLog();
    const { events } = new SocialHistory(22, 8, 300);
    const position = await append(events);
    start({}, 8);
    await settled(position, 8);
    await expectFold(events, 8);
  });

  it('two projectors on the same shards count nothing twice', async () => {
    await openLog();
    const { events } = new SocialHistory(23, 8, 500);
    await append(events.slice(0, 250));
    const first = start();
    start();
    const position = await append(events.slice(250), 250);
    await settled(position);
    await first.close();
    await expectFold(events);
  });

  it.each([
    ['checkpoint', ownKeys.checkpoint],
    ['marker', ownKeys.marker],
  ])('builds again when the %s is gone', async (_what, key) => {
    await openLog();
    const { events } = new SocialHistory(24, 6, 200);
    const position = await append(events);
    start();
    await settled(position);
    await running?.close();
    const name = { projection: 'inbox', shard: 0, shards: 1 };
    await store.client.del(buildPrefix(name, 1) + key);
    await new Promise<void>((resolve) => {
      start({ activated: () => resolve() });
    });
    expect(await store.client.get(activeKey(name))).toBe('2');
    await expectFold(events);
  });

  it('refuses the documents of another log, and readers of that log see none of them', async () => {
    await openLog();
    const { events } = new SocialHistory(25, 4, 60);
    const position = await append(events);
    start();
    await settled(position);
    await running?.close();
    await log.close();
    await openLog();
    const reader = new DocumentReader(store.client, 1, await log.id());
    await expect(reader.checkpoint({ projection: 'inbox', shard: 0, shards: 1 })).rejects.toThrow(DocumentsNotReady);
    expect(await stuckOnce()).toContain('of log');
    // Until somebody says that it is to be built from this one.
    await running?.close();
    const builds = redisDocuments(store.client).builds({ projection: 'cards', shard: 0, shards: 1 });
    const made = await builds.begin();
    await append(events.slice(0, 10));
    await new Promise<void>((resolve) => {
      start({ activated: (name, build) => name.projection === 'cards' && build === made && resolve() });
    });
    expect((await reader.checkpoint({ projection: 'cards', shard: 0, shards: 1 })).logId).toBe(await log.id());
  });

  it('shows nothing of a log that knew more, and everything again when that log is back', async () => {
    await openLog();
    const { events } = new SocialHistory(26, 4, 60);
    const position = await append(events);
    start();
    await settled(position);
    await running?.close();
    const whole = log;
    // As after a restore from an older backup: the same log, with less in it.
    const lessHead = position / 2n;
    log = new Proxy(whole, {
      get: (target, name) => {
        if (name === 'head') return async () => lessHead;
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    expect(await stuckOnce()).toContain('was the log restored?');
    const reader = new DocumentReader(store.client, 1);
    await expect(reader.checkpoint({ projection: 'cards', shard: 0, shards: 1 })).rejects.toThrow(DocumentsNotReady);
    await running?.close();
    log = whole;
    start();
    await settled(position);
    await expectFold(events);
    expect(await store.client.get(activeKey({ projection: 'cards', shard: 0, shards: 1 }))).toBe('1');
  });

  /** Starts a projector and gives what it says when every projection is stuck. */
  async function stuckOnce(): Promise<string> {
    const stuck = new Map<string, string>();
    return await new Promise((resolve) => {
      start({
        stuck: ({ projection }, error) => {
          stuck.set(projection, error.message);
          if (stuck.size === documentProjections.length) resolve(error.message);
        },
      });
    });
  }
});
