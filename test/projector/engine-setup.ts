// A log of its own and projectors on a Redis for the engine tests of the projector, and a way to wait on a position.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { silentMsMax } from '../../src/projector/builds/company.js';
import { DocumentProjector, type DocumentProjectorOptions } from '../../src/projector/builds/document-projector.js';
import { leaseMs } from '../../src/projector/builds/lease.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { DocumentVerifier } from '../../src/projector/operation/document-verifier.js';
import { DocumentOperations } from '../../src/projector/operation/operations.js';
import type { VerifyReport } from '../../src/projector/operation/verifier.js';
import type { DocumentStore } from '../../src/projector/sinks/document-store.js';
import { redisDocuments } from '../../src/projector/sinks/redis-documents.js';
import { systemTimers, type Timers } from '../../src/projector/timers.js';
import { LocalOperations } from '../../src/service/operations/operations.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader } from '../../src/stores/documents/reader.js';
import type { RedisStore } from '../../src/stores/redis/open-redis.js';
import type { RedisClient } from '../../src/stores/redis/redis-endpoint.js';
import { asNewEvent, type SocialEvent } from '../projections/social-history.js';
import { flush, type TestRedis } from './redis-kinds.js';
import { plainDecoder } from './support.js';

const waitMs = 30_000;

/** Everybody's time goes so many times as fast: what is shown of leases and looks is the same, and nobody waits for it. */
const haste = 5;
const hasty: Timers = {
  now: () => systemTimers.now() * haste,
  sleep: (ms, signal) => systemTimers.sleep(ms / haste, signal),
  random: () => systemTimers.random(),
};
const hastyOwners = { leaseMs: leaseMs / haste, silentMsMax: silentMsMax / haste };

export class Setup {
  private projectors: DocumentProjector[] = [];
  private appended = 0;

  private constructor(
    private readonly directory: string,
    private readonly opened: TestRedis,
    readonly log: EmbeddedEventLog,
  ) {}

  /** @param redis is emptied, and stays open: a cluster takes seconds to come up */
  static async open(redis: TestRedis): Promise<Setup> {
    const directory = mkdtempSync(join(tmpdir(), 'homing-projector-'));
    await flush(redis.store.client);
    return new Setup(directory, redis, await openLog(directory));
  }

  get store(): RedisStore {
    return this.opened.store;
  }
  get redis(): RedisClient {
    return this.store.client;
  }
  /** A Redis server dies at once and comes back with what it had. */
  async killRedis(): Promise<void> {
    await this.opened.killOne();
  }

  async close(): Promise<void> {
    await this.stop();
    await this.log.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Ends all projectors that were started. */
  async stop(): Promise<void> {
    await Promise.all(this.projectors.splice(0).map((projector) => projector.close()));
  }

  /** The documents, over any connection to the Redis. */
  storeOn(redis: RedisClient): DocumentStore {
    return redisDocuments(redis, hastyOwners);
  }

  start(
    projections: readonly DocumentProjection[],
    options: Partial<DocumentProjectorOptions> = {},
  ): DocumentProjector {
    const projector = new DocumentProjector({
      log: this.log,
      store: this.storeOn(this.redis),
      timers: hasty,
      decoder: plainDecoder,
      projections,
      shards: 1,
      limits: { ...defaultRunnerLimits, eventsMax: 50 },
      ...options,
    });
    projector.start();
    this.projectors.push(projector);
    return projector;
  }

  /** In this order, and in as few commits as that takes. Gives the position of the last. */
  async append(events: readonly SocialEvent[]): Promise<bigint> {
    const appends = events.map((event) => {
      this.appended += 1;
      return this.log.append(event.stream, [asNewEvent(event, this.appended - 1)], 'any');
    });
    return (await Promise.all(appends)).at(-1)?.position ?? 0n;
  }

  /** What an operator of this code can do. */
  operations(projections: readonly DocumentProjection[], limits: { readonly keysMax?: number } = {}): LocalOperations {
    return new LocalOperations(
      new DocumentOperations({
        log: this.log,
        store: redisDocuments(this.redis),
        decoder: plainDecoder,
        projections,
        shards: 1,
        limits: defaultRunnerLimits,
        nowMs: Date.now,
        ...limits,
      }),
    );
  }

  reader(shards = 1): DocumentReader {
    return new DocumentReader(this.redis, shards);
  }

  /** @throws when the projections do not get there in time */
  async settled(projections: readonly DocumentProjection[], position: bigint, shards = 1): Promise<void> {
    const names = projections.flatMap(({ name }) =>
      Array.from({ length: shards }, (_, shard) => ({ projection: name, shard, shards })),
    );
    const passed = await new Progress(this.reader(shards)).waitFor(names, position, waitMs);
    if (!passed) throw new Error(`not at ${position} after ${waitMs} ms`);
  }

  async verify(projection: DocumentProjection, shard = 0, shards = 1): Promise<VerifyReport> {
    return await new DocumentVerifier({
      log: this.log,
      store: redisDocuments(this.redis),
      decoder: plainDecoder,
      logId: await this.log.id(),
      limits: defaultRunnerLimits,
      projection,
      name: { projection: projection.name, shard, shards },
    }).verify();
  }
}

async function openLog(directory: string): Promise<EmbeddedEventLog> {
  return await EmbeddedEventLog.open(join(directory, 'log'), { durable: false });
}

/** Resolves when the callback says so; for what is told by a listener. */
export function signal<Value = void>(): { readonly fire: (value: Value) => void; readonly fired: Promise<Value> } {
  let fire: (value: Value) => void = () => undefined;
  const fired = new Promise<Value>((resolve) => {
    fire = resolve;
  });
  return { fire, fired };
}
