// Several processes that could fill the facts, in a world of one seed: turns that are kept, lost and believed in (or nobody
// knows of turns at all), plans in the log, a store that loses what it was just given or has held for long, builds that are
// made beside the one that is read, compared, switched to, gone back from and dropped. Readers look on: every event up to
// where the facts are said to be is there, once, in rows and in sums. When everything heals, the facts are the fold of the
// log, and of builds that nobody will go back to nothing is left.
import { decodeHidden } from '../../src/event-log/codec.js';
import type { LogEvent } from '../../src/event-log/event-log.js';
import { textOf } from '../../src/event-log/event-text.js';
import type { RowProjection } from '../../src/kernel/projection.js';
import { beginBuild } from '../../src/projector/clickhouse/builds/begin-build.js';
import { BuildDiffers } from '../../src/projector/clickhouse/builds/build-check.js';
import { activeOf, type FactBuilds, readBuilds } from '../../src/projector/clickhouse/builds/fact-builds.js';
import { giveUpBuilds, goBack } from '../../src/projector/clickhouse/builds/operator-changes.js';
import { ChunkBuilder, type FactSource, monthOf } from '../../src/projector/clickhouse/chunk/chunk.js';
import { type ChunkPlan, planStream } from '../../src/projector/clickhouse/chunk/plan-log.js';
import { FactsLost } from '../../src/projector/clickhouse/clickhouse-sink.js';
import { FactsProjector } from '../../src/projector/clickhouse/facts-projector.js';
import type { BuildTables, FactStore } from '../../src/projector/clickhouse/tables/fact-store.js';
import { fingerprint } from '../../src/projector/clickhouse/tables/schema.js';
import { CannotGoBack } from '../../src/projector/operation/operations.js';
import { asNewEvent } from '../projections/social-history.js';
import {
  type FactShelf,
  FactShelves,
  memoryFacts,
  type PartFate,
  type StoredRow,
  withoutChunk,
} from '../projector/clickhouse/memory-facts.js';
import { MemoryLog } from '../projector/clickhouse/memory-log.js';
import { type Around, memoryDocuments, Shelves } from '../projector/memory-documents.js';
import { changed } from './changed.js';
import { Fate } from './fate.js';
import { asEventLog, ProcessLog } from './process-log.js';
import { SimulatedFault, World } from './world.js';

const eventsMax = 150;
const timeZone = 'UTC';
const sink = 'facts';
/** Of the first version of the code, and of the second. */
const fingerprints = [1, 2].map((version) => fingerprint(timeZone, version));

/** What a process with a fault in it sees instead. */
export interface PlantedInFacts {
  readonly store?: (sound: FactStore, shelves: FactShelves) => Partial<FactStore>;
  readonly log?: (sound: ProcessLog) => Partial<ProcessLog>;
}

const columns = { log_position: 'position', row_number: 'number', event_id: 'uuid', occurred_at: 'instant' } as const;

/** One row for each event. */
function sourceOf(version: number): FactSource {
  const projection: RowProjection = {
    name: sink,
    version,
    table: 'event_facts',
    columns: Object.keys(columns),
    partitionBy: 'occurred_at',
    on: {
      Happened: ({ position, id, metadata }) => [
        { log_position: position, row_number: 0, event_id: id, occurred_at: metadata.occurredAt },
      ],
    },
  };
  return { projection, types: columns };
}

interface Happened {
  readonly position: bigint;
  readonly month: number;
}

/** A repair that is on, or that was overtaken. */
interface Repairing {
  readonly build: number;
  readonly attempt: ChunkPlan;
  readonly plans: readonly ChunkPlan[];
}

type Span = Pick<ChunkPlan, 'after' | 'to'>;

type Deed = 'rebuild' | 'go back' | 'give up';

export class FactsDeployment {
  readonly world: World;
  private readonly fate: Fate;
  private readonly log = new MemoryLog();
  private readonly leases: Shelves;
  private readonly facts = new FactShelves(sourceOf(1));
  private readonly knowTurns: boolean;
  private version = 1;
  private serial = 0;
  private written = 0;
  private readonly happened: Happened[] = [];
  private wereRead = false;
  private known: FactBuilds = { revision: -1, builds: [] };
  /** By process. */
  private readonly versions = new Map<string, number>();
  /** Builds of which the store loses some of the sums. */
  private readonly spoiled = new Map<number, boolean>();
  /** So often was the store killed. */
  private kills = 0;
  private readonly repairs = new Set<Repairing>();
  /** By build: positions of rows that the store lost after it had held them. */
  private readonly lost = new Map<number, Set<bigint>>();

