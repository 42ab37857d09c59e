// The projector on the engines: Redis (real and in JavaScript) and the embedded log. Restarts, losses, other logs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { documentProjections } from '../../projections/index.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { activeKey, buildPrefix, ownKeys } from '../../src/kernel/document-keys.js';
import { Builds } from '../../src/projector/builds/builds.js';
import { DocumentProjector } from '../../src/projector/builds/document-projector.js';
import type { ProjectorListener } from '../../src/projector/builds/shard-projector.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { RedisSink } from '../../src/projector/sinks/redis-sink.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader } from '../../src/stores/documents/reader.js';
import { openRedis, type RedisStore } from '../../src/stores/redis/open-redis.js';
import { asLogEvents, asNewEvent, type SocialEvent, SocialHistory } from '../projections/social-history.js';
import { sinkContract } from './sink.contract.js';
import { fold, plainDecoder } from './support.js';

const hasServer = spawnSync('redis-server', ['--version']).error === undefined;
if (!hasServer)
  process.stdout.write('no redis-server on PATH: the projector is tested on the JavaScript Redis alone\n');
if (!hasServer && process.env['CI']) throw new Error('CI must have a redis-server');
const engines = [...(hasServer ? [['redis-server', 'redis-server'] as const] : []), ['JavaScript', 'no-such'] as const];

const waitMs = 20_000;

describe.each(engines)('on the %s Redis', (_name, binary) => {
  let directory: string;
  let store: RedisStore;
  let log: EmbeddedEventLog;
  let running: DocumentProjector | undefined;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'homing-projector-'));
    store = await openRedis({ url: undefined, directory: join(directory, 'redis'), binary });
  });
  afterAll(async () => {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await log?.close();
    await store.client.flushall();
  });

  sinkContract('a Redis sink', async () => new RedisSink(store.client, { projection: 'p', shard: 3, shards: 8 }, 2));

  let serial = 0;
  async function openLog(): Promise<void> {
    serial += 1;
    log = await EmbeddedEventLog.open(join(directory, `log-${serial}`), { durable: false });
  }
  async function append(events: readonly SocialEvent[], first = 0): Promise<bigint> {
    let position = 0n;
    for (const [index, event] of events.entries()) {
      position = (await log.append(event.stream, [asNewEvent(event, first + index)], 'any')).position;
    }
    return position;
  }
  function start(listener: ProjectorListener = {}, shards = 1, projections = documentProjections): DocumentProjector {
    running = new DocumentProjector({
      log,
      redis: store.client,
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
        const { active } = await new Builds(store.client, name).list();
        const found = new Map<string, unknown>();
        const sink = new RedisSink(store.client, name, active ?? 0);
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

  it('refuses the documents of another log, and of a log that knew more', async () => {
    await openLog();
    const { events } = new SocialHistory(25, 4, 60);
    const position = await append(events);
    start();
    await settled(position);
    await running?.close();
    await log.close();
    await openLog();
    const stuck: string[] = [];
    await new Promise<void>((resolve) => {
      start({
        stuck: (_, error) => {
          stuck.push(error.message);
          if (stuck.length === documentProjections.length) resolve();
        },
      });
    });
    expect(stuck.every((message) => message.includes('of log'))).toBe(true);
  });
});
