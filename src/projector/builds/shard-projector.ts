// All document projections of one shard, while this process holds its lease. What there is to do stands beside them, as
// builds with states; this looks at it every second and does it: goes on with sound builds, makes the ones that are
// missing or outdated beside those that readers read, switches when a new one has caught up, clears what was aborted.
import type { EventLog } from '../../event-log/event-log.js';
import type { ShardName } from '../../kernel/document-keys.js';
import type { DocumentProjection } from '../../kernel/projection.js';
import { Backoff } from '../backoff.js';
import { type BatchReport, DocumentRunner, ProjectionStuck, type RunnerLimits } from '../fold/document-runner.js';
import { Lane } from '../fold/lane.js';
import type { Decoder } from '../fold/page.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { systemTimers, type Timers } from '../timers.js';
import { checkBuild, droppedByHand } from './build-check.js';
import { judgeBuild, type LogPlace, type Verdict } from './build-judge.js';
import { type BuildList, type BuildState, type Builds, discard, giveUp, goBackTo, isInTheMaking } from './builds.js';

const lookEveryMs = 1_000;

export interface ShardProjectorOptions {
  readonly log: EventLog;
  readonly store: DocumentStore;
  readonly decoder: Decoder;
  readonly projections: readonly DocumentProjection[];
  readonly shards: number;
  readonly limits: RunnerLimits;
  readonly listener?: ProjectorListener;
  /** Absent: the system's. */
  readonly timers?: Timers;
}

export interface ProjectorListener {
  batch?(name: ShardName, build: number, report: BatchReport): void;
  /** What readers read has come to this position. */
  moved?(name: ShardName, position: bigint): void;
  fault?(error: unknown): void;
  stuck?(name: ShardName, error: ProjectionStuck): void;
  /** It goes again, or for the first time. */
  placed?(name: ShardName, build: number): void;
  activated?(name: ShardName, build: number): void;
}

interface Running {
  readonly builds: Builds;
  readonly build: number;
  readonly runner: DocumentRunner;
  /** Readers read it. */
  active: boolean;
  lane?: Lane;
  /** It has been at the head: from now on it tries to take over, once it has been checked. */
  ripe: boolean;
  check: 'to-do' | 'running' | 'passed' | 'failed';
}

export class ShardProjector {
  /** By projection and build. */
  private readonly running = new Map<string, Running>();
  private readonly lanes = new Set<Promise<void>>();
  private readonly timers: Timers;