  constructor(
    readonly seed: number,
    private readonly planted: PlantedInFacts = {},
  ) {
    this.world = new World(seed);
    this.leases = new Shelves(() => this.world.nowMs);
    this.knowTurns = this.world.chance(0.8);
    this.facts.fateOf = (build, plan, table) => this.fateOf(build, plan, table);
    this.fate = new Fate(this.world, {
      start: () => this.start(),
      operate: () => void this.operate(this.anyDeed()),
      deploy: () => {
        this.version = 2;
      },
      look: () => this.look(),
      isOver: () => this.written === eventsMax,
      isOld: (name) => (this.versions.get(name) ?? this.version) < this.version,
      isSettled: () => this.isSettled(this.known),
      description: () => this.description(this.known),
    });
  }

  private get fingerprint(): string {
    return fingerprints[this.version - 1] as string;
  }

  /** The trace of what happened. @throws Violation */
  async run(): Promise<string> {
    const { fate } = this;
    for (let first = 0; first < 20; first += 1) await this.writeOne();
    fate.watch(this.write());
    for (const reader of ['reader-1', 'reader-2']) fate.watch(this.read(reader));
    fate.watch(this.killStore());
    fate.watch(this.lookAfterBuilds());
    await fate.live();
    this.compare();
    return this.world.trace();
  }

  private async writeOne(): Promise<void> {
    const { world, written } = this;
    const occurredAt = `2026-0${world.upTo(3) + 2}-10T08:00:00.000Z`;
    const event = { stream: `thing-${written % 5}`, type: 'Happened', data: {}, occurredAt };
    this.written += 1;
    const { position } = await this.log.append(event.stream, [asNewEvent(event, written)], 'any');
    this.happened.push({ position, month: monthOf(occurredAt) });
  }

  private async write(): Promise<void> {
    while (this.written < eventsMax) {
      await this.world.sleep('writer', this.world.random() * 1_200);
      for (let more = this.world.upTo(5); more > 0 && this.written < eventsMax; more -= 1) await this.writeOne();
    }
  }

  /** Of some of the builds that are made beside one that is read, the sums of the first chunk are lost without a word. */
  private fateOf(build: number, { after }: ChunkPlan, table: 'facts' | 'roll-up'): PartFate {
    const { world, fate } = this;
    const isSpoiled = this.spoiled.get(build) ?? (this.facts.published.build > 0 && !fate.isCalm && world.chance(0.5));
    this.spoiled.set(build, isSpoiled);
    if (table === 'roll-up' && isSpoiled && after === 0n) return 'lost';
    if (fate.isCalm || !world.chance(0.02)) return 'stored';
    if (table === 'facts') return 'lost';
    this.kills += 1;
    return 'lost with its connection';
  }

  /** Rows that it has held for long are gone when it is back, and everybody's connection is. */
  private async killStore(): Promise<void> {
    const { world } = this;
    for (;;) {
      await world.sleep('store', 3_000 + world.random() * 6_000);
      // Whoever fills the facts finds out by the next event at the latest.
      if (this.written >= eventsMax - 5) return;
      for (const [build, shelf] of this.facts.builds) {
        const one = shelf.rows[Math.floor(world.random() * shelf.rows.length)];
        if (one && world.chance(0.5)) this.lose(build, shelf, one);
      }
      this.kills += 1;
    }
  }

  /** The part that a row stands in; its chunk will be put back as a whole. */
  private lose(build: number, shelf: FactShelf, { chunk, month }: StoredRow): void {
    const lost = this.lost.get(build) ?? new Set();
    this.lost.set(build, lost);
    for (const row of shelf.rows) if (row.chunk === chunk) lost.add(row.position);
    shelf.rows = shelf.rows.filter((row) => row.chunk !== chunk || row.month !== month);
  }

  private logOf(process: string): ProcessLog {
    const sound = new ProcessLog(this.world, process, this.log);
    return this.planted.log ? changed(sound, this.planted.log(sound)) : sound;
  }

  private storeOf(process: string): FactStore {
    const sound: FactStore = {
      tables: (build) => this.noting(memoryFacts(this.facts, this.connection(process)).tables(build)),
      published: memoryFacts(this.facts, this.connection(process)).published,
    };
    return this.planted.store ? changed(sound, this.planted.store(sound, this.facts)) : sound;
  }

  /** Notes the repairs in the middle of which an owner is overtaken: it goes on until it looks at the log again. */
  private noting(tables: BuildTables): BuildTables {
    const repair: BuildTables['repair'] = async (attempt, chunks) => {
      const one: Repairing = { build: tables.build, attempt, plans: chunks.plans };
      this.repairs.add(one);
      try {
        await tables.repair(attempt, chunks);
      } finally {
        if (!this.isLate(one)) this.repairs.delete(one);
      }
    };
    return changed(tables, { repair });
  }

  private isLate({ build, attempt }: Repairing): boolean {
    return (this.lastPlanOf(build)?.revision ?? -1) > attempt.revision;
  }

