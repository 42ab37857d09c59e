// Runs the builds of the facts in one process: keeps the one that readers read up to date, makes a new one beside it when
// the code asks for it or somebody does, switches when it has caught up, and drops what nobody will go back to.

import type { EventLog } from '../../event-log/event-log.js';
import type { Clock } from '../../kernel/clock.js';
import { Backoff } from '../backoff.js';
import type { FactSource } from './chunk/chunk.js';
import { type ChunkLimits, chunkOfPlan, type Decode } from './chunk/chunk-stream.js';
import { planStream, samplePlans } from './chunk/plan-log.js';
import { ClickHouseSink, FactsLost, type SinkCounters } from './clickhouse-sink.js';
import type { Engine } from './engine.js';
import { activeOf, buildsStream, changeBuild, type FactBuild, nextBuild, readBuilds } from './fact-builds.js';
import { FactTables } from './tables/fact-tables.js';
import { fingerprint } from './tables/schema.js';

export interface FactsListener {
  /** A failure after which it is tried again. */
  fault(error: unknown): void;
  /** Something for an operator to read. */
  told(message: string): void;
}

export interface FactsProjectorOptions {
  readonly log: EventLog;
  readonly engine: Engine;
  readonly source: FactSource;
  readonly decode: Decode;
  readonly clock: Clock;
  readonly limits: ChunkLimits;
  readonly timeZone: string;
  readonly listener: FactsListener;
}

/** How many chunks of a new build are folded once more and compared before readers get it. */
const sampledChunks = 3;