  constructor(
    private readonly options: ShardProjectorOptions,
    private readonly shard: number,
  ) {
    this.timers = options.timers ?? systemTimers;
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.timers);
    while (!signal.aborted) {
      try {
        await this.look(signal);
        backoff.reset();
        await this.timers.sleep(lookEveryMs, signal);
      } catch (error) {
        if (signal.aborted) break;
        this.options.listener?.fault?.(error);
        await backoff.wait(signal);
      }
    }
    await Promise.all(this.lanes);
  }

  private async look(signal: AbortSignal): Promise<void> {
    const { log, store, projections, shards } = this.options;
    const at = { id: await log.id(), head: () => log.head() };
    const fresh: Running[] = [];
    for (const projection of projections) {
      const builds = store.builds({ projection: projection.name, shard: this.shard, shards });
      try {
        fresh.push(...(await this.lookAt(projection, builds, at)));
      } catch (error) {
        if (!(error instanceof ProjectionStuck)) throw error;
        this.options.listener?.stuck?.(builds.name, error);
      }
    }
    // Builds that start together go together; those that are read do not wait for those that are made.
    for (const active of [true, false]) {
      const group = fresh.filter((one) => one.active === active);
      if (group.length > 0) this.startLane(group, signal);
    }
    // On a quiet log no lane says that it has caught up again.
    await this.takeOver([...this.running.values()], signal);
  }

  private async lookAt(projection: DocumentProjection, builds: Builds, at: LogPlace): Promise<Running[]> {
    const list = await builds.list();
    await this.dropGone(projection, builds, list);
    const read = await this.readBuild(projection, builds, list, at);
    const making = await this.buildsInTheMaking(projection, builds, list, at);
    const isMaking = making.length > 0 || [...list.states].some((entry) => this.isMaking(projection, entry));
    if (read === 'wanted' && !isMaking) making.push(await this.beginBuild(projection, builds, list, at));
    return typeof read === 'object' ? [read, ...making] : making;
  }

  /** What readers read: to be run, running or hopeless ('as-it-is'), or there is nothing and a build is wanted. */
  private async readBuild(
    projection: DocumentProjection,
    builds: Builds,
    { active, states }: BuildList,
    at: LogPlace,
  ): Promise<Running | 'as-it-is' | 'wanted'> {
    const refused = [...states].find(([, state]) => state === 'refused')?.[0];
    const build = active ?? refused;
    if (build === undefined) return 'wanted';
    if (this.isRunning(projection, build)) return 'as-it-is';
    try {
      const verdict = await this.judge(projection, builds, build, at);
      if (verdict === 'beyond') {
        if (build === active) await builds.move(build, 'active', 'refused');
        throw beyondHead(projection, build);
      }
      if (verdict === 'sound') {
        if (build !== active && !(await builds.move(build, 'refused', 'active'))) return 'as-it-is';
        return this.place(projection, builds, build, true, at.id);
      }
      const state = build === active ? 'active' : 'refused';
      if (verdict !== 'outdated' && !(await builds.move(build, state, 'aborted'))) return 'as-it-is';
      return 'wanted';
    } catch (error) {
      // It needs a person; that person may have asked for a new build.
      if (!(error instanceof ProjectionStuck)) throw error;
      this.options.listener?.stuck?.(builds.name, error);
      return 'as-it-is';
    }
  }

  private async buildsInTheMaking(
    projection: DocumentProjection,
    builds: Builds,
    { states }: BuildList,
    at: LogPlace,
  ): Promise<Running[]> {
    const found: Running[] = [];
    for (const [build, state] of states) {
      if (!isInTheMaking(state) || this.isRunning(projection, build)) continue;
      const verdict = await this.judge(projection, builds, build, at);
      if (verdict === 'sound' || verdict === 'fresh') found.push(this.place(projection, builds, build, false, at.id));
      else if (verdict === 'lost') await discard(builds, build);
      // Other code may still go back to one that was kept.
      else await giveUp(builds, build);
    }
    return found;
  }

  private judge(projection: DocumentProjection, builds: Builds, build: number, at: LogPlace): Promise<Verdict> {
    return judgeBuild(this.options.store.sink(builds.name, build), projection, build, at);
  }

  private isRunning({ name }: DocumentProjection, build: number): boolean {
    return this.running.has(keyOf(name, build));
  }
  private isMaking(projection: DocumentProjection, [build, state]: readonly [number, BuildState]): boolean {
    return isInTheMaking(state) && this.isRunning(projection, build);
  }

  /** The build to make: an older one of the same version that was kept goes on from where it stopped. */
  private async beginBuild(
    projection: DocumentProjection,
    builds: Builds,
    { states }: BuildList,
    at: LogPlace,
  ): Promise<Running> {
    for (const [build, state] of states) {
      if (state !== 'kept') continue;
      const verdict = await this.judge(projection, builds, build, at).catch(() => 'lost');
      if (verdict !== 'sound' || !(await goBackTo(builds, build))) continue;
      return this.place(projection, builds, build, false, at.id);
    }
    return this.place(projection, builds, await builds.begin(), false, at.id);
  }

  private place(
    projection: DocumentProjection,
    builds: Builds,
    build: number,
    active: boolean,
    logId: string,
  ): Running {
    const { store, shards, limits, listener } = this.options;
    const inherit = () => droppedByHand(store, builds);
    const report = (batch: BatchReport) => {
      listener?.batch?.(builds.name, build, batch);
      if (placed.active) listener?.moved?.(builds.name, batch.position);
    };
    const options = { shard: this.shard, shards, logId, limits, report, inherit };
    const runner = new DocumentRunner(projection, store.sink(builds.name, build), options);
    const placed: Running = { builds, build, runner, active, ripe: false, check: 'to-do' };
    return placed;
  }

  private startLane(group: readonly Running[], signal: AbortSignal): void {
    const { log, decoder, listener } = this.options;
    const lane = new Lane(
      log,
      decoder,
      group.map(({ runner }) => runner),
      {
        folded: () => this.takeOver(group, signal),
        caughtUp: async () => {
          for (const one of group) one.ripe = true;
          await this.takeOver(group, signal);
        },
        fault: (error) => listener?.fault?.(error),
        stuck: (runner, error) => {
          const one = group.find((running) => running.runner === runner);
          if (one) this.forget(one);
          if (one) listener?.stuck?.(one.builds.name, error);
        },
        gone: (runner) => {
          const one = group.find((running) => running.runner === runner);
          if (one) this.forget(one);
        },
      },
      new Backoff(this.timers),
    );
    for (const one of group) {
      one.lane = lane;
      this.running.set(keyOf(one.builds.name.projection, one.build), one);
      listener?.placed?.(one.builds.name, one.build);
    }
    const run = lane.run(signal).finally(() => {
      this.lanes.delete(run);
      for (const one of group) if (one.lane === lane) this.forget(one);
    });
    this.lanes.add(run);
  }

  private async takeOver(group: readonly Running[], signal: AbortSignal): Promise<void> {
    for (const one of group) {
      // Its runner may have left the lane while the others go on.
      if (this.running.get(keyOf(one.builds.name.projection, one.build)) !== one) continue;
      if (one.active || !one.ripe || one.check === 'failed' || one.check === 'running') continue;
      const { active } = await one.builds.list();
      if (active === one.build) continue;
      // Where nothing is read yet, readers wait: there is nothing to be compared with what they see. The comparison may
      // have been begun since by the lane or by a look, whichever this is not.
      if (active !== undefined && one.check !== 'passed') {
        if (one.check === 'to-do') this.background(this.check(one, signal));
        continue;
      }
      if ((await one.builds.activate(one.build, active)) !== 'switched') continue;
      one.active = true;
      this.options.listener?.activated?.(one.builds.name, one.build);
    }
  }

  /** The lane goes on meanwhile. */
  private async check(one: Running, signal: AbortSignal): Promise<void> {
    one.check = 'running';
    try {
      const { runner, builds, build } = one;
      await checkBuild({ ...this.options, projection: runner.projection, logId: runner.logId, builds, build }, signal);
      one.check = 'passed';
      await this.takeOver([one], signal);
    } catch (error) {
      one.check = error instanceof ProjectionStuck ? 'failed' : 'to-do';
      if (error instanceof ProjectionStuck) this.options.listener?.stuck?.(one.builds.name, error);
      else if (!signal.aborted) this.options.listener?.fault?.(error);
    }
  }

  private background(work: Promise<void>): void {
    const tracked = work.finally(() => this.lanes.delete(tracked));
    this.lanes.add(tracked);
  }

  /** Sees what is read now, stops what is neither read nor made, clears what was aborted and all kept ones but the newest. */
  private async dropGone(projection: DocumentProjection, builds: Builds, { active, states }: BuildList): Promise<void> {
    for (const [key, one] of this.running) {
      if (key !== keyOf(projection.name, one.build)) continue;
      const state = states.get(one.build);
      one.active = one.build === active;
      if (state === 'active' || isInTheMaking(state)) continue;
      one.lane?.remove(one.runner);
      this.forget(one);
    }
    const kept = [...states].filter(([, state]) => state === 'kept').map(([build]) => build);
    const surplus = kept.toSorted((a, b) => b - a).slice(1);
    for (const [build, state] of states) {
      const isOver = state === 'aborted' || (state === 'refused' && active !== undefined);
      if (!isOver && !surplus.includes(build)) continue;
      // Somebody may have gone back to it meanwhile.
      if (await builds.move(build, state, 'aborted')) await builds.clear(build);
    }
  }

  private forget({ builds, build }: Running): void {
    this.running.delete(keyOf(builds.name.projection, build));
  }
}

function beyondHead({ name }: DocumentProjection, build: number): ProjectionStuck {
  return new ProjectionStuck(
    name,
    `build ${build} knows more than the log: was the log restored? Nothing is read from it; build it again with homing rebuild`,
  );
}

function keyOf(projection: string, build: number): string {
  return `${projection} ${build}`;
}
