// Redis, an embedded log and projectors for the engine tests of the projector, and a way to wait on a position.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { DocumentProjector, type DocumentProjectorOptions } from '../../src/projector/builds/document-projector.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { DocumentVerifier } from '../../src/projector/operation/document-verifier.js';
import { DocumentOperations } from '../../src/projector/operation/operations.js';
import type { VerifyReport } from '../../src/projector/operation/verifier.js';
import { redisDocuments } from '../../src/projector/sinks/redis-documents.js';
import { LocalOperations } from '../../src/service/operations/operations.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader } from '../../src/stores/documents/reader.js';
import type { RedisStore } from '../../src/stores/redis/open-redis.js';
import type { RedisClient } from '../../src/stores/redis/redis-endpoint.js';
import { asNewEvent, type SocialEvent } from '../projections/social-history.js';
import { oneKind, openKind, type RedisKind, type TestRedis } from './redis-kinds.js';
import { plainDecoder } from './support.js';

const waitMs = 30_000;

export class Setup {
  private projectors: DocumentProjector[] = [];
  private appended = 0;

  private constructor(
    private readonly directory: string,
    private readonly opened: TestRedis,
    readonly log: EmbeddedEventLog,
  ) {}

  static async open(kind: RedisKind = oneKind): Promise<Setup> {
    const directory = mkdtempSync(join(tmpdir(), 'homing-projector-'));
    const redis = await openKind(kind, join(directory, 'redis'));
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
    await this.opened.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Ends all projectors that were started. */
  async stop(): Promise<void> {
    await Promise.all(this.projectors.splice(0).map((projector) => projector.close()));
  }

  start(
    projections: readonly DocumentProjection[],
    options: Partial<DocumentProjectorOptions> = {},
  ): DocumentProjector {
    const projector = new DocumentProjector({
      log: this.log,
      store: redisDocuments(this.redis),
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

  async append(events: readonly SocialEvent[]): Promise<bigint> {
    let position = 0n;
    for (const event of events) {
      position = (await this.log.append(event.stream, [asNewEvent(event, this.appended)], 'any')).position;
      this.appended += 1;
    }
    return position;
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
