// One build of the facts, kept exactly the fold of the log: plan in the log, insert under the plan's token, check.
// Whatever dies when, the next owner finds the last plan, makes the same insert again, and looks at what is there.

import type { EventLog } from '../../event-log/event-log.js';
import type { Clock } from '../../kernel/clock.js';
import { systemTimers, type Timers } from '../timers.js';
import type { Chunk, FactSource } from './chunk/chunk.js';
import { type ChunkLimits, type Cut, type CutLog, chunkOfPlan, type Decode } from './chunk/chunk-stream.js';
import { appendPlan, type ChunkPlan, lastPlan, planOf, planStream, totalOf } from './chunk/plan-log.js';
import type { BuildTables, Progress } from './tables/fact-store.js';
import { incompleteChunks } from './tables/incomplete-chunks.js';

/** How often a chunk is deleted and inserted anew, to the end, before the build is given up. */
const repairsMax = 3;
/** So many lost chunks are not inserted anew one by one: the build is made anew. */
const gapsMax = 50;

export interface SinkDeps {
  readonly log: EventLog;
  readonly tables: BuildTables;
  readonly source: FactSource;
  readonly decode: Decode;
  readonly cutLog: CutLog;
  readonly clock: Clock;
  readonly limits: ChunkLimits;
  readonly sink: string;
  readonly build: number;
  /** Is told the rows of each chunk that is in. */
  readonly sunk?: (rows: number) => void;
  /** Absent: the system's. */
  readonly timers?: Timers;
}

/** The tables of a build are not what the log says: they hold less (a lost part, an emptied directory), or know more (a restored log). */
export class FactsLost extends Error {
  constructor(detail: string) {
    super(`${detail}; the facts must be built anew from the log`);
    this.name = 'FactsLost';
  }
}

/** An owner that was overtaken steps in when the other one's mark has not moved for so long, milliseconds. */
const standbyMs = 3_000;

/** The mark of how far it has come is written so long after the last of the machinery's own events, milliseconds. */
const quietMs = 200;

/** Somebody else planned the next chunk: nothing is wrong, the last plan must be read again. */
class Overtaken extends Error {}

export interface SinkCounters {
  chunks: number;
  rows: number;
  parked: number;
  repairs: number;
  overtaken: number;
}

export class ClickHouseSink {
  readonly counters: SinkCounters = { chunks: 0, rows: 0, parked: 0, repairs: 0, overtaken: 0 };
  private readonly stream: string;
  private logId = '';
  private plan: ChunkPlan | undefined;
  /** Everything up to here is in the tables. */
  private done = 0n;
  /** What the mark says. */
  private saved = { position: -1n, planRevision: -1 };
  private completeUpToMs = 0;
  private readonly listeners = new Set<() => void>();
  /** Somebody else is at work on this build; this one steps in when a chunk has waited. */
  private standby = false;
  /** Aborts the mark that waits to be written. */
  private quiet = new AbortController();
  private quietly = Promise.resolve();
  private quietFailure: unknown;
  /** Months that it was repairing when it was overtaken: what it did last may have come after what the other owner did. */
  private doubtful: readonly number[] = [];
  private readonly timers: Timers;

  constructor(private readonly deps: SinkDeps) {
    this.stream = planStream(deps.sink, deps.build);
    this.timers = deps.timers ?? systemTimers;
  }

  get position(): bigint {
    return this.done;
  }

  /** Runs until the signal aborts; throws what it cannot go on from, and may then be run again. */
  async run(signal: AbortSignal): Promise<void> {
    while (this.goesOn(signal)) {
      try {
        if (this.standby) await this.standBy(signal);
        if (this.goesOn(signal)) await this.follow(signal);
      } catch (error) {
        const isOvertaken = error instanceof Overtaken;
        // Otherwise, what the other owner did may be lost or spoiled: that is looked after as after a crash.
        this.standby = isOvertaken && this.doubtful.length === 0;
        if (!isOvertaken) throw error;
        this.counters.overtaken += 1;
      }
    }
  }

  /** Who may have spoiled what another owner did does not leave before having looked after it. */
  private goesOn(signal: AbortSignal): boolean {
    return !signal.aborted || this.doubtful.length > 0;
  }