/** One build being kept up to date in this process. */
interface Lane {
  readonly build: number;
  readonly sink: ClickHouseSink;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class FactsProjector {
  private readonly stop = new AbortController();
  private readonly fingerprint: string;
  private readonly lanes = new Map<number, Lane>();
  private running: Promise<void> | undefined;

  constructor(private readonly options: FactsProjectorOptions) {
    this.fingerprint = fingerprint(options.timeZone, options.source.projection.version);
  }

  get name(): string {
    return this.options.source.projection.name;
  }

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  /** The furthest any build of this process has come. */
  get position(): bigint {
    return [...this.lanes.values()].reduce((most, { sink }) => (sink.position > most ? sink.position : most), 0n);
  }

  counters(): ReadonlyMap<number, SinkCounters> {
    return new Map([...this.lanes].map(([build, { sink }]) => [build, sink.counters]));
  }

  /** Asks for a new build beside the one that is read; whichever process runs the facts begins it. */
  async rebuild(): Promise<number> {
    for (;;) {
      const seen = await readBuilds(this.options.log, this.name);
      const begun = seen.builds.find((one) => one.state === 'building' && one.fingerprint === this.fingerprint);
      if (begun) return begun.build;
      const build = nextBuild(seen);
      const change = { type: 'BuildStarted', build, fingerprint: this.fingerprint } as const;
      if (await changeBuild(this.options.log, this.name, seen, change)) return build;
    }
  }

  private async run(): Promise<void> {
    const { signal } = this.stop;
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        await this.place();
        // Whoever changes the builds, in this process or another, is heard of through their stream.
        const { revision } = await readBuilds(this.options.log, this.name);
        const pages = this.options.log.subscribeStream(buildsStream(this.name), {
          ...(revision < 0 ? {} : { after: revision }),
          signal,
        });
        await this.place();
        backoff.reset();
        for await (const page of pages) if (page.kind === 'events') await this.place();
      } catch (error) {
        if (!signal.aborted) this.options.listener.fault(error);
      }
      if (!signal.aborted) await backoff.wait(signal);
    }
    await Promise.all([...this.lanes.values()].map((lane) => this.end(lane)));
  }

  /** Looks at the builds and sees to it that the right ones run here. */
  private async place(): Promise<void> {
    const seen = await readBuilds(this.options.log, this.name);
    const active = activeOf(seen);
    const current = active?.fingerprint === this.fingerprint ? active : undefined;
    const building = seen.builds.filter(({ state }) => state === 'building');
    for (const lane of this.lanes.values()) {
      const state = seen.builds.find(({ build }) => build === lane.build)?.state;
      if (state !== 'active' && state !== 'building') await this.end(lane);
    }
    if (current) this.begin(current);
    for (const build of building) {
      if (build.fingerprint === this.fingerprint) this.begin(build);
      else await changeBuild(this.options.log, this.name, seen, { type: 'BuildAborted', build: build.build });
    }
    if (!current && !building.some((build) => build.fingerprint === this.fingerprint)) {
      if (active) this.options.listener.told(`the facts are built anew: build ${active.build} was made by other code`);
      await this.rebuild();
      await this.place();
      return;
    }
    if (active) await this.publish(active, seen.revision);
    await this.tidy();
  }

  private begin({ build, state }: FactBuild): void {
    if (this.lanes.has(build)) return;
    const { log, source, decode, clock, limits } = this.options;
    const tables = this.tables(build);
    const sink = new ClickHouseSink({ log, tables, source, decode, clock, limits, sink: this.name, build });
    const stop = new AbortController();
    const ended = this.keep(sink, stop.signal, build);
    this.lanes.set(build, { build, sink, stop, ended });
    if (state === 'building') void this.activateWhenReady(build, sink, stop.signal);
  }

  private async end(lane: Lane): Promise<void> {
    this.lanes.delete(lane.build);
    lane.stop.abort();
    await lane.ended;
  }

  /** Runs a sink until it is stopped; a failure is tried again, a loss asks for a new build. */
  private async keep(sink: ClickHouseSink, signal: AbortSignal, build: number): Promise<void> {
    const backoff = new Backoff();
    const reset = sink.onProgress(() => backoff.reset());
    while (!signal.aborted) {
      try {
        await sink.run(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.options.listener.fault(error);
        if (error instanceof FactsLost) {
          await this.replaceLost(build);
          break;
        }
        await backoff.wait(signal);
      }
    }
    reset();
  }

  /** Aborts a build that is not whole; unless another one is being made already, one is begun. */
  private async replaceLost(build: number): Promise<void> {
    const seen = await readBuilds(this.options.log, this.name);
    await changeBuild(this.options.log, this.name, seen, { type: 'BuildAborted', build });
  }

  /** Waits until the new build is as far as the log was a moment ago, then switches. */
  private async activateWhenReady(build: number, sink: ClickHouseSink, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff();
    while (!signal.aborted) {
      try {
        await sink.reaches(await this.options.log.head(), signal);
        // What was written while it came here is little; the next look must find it gone.
        const head = await this.options.log.head();
        await sink.reaches(head, signal);
        if (signal.aborted) return;
        await this.compare(build);
        if (await this.activate(build, sink, signal)) return;
      } catch (error) {
        if (!signal.aborted) this.options.listener.fault(error);
        await backoff.wait(signal);
      }
    }
  }

  /** Stops the old build first, so that the new one is never behind what a reader has seen. */
  private async activate(build: number, sink: ClickHouseSink, signal: AbortSignal): Promise<boolean> {
    const seen = await readBuilds(this.options.log, this.name);
    if (seen.builds.find((one) => one.build === build)?.state !== 'building') return true;
    const active = activeOf(seen);
    const lane = active && this.lanes.get(active.build);
    if (lane) {
      await this.end(lane);
      await sink.reaches(lane.sink.position, signal);
    }
    if (active) {
      const progress = await this.tables(active.build).progress();
      if (progress) await sink.reaches(progress.position, signal);
    }
    if (signal.aborted) return false;
    return await changeBuild(this.options.log, this.name, seen, { type: 'BuildActivated', build });
  }

  /** Folds some chunks of a new build once more and compares every row and roll-up. @throws Error on a difference */
  private async compare(build: number): Promise<void> {
    const stream = planStream(this.name, build);
    for (const plan of await samplePlans(this.options.log, stream, sampledChunks)) {
      const chunk = await chunkOfPlan({ ...this.options, stream }, plan);
      const differences = chunk ? await this.tables(build).differences(plan, chunk) : ['what was planned'];
      if (differences.length > 0) {
        throw new Error(`build ${build} differs from the log in chunk ${plan.id}: ${differences.join(', ')}`);
      }
    }
  }

  /** Tells readers, beside the data, which build they read; and keeps the plain names for people who write SQL. */
  private async publish({ build }: FactBuild, activation: number): Promise<void> {
    await this.tables(build).publish(activation);
  }

  /** Keeps the newest build that is not read any more, for a rollback, and drops the others. */
  private async tidy(): Promise<void> {
    const seen = await readBuilds(this.options.log, this.name);
    const kept = seen.builds.filter(({ state }) => state === 'kept').map(({ build }) => build);
    const newest = Math.max(0, ...kept);
    // A build that was lost is better than none until another one can be read.
    if (!activeOf(seen)) return;
    const gone = seen.builds.find(({ build, state }) => state === 'aborted' || (state === 'kept' && build !== newest));
    if (!gone || this.lanes.has(gone.build)) return;
    await this.tables(gone.build).drop();
    await changeBuild(this.options.log, this.name, seen, { type: 'BuildDropped', build: gone.build });
  }

  private tables(build: number): FactTables {
    const { engine, source, timeZone } = this.options;
    return new FactTables(engine, source, { sink: this.name, build, timeZone });
  }
}