  private lastPlanOf(build: number): LogEvent | undefined {
    return this.log.events.findLast(({ stream }) => stream === planStream(sink, build));
  }

  /** Is gone with the store, which is found out when it is used next. */
  private connection(process: string): Around {
    const around = this.world.around(process);
    let known = this.kills;
    return (step, what) =>
      around(() => {
        if (known === this.kills) return step();
        known = this.kills;
        throw new SimulatedFault('the store was killed');
      }, what);
  }

  private start(): void {
    const { version, world } = this;
    this.serial += 1;
    const name = `process-${this.serial}`;
    const facts = new FactsProjector({
      log: asEventLog(this.logOf(name)),
      store: this.storeOf(name),
      source: sourceOf(version),
      decode: decodeHidden,
      clock: { now: () => world.nowMs },
      limits: { rowsMax: world.upTo(12), bytesMax: 1_000_000, waitMs: 300 },
      timeZone,
      listener: { fault: (error) => this.isExpected(error), told: () => undefined },
      ...(this.knowTurns ? { lease: memoryDocuments(this.leases, world.around(name)).lease(sink, name) } : {}),
      timers: world.timersOf(name, 0.7 + 0.6 * world.random()),
    });
    facts.start();
    this.versions.set(name, version);
    this.fate.add(name, () => void facts.close());
  }

  /** Nothing that a process meets here is more than it can mend, but a comparison of what the store has spoiled or lost. */
  private isExpected(error: unknown): void {
    if (!(error instanceof BuildDiffers || error instanceof FactsLost)) return;
    const build = Number(/build (\d+)/.exec(error.message)?.[1]);
    if (error instanceof FactsLost) {
      this.fate.watch(this.mustBeOver(build, error));
      return;
    }
    const isHurt = this.spoiled.get(build) || this.lost.has(build) || this.lost.has(this.facts.published.build);
    if (!isHurt) this.fate.violated(error);
  }

  /** Who was away makes a build again that was dropped meanwhile. */
  private async mustBeOver(build: number, error: FactsLost): Promise<void> {
    const { builds } = await readBuilds(this.log, sink);
    if (builds.some((one) => one.build === build && /active|building/.test(one.state))) throw error;
  }

  private anyDeed(): Deed {
    const deed = this.world.random();
    if (deed < 0.5) return 'rebuild';
    return deed < 0.85 ? 'go back' : 'give up';
  }

  private async operate(deed: Deed): Promise<void> {
    this.serial += 1;
    const name = `operator-${this.serial}`;
    this.fate.add(name);
    const log = asEventLog(this.logOf(name));
    const { published } = this.storeOf(name);
    try {
      if (deed === 'rebuild') await beginBuild({ log, published, sink, fingerprint: this.fingerprint });
      else if (deed === 'go back') await goBack(log, sink, this.fingerprint);
      else await giveUpBuilds(log, sink);
    } catch (error) {
      if (!(error instanceof CannotGoBack) && !(error instanceof SimulatedFault)) this.fate.violated(error);
    }
    this.fate.remove(name);
  }

  /** In the end a build that was refused is asked for again by a person. */
  private async lookAfterBuilds(): Promise<void> {
    for (;;) {
      this.known = await readBuilds(this.log, sink);
      const ours = this.known.builds.filter((one) => one.fingerprint === this.fingerprint);
      const isRefused = ours.some(({ refusal }) => refusal !== undefined);
      const isMade = ours.some(({ state }) => state === 'active' || state === 'building');
      if (this.fate.isCalm && isRefused && !isMade) await this.operate('rebuild');
      await this.world.sleep('look', 500);
    }
  }

  /** After every await of anybody: what is read is there, and stays there. */
  private look(): void {
    const { build } = this.facts.published;
    if (build === 0 && !this.wereRead) return;
    this.wereRead = true;
    const { hasTable, hasRollUp, progress } = this.facts.shelf(build);
    if (!hasTable || !hasRollUp || !progress) throw new Error(`build ${build} is read and is gone`);
  }

  /** As the metrics read: an answer that is behind what was answered before is waited for. */
  private async read(process: string): Promise<void> {
    const { world, facts } = this;
    const around = world.around(process);
    let furthest = 0n;
    for (;;) {
      await world.sleep(process, world.random() * 300);
      try {
        const { build, position } = await around(() => {
          const { build } = facts.published;
          return { build, position: facts.shelf(build).progress?.position ?? -1n };
        }, 'read');
        if (position < furthest) continue;
        furthest = position;
        await around(() => this.mustHold(build, position), 'rows');
        await around(() => this.mustSumUp(build, position), 'sums');
      } catch (error) {
        if (!(error instanceof SimulatedFault)) throw error;
      }
    }
  }

