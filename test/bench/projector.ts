// The projectors against their limits: the Redis sink and the same commands with nothing behind them; a rebuild of every
// read model and the slower of its two sinks alone; how soon a write is seen; how much memory it takes. The event mix is the demo's.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeHidden } from '../../src/event-log/codec.js';
import { DocumentRunner, defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { decodePage } from '../../src/projector/fold/page.js';
import type { SinkCommit, WriteCommand } from '../../src/projector/sinks/document-sink.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { RedisBuilds } from '../../src/projector/sinks/redis-builds.js';
import { RedisSink } from '../../src/projector/sinks/redis-sink.js';
import { openRedis } from '../../src/stores/redis/open-redis.js';
import { documentProjections } from '../usual-settings.js';
import { asPages, copies, demoEvents, type PlainEvent } from './demo-events.js';
import { benchFacts } from './projector-facts.js';
import { benchLatency } from './projector-latency.js';
import { benchMemory, memoryLane } from './projector-memory.js';
import { benchRebuild } from './projector-rebuild.js';
import { type BenchOptions, type BenchSuite, race } from './suite.js';

const rounds = 5;
const pageEvents = 1_000;
const logId = '11111111-1111-4111-8111-111111111111';

export const benchProjector: BenchSuite = async (options) => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-bench-projector-'));
  try {
    const kept = process.env['BENCH_DEMO_DIR'];
    const demo = () => demoEvents(kept ?? join(directory, 'demo'), options.note);
    if ('documents into Redis'.includes(options.only)) await benchDocuments(directory, await demo(), options);
    if ('facts into ClickHouse'.includes(options.only)) await benchFacts(directory, demo, options);
    if ('rebuild of everything'.includes(options.only)) await benchRebuild(directory, await demo(), options);
    if ('seen after'.includes(options.only)) await benchLatency(directory, options);
    if (memoryLane.includes(options.only)) await benchMemory(directory, await demo(), options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** Remembers what the fold writes, in the order in which it does. */
class Recorder extends MemorySink {
  constructor(
    private readonly name: string,
    private readonly written: WriteCommand[][],
  ) {
    super();
  }

  override async commit(commit: SinkCommit): ReturnType<MemorySink['commit']> {
    const prefix = `bare-${this.name}:`;
    this.written.push(commit.commands.map(([command, key, ...rest]) => [command, prefix + key, ...rest]));
    return await super.commit(commit);
  }
}

async function benchDocuments(directory: string, events: readonly PlainEvent[], options: BenchOptions): Promise<void> {
  const count = options.quick ? 20_000 : events.length;
  const pages = asPages(copies(events, count), pageEvents);
  const store = await openRedis({ url: undefined, directory: join(directory, 'redis') });
  const fold = async (sinkOf: (name: string) => MemorySink | RedisSink): Promise<number> => {
    const runners = documentProjections.map(
      (projection) =>
        new DocumentRunner(projection, sinkOf(projection.name), {
          shard: 0,
          shards: 1,
          logId,
          limits: defaultRunnerLimits,
        }),
    );
    for (const runner of runners) await runner.open();
    for (const runner of runners) await runner.begin();
    const wants = (type: string) => runners.some((runner) => runner.wants(type));
    const began = performance.now();
    for (const page of pages) {
      const decoded = await decodePage(page, { decode: async (event) => decodeHidden(event) }, wants);
      await Promise.all(runners.map((runner) => runner.fold(decoded, runner.position)));
    }
    return count / ((performance.now() - began) / 1_000);
  };
  const written: WriteCommand[][] = [];
  await fold((name) => new Recorder(name, written));
  options.note(`${count} events, ${written.reduce((sum, { length }) => sum + length, 0)} commands`);
  const contenders = [
    {
      subject: 'decode, fold, read, one guarded script per batch',
      measure: async () => {
        await store.client.flushall();
        const nameOf = (projection: string) => ({ projection, shard: 0, shards: 1 });
        for (const { name } of documentProjections) await new RedisBuilds(store.client, nameOf(name)).begin();
        return await fold((projection) => new RedisSink(store.client, nameOf(projection), 1));
      },
    },
    {
      subject: 'the same commands pipelined, nothing behind them',
      measure: async () => {
        await store.client.flushall();
        const began = performance.now();
        for (const batch of written) {
          const pipeline = store.client.pipeline();
          for (const [command, ...words] of batch) pipeline.call(command, ...words);
          await pipeline.exec();
        }
        return count / ((performance.now() - began) / 1_000);
      },
    },
  ];
  await race(
    { lane: 'documents into Redis', unit: 'events/s', contenders, rounds: options.quick ? 1 : rounds },
    options,
  );
  await store.close();
}
