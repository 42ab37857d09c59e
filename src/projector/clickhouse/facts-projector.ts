// Runs the builds of the facts in one process: keeps the one that readers read up to date, makes a new one beside it when
// the code asks for it or somebody does, switches when it has caught up, and drops what nobody will go back to.

import type { EventLog } from '../../event-log/event-log.js';
import type { Clock } from '../../kernel/clock.js';
import { Backoff } from '../backoff.js';
import { systemTimers, type Timers } from '../timers.js';
import { beginBuild } from './builds/begin-build.js';
import { BuildDiffers, checkBuild } from './builds/build-check.js';
import {
  activeOf,
  buildsStream,
  changeBuild,
  type FactBuild,
  type FactBuilds,
  givenUp,
  readBuilds,
  untilChanged,
} from './builds/fact-builds.js';
import { FactLane } from './builds/fact-lane.js';
import type { FactSource } from './chunk/chunk.js';
import { type ChunkLimits, type CutLog, cutLog, type Decode } from './chunk/chunk-stream.js';
import { planStream } from './chunk/plan-log.js';
import { ClickHouseSink, type SinkCounters } from './clickhouse-sink.js';
import type { BuildTables, FactStore, PublishedBuilds } from './tables/fact-store.js';
import { fingerprint } from './tables/schema.js';
import { type FactsLease, whileOurTurn } from './turn.js';

export interface FactsListener {
  /** A failure after which it is tried again. */
  fault(error: unknown): void;
  /** Something for an operator to read. */
  told(message: string): void;
  /** A chunk of so many rows is in. */
  sunk?(build: number, rows: number): void;
}

export interface FactsProjectorOptions {
  readonly log: EventLog;
  readonly store: FactStore;
  readonly source: FactSource;
  readonly decode: Decode;
  /** Where the log is read and folded; default: in this thread. */
  readonly cutLog?: CutLog;
  readonly clock: Clock;
  readonly limits: ChunkLimits;
  readonly timeZone: string;
  readonly listener: FactsListener;
  /** Whose turn it is, where several processes can fill the facts; absent: this one is alone. */
  readonly lease?: FactsLease;
  /** Absent: the system's. */
  readonly timers?: Timers;
}

export class FactsProjector {
  private readonly stop = new AbortController();
  private readonly fingerprint: string;
  private readonly published: PublishedBuilds;
  private readonly timers: Timers;
  private readonly lanes = new Map<number, FactLane>();
  private running: Promise<void> | undefined;

  constructor(private readonly options: FactsProjectorOptions) {
    this.fingerprint = fingerprint(options.timeZone, options.source.projection.version);
    this.published = options.store.published;
    this.timers = options.timers ?? systemTimers;
  }

  get name(): string {
    return this.options.source.projection.name;
  }