  /** Resolves when everything up to a position is in the tables, or the signal aborts. */
  async reaches(position: bigint, signal: AbortSignal): Promise<void> {
    if (this.done >= position || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.done < position && !signal.aborted) return;
        stop();
        signal.removeEventListener('abort', look);
        resolve();
      };
      const stop = this.onProgress(look);
      signal.addEventListener('abort', look);
    });
  }

  /** Calls back each time `position` has moved. */
  onProgress(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private async follow(signal: AbortSignal): Promise<void> {
    this.quietFailure = undefined;
    await this.resume();
    // The next cut may be waiting for a page that never comes: a failure must not wait for it too.
    const failed = new AbortController();
    const { cutLog, limits } = this.deps;
    const cuts = cutLog({
      after: this.plan?.to ?? 0n,
      limits,
      signal: AbortSignal.any([signal, failed.signal]),
    })[Symbol.asyncIterator]();
    // The next chunk is read and folded while this one is being inserted: two processes can work at a time.
    let next = cuts.next();
    try {
      for (;;) {
        const { value: cut, done } = await next;
        if (done || signal.aborted) return;
        next = cuts.next();
        next.catch(() => undefined);
        await this.take(cut, signal);
      }
    } finally {
      this.quiet.abort();
      failed.abort();
      // Who closes the engine next must find nothing at work.
      await this.quietly;
      await cuts.return?.();
    }
  }

  /** Finds out where the build stands; the last planned chunk is inserted again and checked whatever is known of it. */
  private async resume(): Promise<void> {
    if (!this.standby) await this.deps.tables.create();
    this.logId = await this.deps.log.id();
    // The plan first: another owner may go on meanwhile, and a mark that is older than the plan would look like a loss.
    this.plan = await lastPlan(this.deps.log, this.stream);
    const progress = await this.deps.tables.progress();
    if (progress && progress.logId !== this.logId) {
      throw new Error(
        `ClickHouse holds facts of log ${progress.logId}, this is log ${this.logId}: give each deployment a database of its own, or empty this one`,
      );
    }
    this.completeUpToMs = progress?.completeUpToMs ?? 0;
    if (progress) await this.refuseTheFuture(progress);
    if (!this.plan) return;
    // Plans of an earlier form do not say it.
    if (this.plan.total === undefined) this.plan = { ...this.plan, total: await totalOf(this.deps.log, this.stream) };
    const months = [...new Set([...this.plan.months, ...this.doubtful])];
    this.plan = { ...this.plan, months };
    // The mark of a chunk is written before the next one is planned, so it tells of the plan before the last chunk's first.
    if ((progress?.planRevision ?? -1) < this.plan.revision - this.plan.attempt) {
      throw this.lost(`the log holds plans up to ${this.plan.to}, ClickHouse has come to ${progress?.position ?? 0}`);
    }
    // Carried out by an owner that was seen at work: there was no crash to look after.
    if (this.standby && (progress?.planRevision ?? -1) >= this.plan.revision) await this.reached(this.plan.to);
    else await this.settle(this.plan);
  }

  /** Marks are written after the log has what they name: one that names more was made of a log that was put back since. */
  private async refuseTheFuture({ position, planRevision }: Progress): Promise<void> {
    const { log } = this.deps;
    const [head, plan] = [await log.head(), await lastPlan(log, this.stream)];
    if (position <= head && planRevision <= (plan?.revision ?? -1)) return;
    throw this.lost(
      `it has come to ${position} by plan ${planRevision}, the log to ${head} and plan ${plan?.revision ?? 'none'}: was the log restored?`,
    );
  }

  /** As long as the other owner's mark moves there is nothing to do here but to look at it. */
  private async standBy(signal: AbortSignal): Promise<void> {
    let seen = -1n;
    let sinceMs = this.timers.now();
    while (!signal.aborted && this.timers.now() - sinceMs < standbyMs) {
      const { position } = (await this.deps.tables.progress()) ?? { position: 0n };
      if (position > seen) sinceMs = this.timers.now();
      seen = position;
      await this.timers.sleep(standbyMs / 6, signal);
    }
  }

  private async take(cut: Cut, signal: AbortSignal): Promise<void> {
    if (this.quietFailure !== undefined) throw this.quietFailure;
    if (cut.receivedUpToMs > 0) {
      const known = Math.min(cut.receivedUpToMs, this.deps.clock.now());
      this.completeUpToMs = Math.max(this.completeUpToMs, known);
    }
    if (cut.chunk) {
      if (this.standby) await this.timers.sleep(standbyMs, signal);
      if (signal.aborted) return;
      // A mark that is written from now on would tell of this plan as carried out.
      this.quiet.abort();
      const plan = await appendPlan(this.deps.log, this.stream, this.plan, planOf(cut.chunk));
      if (!plan) throw new Overtaken();
      this.plan = plan;
      this.standby = false;
      await this.deps.tables.insert(plan, cut.chunk);
      if (!(await this.deps.tables.holds(plan))) await this.settle(plan);
      await this.deps.tables.saveOutcome(plan);
      this.counters.chunks += 1;
      this.counters.rows += cut.chunk.rows;
      this.counters.parked += plan.parked.length;
      this.deps.sunk?.(cut.chunk.rows);
    }
    if (cut.caughtUp) this.completeUpToMs = Math.max(this.completeUpToMs, this.deps.clock.now());
    // The machinery's own events (such as the plan just made) need no mark at once, but the mark must come to the head.
    if (cut.chunk || cut.receivedUpToMs > 0) await this.reached(cut.considered);
    else this.reachedQuietly(cut.considered, signal);
  }

  private reachedQuietly(position: bigint, signal: AbortSignal): void {
    this.quiet.abort();
    this.done = position > this.done ? position : this.done;
    this.tell();
    if (this.isSaved()) return;
    const quiet = new AbortController();
    this.quiet = quiet;
    this.quietly = this.timers.sleep(quietMs, quiet.signal).then(async () => {
      if (quiet.signal.aborted || signal.aborted) return;
      // It is met with the next cut: the engine may have lost more than the mark.
      await this.save().catch((error: unknown) => {
        this.quietFailure = error;
      });
    });
  }

  /**
   * The same insert again, then the thorough check; on a difference the next attempt, for all chunks that differ. An attempt
   * that did not come to its end is followed by the next one: what it was to delete may be there still.
   */
  private async settle(last: ChunkPlan): Promise<void> {
    const { log, tables } = this.deps;
    const chunk = await this.chunkOf(last);
    let plan = last;
    if (plan.attempt === 1) await tables.insert(plan, chunk);
    for (let repairs = 0; (await this.losses(plan, chunk, repairs)).length > 0; repairs += 1) {
      const others = await this.otherGaps(plan);
      const months = [...new Set([plan, ...others].flatMap((one) => one.months))];
      const again = await appendPlan(log, this.stream, plan, { ...plan, months }, plan.attempt + 1);
      if (!again) throw new Overtaken();
      plan = again;
      this.doubtful = months;
      this.counters.repairs += 1 + others.length;
      await tables.repair(plan, { plans: [...others, plan], chunkOf: (one) => this.chunkOf(one) });
    }
    this.plan = plan;
    this.doubtful = [];
    await this.deps.tables.saveOutcome(plan);
    await this.reached(plan.to);
  }

  private async chunkOf(plan: ChunkPlan): Promise<Chunk> {
    const chunk = await chunkOfPlan({ ...this.deps, stream: this.stream }, plan);
    if (chunk) return chunk;
    throw this.lost(`the rows of plan ${plan.revision} (${plan.after}–${plan.to}) are not those that were planned`);
  }

  /** What differs while this plan is the last one. @throws Overtaken, or FactsLost when it was tried often enough */
  private async losses(plan: ChunkPlan, chunk: Chunk, repairs: number): Promise<readonly string[]> {
    const losses = await this.deps.tables.losses(plan, chunk);
    if (losses.length === 0) return losses;
    const last = await lastPlan(this.deps.log, this.stream);
    if (last?.revision !== plan.revision) throw new Overtaken();
    if (repairs < repairsMax) return losses;
    throw this.lost(`after ${repairs} repairs chunk ${plan.id} still differs in ${losses.join(', ')}`);
  }

  /** A loss is seldom of one chunk: the part may have been merged from several. */
  private async otherGaps(last: ChunkPlan): Promise<readonly ChunkPlan[]> {
    const gaps = await incompleteChunks(this.deps.log, this.stream, this.deps.tables, gapsMax);
    if (gaps.length >= gapsMax) throw this.lost(`${gaps.length} chunks or more are missing`);
    return gaps.filter(({ id }) => id !== last.id);
  }

  private async reached(position: bigint): Promise<void> {
    this.quiet.abort();
    this.done = position > this.done ? position : this.done;
    if (!this.isSaved()) await this.save();
    this.tell();
  }

  private async save(): Promise<void> {
    const { logId, completeUpToMs } = this;
    const mark = { position: this.done, planRevision: this.plan?.revision ?? -1 };
    await this.deps.tables.saveProgress({ logId, completeUpToMs, ...mark });
    this.saved = mark;
  }

  private isSaved(): boolean {
    return this.saved.position === this.done && this.saved.planRevision === (this.plan?.revision ?? -1);
  }

  private lost(detail: string): FactsLost {
    return new FactsLost(`build ${this.deps.build}: ${detail}`);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
