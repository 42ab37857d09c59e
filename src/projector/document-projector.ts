// Runs every document projection of this process: finds out which builds are sound, makes the ones that are missing or
// outdated beside the ones that readers read, and switches when a new one has caught up.
import type { EventLog } from '../event-log/event-log.js';
import { decodeCheckpoint, type ShardName } from '../kernel/document-keys.js';
import type { DocumentProjection } from '../kernel/projection.js';
import { Backoff } from './backoff.js';
import { Builds } from './builds.js';
import {
  type BatchReport,
  type BuildMarker,
  DocumentRunner,
  ProjectionStuck,
  type RunnerLimits,
} from './document-runner.js';
import { Lane } from './lane.js';
import type { Decoder } from './page.js';
import { type RedisClient, RedisSink } from './redis-sink.js';

export interface DocumentProjectorOptions {
  readonly log: EventLog;
  readonly redis: RedisClient;
  readonly decoder: Decoder;
  readonly projections: readonly DocumentProjection[];
  readonly shards: number;
  readonly limits: RunnerLimits;
  readonly listener?: ProjectorListener;
}

export interface ProjectorListener {
  batch?(name: ShardName, build: number, report: BatchReport): void;
  fault?(error: unknown): void;
  stuck?(name: ShardName, error: ProjectionStuck): void;
  activated?(name: ShardName, build: number): void;
}

interface Placed {
  readonly runner: DocumentRunner;
  readonly builds: Builds;
  readonly build: number;
  /** The build readers read meanwhile; undefined when there is none. */
  readonly replaces: number | undefined;
  active: boolean;
}

export class DocumentProjector {
  private readonly stop = new AbortController();
  private running: Promise<void> | undefined;

  constructor(private readonly options: DocumentProjectorOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        const placed = await this.place();
        const current = placed.filter(({ active }) => active);
        const building = placed.filter(({ active }) => !active);
        await Promise.all([this.lane(current, signal), this.lane(building, signal)]);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.options.listener?.fault?.(error);
        await backoff.wait(signal);
      }
    }
  }

  private async lane(placed: readonly Placed[], signal: AbortSignal): Promise<void> {
    const { log, decoder, listener } = this.options;
    const of = (runner: DocumentRunner) => placed.find((one) => one.runner === runner);
    const lane = new Lane(
      log,
      decoder,
      placed.map(({ runner }) => runner),
      {
        caughtUp: async () => {
          for (const one of placed) if (!one.active) await this.activate(one);
        },
        fault: (error) => listener?.fault?.(error),
        stuck: (runner, error) => {
          const one = of(runner);
          if (one) listener?.stuck?.(one.builds.name, error);
        },
      },
    );
    await lane.run(signal);
  }

  private async activate(placed: Placed): Promise<void> {
    placed.active = true;
    if (await placed.builds.activate(placed.build, placed.replaces)) {
      this.options.listener?.activated?.(placed.builds.name, placed.build);
    }
  }

  private async place(): Promise<Placed[]> {
    const { log, projections, shards } = this.options;
    const [logId, head] = [await log.id(), await log.head()];
    const placed: Placed[] = [];
    for (const projection of projections) {
      for (let shard = 0; shard < shards; shard += 1) {
        const name = { projection: projection.name, shard, shards };
        try {
          placed.push(await this.placeOne(projection, name, logId, head));
        } catch (error) {
          if (!(error instanceof ProjectionStuck)) throw error;
          this.options.listener?.stuck?.(name, error);
        }
      }
    }
    return placed;
  }

  private async placeOne(
    projection: DocumentProjection,
    name: ShardName,
    logId: string,
    head: bigint,
  ): Promise<Placed> {
    const builds = new Builds(this.options.redis, name);
    const { active, states } = await builds.list();
    if (active !== undefined) {
      const verdict = await this.judge(projection, name, active, logId, head);
      if (verdict === 'sound') return this.placed(projection, builds, active, undefined, logId, true);
      if (verdict === 'lost') await builds.deactivate();
      if (verdict === 'lost') await builds.mark(active, 'aborted');
      const replaces = verdict === 'outdated' ? active : undefined;
      return this.placed(projection, builds, await builds.begin(), replaces, logId, false);
    }
    // A first build that was not finished goes on, if it is still the same one.
    for (const [build, state] of states) {
      if (state !== 'building') continue;
      const verdict = await this.judge(projection, name, build, logId, head);
      if (verdict === 'sound') return this.placed(projection, builds, build, undefined, logId, false);
      await builds.mark(build, 'aborted');
    }
    return this.placed(projection, builds, await builds.begin(), undefined, logId, false);
  }

  /**
   * sound: goes on. outdated: of another code version, readable. lost: its data are not whole.
   * @throws ProjectionStuck when it belongs to another log, or knows more than the log does.
   */
  private async judge(
    projection: DocumentProjection,
    name: ShardName,
    build: number,
    logId: string,
    head: bigint,
  ): Promise<'sound' | 'outdated' | 'lost'> {
    const state = await new RedisSink(this.options.redis, name, build).state();
    const marker = state.marker === undefined ? undefined : (JSON.parse(state.marker) as BuildMarker);
    const checkpoint = state.checkpoint === undefined ? undefined : decodeCheckpoint(state.checkpoint);
    if (!marker || !checkpoint) return 'lost';
    if (marker.logId !== logId || checkpoint.logId !== logId) {
      throw new ProjectionStuck(
        projection.name,
        `Redis holds build ${build} of log ${marker.logId}, this is log ${logId}; rebuild it with homing rebuild, or use another Redis`,
      );
    }
    if (checkpoint.position > head) {
      throw new ProjectionStuck(
        projection.name,
        `build ${build} stands at ${checkpoint.position}, beyond the head of the log (${head}): was the log restored? Rebuild it with homing rebuild`,
      );
    }
    return marker.version === projection.version ? 'sound' : 'outdated';
  }

  private placed(
    projection: DocumentProjection,
    builds: Builds,
    build: number,
    replaces: number | undefined,
    logId: string,
    active: boolean,
  ): Placed {
    const { redis, shards, limits, listener } = this.options;
    const report = (batch: BatchReport) => listener?.batch?.(builds.name, build, batch);
    const sink = new RedisSink(redis, builds.name, build);
    const runner = new DocumentRunner(projection, sink, { shard: builds.name.shard, shards, logId, limits, report });
    return { runner, builds, build, replaces, active };
  }
}