  /** Each event once, and all up to where the build is said to be, but those that are being put back. */
  private mustHold(build: number, position: bigint): void {
    const late = this.lateIn(build);
    const lost = [...this.repairOf(build), ...late];
    const rows = this.facts.shelf(build).rows.map((row) => row.position);
    const there = new Set(rows);
    const seen = new Set<bigint>();
    for (const row of rows) {
      if (seen.has(row) && !isIn(late, row)) throw new Error(`build ${build} counts an event twice`);
      seen.add(row);
    }
    const first = this.upTo(position).find(
      (one) => !there.has(one.position) && !isIn(lost, one.position) && !this.lost.get(build)?.has(one.position),
    );
    if (first) throw new Error(`build ${build} is at ${position}, and ${first.position} is not there`);
  }

  /** The sums lie between what had happened by then and by now, but while chunks are being put back. */
  private mustSumUp(build: number, position: bigint): void {
    if (this.repairOf(build).length > 0 || this.lateIn(build).length > 0) return;
    const { byMonth } = this.facts.shelf(build);
    const [then, now] = [byMonths(this.upTo(position)), byMonths(this.happened)];
    for (const [month, most] of now) {
      const [sum, least] = [byMonth.get(month) ?? 0, then.get(month) ?? 0];
      const about = `build ${build} at ${position} sums up ${sum} in ${month}`;
      if (sum < least || sum > most) throw new Error(`${about}: the log has ${least} up to there, and ${most} by now`);
    }
  }

  /** What owners put back who were overtaken meanwhile. */
  private lateIn(build: number): readonly Span[] {
    return [...this.repairs].flatMap((one) => (one.build === build && this.isLate(one) ? one.plans : []));
  }

  /** The last chunk, when it was planned once more with all that was lost, and that is not carried out yet. */
  private repairOf(build: number): readonly Span[] {
    const last = this.lastPlanOf(build);
    if (!last || last.revision <= (this.facts.shelf(build).progress?.planRevision ?? -1)) return [];
    const { attempt, after, to } = JSON.parse(textOf(last.data)) as { attempt: number; after: string; to: string };
    return attempt > 1 ? [{ after: BigInt(after), to: BigInt(to) }] : [];
  }

  private upTo(position: bigint): readonly Happened[] {
    return this.happened.filter((one) => one.position <= position);
  }

  /** What is read is of the newest code and at the head, and nothing is left but one build to go back to. */
  private isSettled(seen: FactBuilds): boolean {
    const active = activeOf(seen);
    const { published, plain, builds } = this.facts;
    if (active?.fingerprint !== this.fingerprint) return false;
    if (published.build !== active.build || plain !== active.build) return false;
    const others = seen.builds.filter((one) => one !== active && one.state !== 'dropped');
    if (others.length > 1 || others.some(({ state }) => state !== 'kept')) return false;
    const kept = [active, ...others].map(({ build }) => build);
    const left = [...builds].filter(([build, shelf]) => !kept.includes(build) && shelf.isThere);
    const last = this.happened.at(-1)?.position ?? 0n;
    return left.length === 0 && (this.facts.shelf(active.build).progress?.position ?? 0n) >= last;
  }

  private description({ builds }: FactBuilds): string {
    const { published, plain } = this.facts;
    const tables = [...this.facts.builds].map(([build, { hasTable, rows, progress }]) => {
      const { state, refusal } = builds.find((one) => one.build === build) ?? {};
      return { build, state, refusal, hasTable, rows: rows.length, at: String(progress?.position) };
    });
    return JSON.stringify({ published, plain, tables, head: String(this.log.events.at(-1)?.position) });
  }

  private compare(): void {
    const builder = new ChunkBuilder(sourceOf(this.version), 0n);
    for (const event of this.log.events) if (event.type === 'Happened') builder.add(decodeHidden(event));
    const text = Buffer.concat(builder.build()?.parts.flatMap(({ pieces }) => pieces) ?? []).toString('utf8');
    const expected = text.split('\n').slice(0, -1).map(withoutChunk).toSorted();
    const shelf = this.facts.shelf(this.facts.published.build);
    const found = shelf.rows.map(({ line }) => withoutChunk(line)).toSorted();
    if (found.join('\n') !== expected.join('\n'))
      throw this.fate.told(new Error('the facts are not the fold of the log'));
    for (const [month, rows] of byMonths(this.happened)) {
      const sum = shelf.byMonth.get(month);
      if (sum !== rows) throw this.fate.told(new Error(`the facts sum up ${sum} in ${month}, the log ${rows}`));
    }
  }
}

function isIn(spans: readonly Span[], position: bigint): boolean {
  return spans.some(({ after, to }) => position > after && position <= to);
}

function byMonths(events: readonly Happened[]): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  for (const { month } of events) sums.set(month, (sums.get(month) ?? 0) + 1);
  return sums;
}
