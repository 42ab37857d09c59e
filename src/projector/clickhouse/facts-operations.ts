// What an operator can ask of the facts, in any process that reaches the log and ClickHouse: how they are, a new build,
// back to the old one, a comparison with the log, and what to do with events that no rows could be made of.
import type { EventLog, LogEvent } from '../../event-log/event-log.js';
import type { AnyEvent } from '../../kernel/projection.js';
import type { DeadLetter } from '../fold/parking.js';
import { NoSuchLetter, type PlacedLetter, type RetryOutcome } from '../operation/dead-letters.js';
import type { BuildStatus } from '../operation/document-status.js';
import { lagOf } from '../operation/lag.js';
import { type ProjectionRow, projectionRow } from '../operation/operations.js';
import { parkedEvent } from '../operation/parked-event.js';
import type { VerifyReport } from '../operation/verifier.js';
import { beginBuild } from './builds/begin-build.js';
import { activeOf, dropEvent, droppedEvents, type FactBuild, readBuilds } from './builds/fact-builds.js';
import { giveUpBuilds, goBack } from './builds/operator-changes.js';
import { type Chunk, ChunkBuilder, type FactSource } from './chunk/chunk.js';
import type { Decode } from './chunk/chunk-stream.js';
import { appendPlan, lastPlan, parkedAmong, planOf, planStream } from './chunk/plan-log.js';
import { type Engine, isUnknownTable } from './engine.js';
import { FactTables } from './tables/fact-tables.js';
import { ClickHousePublished } from './tables/published.js';
import { fingerprint } from './tables/schema.js';
import { FactsVerifier } from './verification/facts-verifier.js';

export interface FactsOperationsOptions {
  readonly log: EventLog;
  readonly engine: Engine;
  readonly source: FactSource;
  readonly decode: Decode;
  readonly timeZone: string;
  readonly nowMs: () => number;
}

/** Tries against whoever plans chunks at the same time. */
const triesMax = 50;

export class FactsOperations {
  constructor(private readonly options: FactsOperationsOptions) {}

  get name(): string {
    return this.options.source.projection.name;
  }

  private get fingerprint(): string {
    return fingerprint(this.options.timeZone, this.options.source.projection.version);
  }

  /** Builds that are read or being made. */
  async status(): Promise<ProjectionRow[]> {
    const head = await this.options.log.head();
    return (await this.builds()).map((build) => projectionRow(build, head));
  }

  /** Where each build that is read or being made stands, by its mark beside the data. */
  async builds(): Promise<BuildStatus[]> {
    const { log, nowMs } = this.options;
    const live = (await readBuilds(log, this.name)).builds.flatMap(({ build, state }) =>
      state === 'active' || state === 'building' ? [{ build, state }] : [],
    );
    const marks = await Promise.all(live.map(({ build }) => this.markOf(build)));
    const lags = await lagOf(log, marks, nowMs());
    return live.map((build, index) => {
      const { position = 0n, parked = 0 } = marks[index] ?? {};
      const lag = lags[index] ?? { events: 0, capped: false, seconds: 0 };
      return { projection: this.name, shard: 0, ...build, position, ...lag, parkedKeys: parked, deadLetters: parked };
    });
  }

  /** Why the newest build of this code was given up, when that needs a person. */
  async refusal(): Promise<{ readonly why: string; readonly isRead: boolean } | undefined> {
    const seen = await readBuilds(this.options.log, this.name);
    const ours = seen.builds.filter((one) => one.fingerprint === this.fingerprint);
    const why = ours.toSorted((a, b) => b.build - a.build)[0]?.refusal;
    return why === undefined ? undefined : { why, isRead: activeOf(seen) !== undefined };
  }

  private async markOf(build: number) {
    const tables = this.tables(build);
    // A build that was only just begun has no table of marks yet.
    const progress = await tables.progress().catch((error: unknown) => {
      if (isUnknownTable(error)) return undefined;
      throw error;
    });
    const parked = progress ? (await this.lettersOf(build)).length : 0;
    return { position: progress?.position ?? 0n, recordedAt: progress?.completeUpToMs ?? 0, parked };
  }

  /** Begins a new build; one that is being made already is taken for it. */
  async rebuild(): Promise<number> {
    const { log, engine } = this.options;
    const published = new ClickHousePublished(engine, this.name);
    return await beginBuild({ log, published, sink: this.name, fingerprint: this.fingerprint });
  }

  /** Gives up what is being made, or gone back to. What is read stays, and what was kept is kept. */
  async abort(): Promise<void> {
    await giveUpBuilds(this.options.log, this.name);
  }

  /** Goes back to the build that was read before: it catches up, and then takes over. @throws CannotGoBack */
  async rollback(): Promise<number> {
    return await goBack(this.options.log, this.name, this.fingerprint);
  }

  /** One report for each table of the build that readers read. @throws Error when there is none */
  async verify(signal?: AbortSignal): Promise<VerifyReport[]> {
    const { log, source, decode } = this.options;
    const { build } = await this.active();
    const tables = this.tables(build);
    const stream = planStream(this.name, build);
    const reports = await new FactsVerifier({ log, tables, source, decode, stream }).verify(signal);
    const parked = await this.lettersOf(build);
    const position = (await tables.progress())?.position ?? 0n;
    return reports.map(({ table, ...report }, index) => ({
      part: `${this.name} ${table}`,
      position,
      ...report,
      parked: index === 0 ? parked : [],
    }));
  }