  start(): void {
    this.running ??= whileOurTurn(this.options.lease, this.stop.signal, (signal) => this.run(signal), this.timers);
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  counters(): ReadonlyMap<number, SinkCounters> {
    return new Map([...this.lanes].map(([build, { sink }]) => [build, sink.counters]));
  }

  /** Asks for a new build beside the one that is read; whichever process runs the facts begins it. */
  async rebuild(): Promise<number> {
    return await beginBuild({
      ...this.options,
      published: this.published,
      sink: this.name,
      fingerprint: this.fingerprint,
    });
  }

  private async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.timers);
    while (!signal.aborted) {
      try {
        await this.place(signal);
        // Whoever changes the builds, in this process or another, is heard of through their stream.
        const { revision } = await readBuilds(this.options.log, this.name);
        const pages = this.options.log.subscribeStream(buildsStream(this.name), {
          ...(revision < 0 ? {} : { after: revision }),
          signal,
        });
        await this.place(signal);
        backoff.reset();
        for await (const page of pages) if (page.kind === 'events') await this.place(signal);
      } catch (error) {
        if (!signal.aborted) this.options.listener.fault(error);
      }
      if (!signal.aborted) await backoff.wait(signal);
    }
    await Promise.all([...this.lanes.values()].map((lane) => lane.end()));
  }

  /** Looks at the builds and sees to it that the right ones run here. */
  private async place(signal: AbortSignal): Promise<void> {
    const seen = await this.agreedBuilds();
    const active = activeOf(seen);
    const current = active?.fingerprint === this.fingerprint ? active : undefined;
    const building = seen.builds.filter(({ state }) => state === 'building');
    for (const lane of this.lanes.values()) {
      const state = stateOf(seen, lane.build);
      if (state !== 'active' && state !== 'building') await lane.end();
    }
    if (signal.aborted) return;
    if (current) this.begin(current);
    for (const build of building) {
      if (build.fingerprint === this.fingerprint) await this.make(build);
      else await changeBuild(this.options.log, this.name, seen, givenUp(build));
    }
    if (!current && !building.some((build) => build.fingerprint === this.fingerprint)) {
      if (this.newestOfThisCode(seen)?.refusal !== undefined) return;
      if (active) this.options.listener.told(`the facts are built anew: build ${active.build} was made by other code`);
      await this.rebuild();
      await this.place(signal);
      return;
    }
    if (active) await this.tables(active.build).showPlainly();
    await this.tidy();
  }

  private newestOfThisCode({ builds }: FactBuilds): FactBuild | undefined {
    return builds.filter((one) => one.fingerprint === this.fingerprint).toSorted((a, b) => b.build - a.build)[0];
  }

  /**
   * The builds by the log, once what ClickHouse tells readers agrees with them. ClickHouse is looked at first: what it
   * knows was in the log before, unless the log was put back to an earlier state. @throws Error at another log's facts
   */
  private async agreedBuilds(): Promise<FactBuilds> {
    const { log } = this.options;
    const [marked, told] = [await this.published.marked(), await this.published.read()];
    const logId = await log.id();
    const foreign = marked.find((one) => one.logId !== logId);
    if (foreign) {
      throw new Error(
        `ClickHouse holds facts of log ${foreign.logId}, this is log ${logId}: give each deployment a database of its own, or empty this one`,
      );
    }
    const seen = await readBuilds(log, this.name);
    const active = activeOf(seen);
    if (told.build === (active?.build ?? 0)) return seen;
    const activation = told.activation + 1;
    if (!active) {
      // Nothing is better than figures of a log that is not this one, or of tables that lost some of their rows.
      await this.published.write({ build: 0, activation });
      await this.tables(told.build).hidePlainNames();
    } else if (told.activation < active.activation) {
      await this.tables(active.build).create();
      await this.published.write(active);
    } else {
      await changeBuild(log, this.name, seen, { type: 'BuildActivated', build: active.build, activation });
      return await this.agreedBuilds();
    }
    return seen;
  }

  /** One that was read, or given up, and is gone back to may run here already, without anybody who would switch to it. */
  private async make(building: FactBuild): Promise<void> {
    const lane = this.lanes.get(building.build);
    if (lane && !lane.isAccompanied) await lane.end();
    this.begin(building);
  }

  private begin({ build, state }: FactBuild): void {
    if (this.lanes.has(build)) return;
    const { log, source, decode, listener } = this.options;
    const { timers } = this;
    const sink = new ClickHouseSink({
      cutLog: (options) => cutLog(log, source, decode, options, timers),
      ...this.options,
      tables: this.tables(build),
      sink: this.name,
      build,
      sunk: (rows) => listener.sunk?.(build, rows),
      timers,
    });
    const lane = new FactLane(
      build,
      sink,
      {
        fault: (error) => listener.fault(error),
        lost: () => this.giveUp(build),
        ...(state === 'building' ? { beside: (signal) => this.activateWhenReady(build, sink, signal) } : {}),
      },
      timers,
    );
    this.lanes.set(build, lane);
    void lane.ended.then(() => {
      if (this.lanes.get(build) === lane) this.lanes.delete(build);
    });
  }

  /** Readers do not read it any more; where no other one is being made, one is begun when this is heard of. */
  private async giveUp(build: number, refusal?: string): Promise<void> {
    await untilChanged(this.options.log, this.name, (seen) => {
      const state = stateOf(seen, build);
      // A comparison keeps a build from readers; one that another process gave them meanwhile is not taken away.
      if (state !== 'building' && (state !== 'active' || refusal !== undefined)) return undefined;
      return { type: 'BuildAborted', build, ...(refusal === undefined ? {} : { refusal }) };
    });
  }

  /** Waits until the new build is as far as the log was a moment ago, then switches. */
  private async activateWhenReady(build: number, sink: ClickHouseSink, signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.timers);
    while (!signal.aborted) {
      try {
        await sink.reaches(await this.options.log.head(), signal);
        // What was written while it came here is little; the next look must find it gone.
        const head = await this.options.log.head();
        await sink.reaches(head, signal);
        if (signal.aborted) return;
        await this.check(build);
        if (await this.activate(build, sink, signal)) return;
      } catch (error) {
        if (signal.aborted) return;
        this.options.listener.fault(error);
        if (error instanceof BuildDiffers && (await this.refuse(build, error))) return;
        await backoff.wait(signal);
      }
    }
  }

  private async check(build: number): Promise<void> {
    const active = activeOf(await readBuilds(this.options.log, this.name));
    const other = active?.fingerprint === this.fingerprint ? this.tables(active.build) : undefined;
    const from = { ...this.options, timers: this.timers, stream: planStream(this.name, build) };
    await checkBuild({ ...from, build, tables: this.tables(build), ...(other ? { other } : {}) });
  }

  /** Not tried again: what differs once differs always, and a person has to see it. */
  private async refuse(build: number, { message }: BuildDiffers): Promise<boolean> {
    return await this.giveUp(build, message).then(
      () => true,
      (error: unknown) => {
        this.options.listener.fault(error);
        return false;
      },
    );
  }

  /** Stops the old build first, so that the new one is never behind what a reader has seen. */
  private async activate(build: number, sink: ClickHouseSink, signal: AbortSignal): Promise<boolean> {
    const seen = await readBuilds(this.options.log, this.name);
    if (stateOf(seen, build) !== 'building') return true;
    const active = activeOf(seen);
    const lane = active && this.lanes.get(active.build);
    try {
      await lane?.end();
      const progress = active && (await this.tables(active.build).progress());
      if (progress) await sink.reaches(progress.position, signal);
      if (signal.aborted) return false;
      const known = Math.max(seen.revision, (await this.published.read()).activation);
      const change = { type: 'BuildActivated', build, activation: known + 1 } as const;
      if (await changeBuild(this.options.log, this.name, seen, change)) return true;
    } catch (error) {
      if (active && lane) this.begin(active);
      throw error;
    }
    if (active && lane) this.begin(active);
    return false;
  }

  /** Keeps the newest build that is not read any more, for a rollback, and drops the others. */
  private async tidy(): Promise<void> {
    const there = await this.published.there();
    // What readers are told must agree with it: they read no build that is dropped here.
    const seen = await this.agreedBuilds();
    // As long as nothing can be read there is nothing to be tidied up for.
    if (!activeOf(seen)) return;
    const newest = Math.max(0, ...seen.builds.filter(({ state }) => state === 'kept').map(({ build }) => build));
    const gone = seen.builds.find(({ build, state }) => state === 'aborted' || (state === 'kept' && build !== newest));
    // Of a log that was put back since, or made again by a process that was away when they were dropped.
    const forgotten = [...there].filter((build) => (stateOf(seen, build) ?? 'dropped') === 'dropped');
    for (const build of forgotten) await this.tables(build).drop();
    if (!gone || this.lanes.has(gone.build)) return;
    await this.tables(gone.build).drop();
    await changeBuild(this.options.log, this.name, seen, { type: 'BuildDropped', build: gone.build });
  }

  private tables(build: number): BuildTables {
    return this.options.store.tables(build);
  }
}

function stateOf({ builds }: FactBuilds, build: number): FactBuild['state'] | undefined {
  return builds.find((one) => one.build === build)?.state;
}