  async list(): Promise<PlacedLetter[]> {
    const { builds } = await readBuilds(this.options.log, this.name);
    const active = builds.find(({ state }) => state === 'active');
    if (!active) return [];
    return (await this.lettersOf(active.build)).map((letter) => ({ ...letter, projection: this.name, shard: 0 }));
  }

  /** The letter and the event as the rows would be made of it now. @throws NoSuchLetter */
  async show(position: string): Promise<{ readonly letter: PlacedLetter; readonly event: AnyEvent | string }> {
    const letter = (await this.list()).find((one) => one.position === position);
    if (!letter) throw new NoSuchLetter(this.name, position);
    const [event] = await this.events([letter]);
    try {
      return { letter, event: event ? this.options.decode(event) : 'not in the log any more' };
    } catch (error) {
      return { letter, event: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Makes rows of parked events after all, of one or of all; those that fail again stay. @throws NoSuchLetter */
  async retry(position?: string): Promise<RetryOutcome> {
    const letters = (await this.list()).filter((letter) => position === undefined || letter.position === position);
    if (letters.length === 0 && position !== undefined) throw new NoSuchLetter(this.name, position);
    const folded = letters.length === 0 ? 0 : await this.takeIn(await this.events(letters));
    return { folded, stillParked: (await this.list()).length, rebuilding: [] };
  }

  /** Leaves the event out for good, in later builds too. @throws NoSuchLetter */
  async drop(position: string, reason: string): Promise<RetryOutcome> {
    if (!(await this.list()).some((letter) => letter.position === position)) {
      throw new NoSuchLetter(this.name, position);
    }
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      const seen = await readBuilds(this.options.log, this.name);
      if (await dropEvent(this.options.log, this.name, seen, { position, reason })) {
        return { folded: 0, stillParked: (await this.list()).length, rebuilding: [] };
      }
    }
    throw new Error('the builds of the facts kept changing; nothing was dropped, try again');
  }

  /** One chunk of just these events, planned like any other; how many of them made rows. */
  private async takeIn(events: readonly LogEvent[]): Promise<number> {
    const { log } = this.options;
    const { build } = await this.active();
    const stream = planStream(this.name, build);
    for (let attempt = 0; attempt < triesMax; attempt += 1) {
      const last = await lastPlan(log, stream);
      const to = last?.to ?? 0n;
      const { chunk, only } = this.chunkOf(await this.notTakenIn(stream, events), to);
      if (!chunk) return 0;
      const plan = await appendPlan(log, stream, last, { ...planOf(chunk), after: to, to, only });
      if (!plan) continue;
      const tables = this.tables(build);
      await tables.insert(plan, chunk);
      const differences = await tables.differences(plan, chunk);
      // The sink of this build finds the plan and carries it out, as it would after a crash.
      if (differences.length > 0) throw new Error(`taken in, but not whole yet: ${differences.join(', ')}`);
      await tables.saveOutcome(plan);
      await tables.saveProgress({
        logId: await log.id(),
        position: to,
        completeUpToMs: 0,
        planRevision: plan.revision,
      });
      return only.length;
    }
    throw new Error('the sink kept planning; nothing was retried, try again');
  }

  /** Whoever planned these before and died has planned them all the same: only the plans know. */
  private async notTakenIn(stream: string, events: readonly LogEvent[]): Promise<readonly LogEvent[]> {
    const positions = new Set(events.map(({ position }) => position));
    const { takenIn } = await parkedAmong(this.options.log, stream, positions);
    return events.filter(({ position }) => !takenIn.has(position));
  }

  private chunkOf(
    events: readonly LogEvent[],
    after: bigint,
  ): { readonly chunk: Chunk | undefined; readonly only: readonly bigint[] } {
    const builder = new ChunkBuilder(this.options.source, after);
    const only: bigint[] = [];
    for (const event of events) {
      try {
        builder.add(this.options.decode(event));
        only.push(event.position);
      } catch {
        // It stays parked, with the reason it was parked for.
      }
    }
    return { chunk: builder.build(), only };
  }

  private async lettersOf(build: number): Promise<DeadLetter[]> {
    const dropped = await droppedEvents(this.options.log, this.name);
    const parked = await this.tables(build).parked();
    return parked
      .filter(({ position }) => !dropped.has(String(position)))
      .map(({ position, eventId, stream, revision, type, error }) => ({
        position: String(position),
        eventId,
        stream,
        revision,
        type,
        keys: [`${stream}@${revision}`],
        error,
      }));
  }

  private async events(letters: readonly DeadLetter[]): Promise<LogEvent[]> {
    const found: LogEvent[] = [];
    for (const letter of letters) {
      const event = await parkedEvent(this.options.log, letter);
      if (event) found.push(event);
    }
    return found;
  }

  private async active(): Promise<FactBuild> {
    const active = activeOf(await readBuilds(this.options.log, this.name));
    if (!active) throw new Error(`${this.name}: there is no build that readers read`);
    return active;
  }

  private tables(build: number): FactTables {
    const { engine, source, timeZone } = this.options;
    return new FactTables(engine, source, { sink: this.name, build, timeZone });
  }
}
