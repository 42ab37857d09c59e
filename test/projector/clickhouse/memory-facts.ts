// The facts in memory, for the simulation: all processes share one `FactShelves`, and each has a store of its own on it.
// Every statement is one step here, but for an insert: the fact table's part and the roll-up's are two. One roll-up stands
// for all, of the kind that can be wrong: rows by month, filled by sums.
import { createHash } from 'node:crypto';
import type { Chunk, FactSource } from '../../../src/projector/clickhouse/chunk/chunk.js';
import { type ChunkPlan, insertToken } from '../../../src/projector/clickhouse/chunk/plan-log.js';
import type {
  BuildTables,
  FactStore,
  Progress,
  Published,
  PublishedBuilds,
  Repair,
} from '../../../src/projector/clickhouse/tables/fact-store.js';
import type { Around } from '../memory-documents.js';

export interface StoredRow {
  /** With the chunk that it came in, as it was sent. */
  readonly line: string;
  readonly month: number;
  readonly chunk: bigint;
  readonly position: bigint;
  /** Empty in all rows of an event but the first. */
  readonly eventId: string;
}

export class FactShelf {
  hasTable = false;
  hasRollUp = false;
  rows: StoredRow[] = [];
  readonly byMonth = new Map<number, number>();
  /** By attempt: months that are made anew beside the roll-up. */
  readonly remade = new Map<number, Map<number, number>>();
  readonly tokens = new Set<string>();
  readonly parked = new Map<bigint, 'waiting' | 'settled'>();
  progress: Progress | undefined;

  get isThere(): boolean {
    return this.hasTable || this.hasRollUp || this.progress !== undefined;
  }

  rowsOf(month: number): number {
    return this.rows.filter((row) => row.month === month).length;
  }
}

/** What becomes of a part that is being inserted; lost parts leave their token. */
export type PartFate = 'stored' | 'lost' | 'lost with its connection';

export class FactShelves {
  readonly builds = new Map<number, FactShelf>();
  readonly activations: Published[] = [];
  /** The build that the plain names show. */
  plain = 0;
  /** Is asked in the step that inserts a part. */
  fateOf: (build: number, plan: ChunkPlan, table: 'facts' | 'roll-up') => PartFate = () => 'stored';

  constructor(readonly source: FactSource) {}

  get published(): Published {
    const none = { build: 0, activation: 0 };
    return this.activations.reduce((high, one) => (one.activation > high.activation ? one : high), none);
  }

  shelf(build: number): FactShelf {
    const shelf = this.builds.get(build) ?? new FactShelf();
    this.builds.set(build, shelf);
    return shelf;
  }
}

const atOnce: Around = async (step) => step();

export function memoryFacts(shelves: FactShelves, around: Around = atOnce): FactStore {
  return {
    tables: (build) => new MemoryTables(shelves, build, around),
    published: memoryPublished(shelves, around),
  };
}

class MemoryTables implements BuildTables {
  private readonly shelf: FactShelf;

  constructor(
    private readonly shelves: FactShelves,
    readonly build: number,
    private readonly around: Around,
  ) {
    this.shelf = shelves.shelf(build);
  }

  async create(): Promise<void> {
    await this.step('create table', () => {
      this.shelf.hasTable = true;
    });
    await this.step('create roll-up', () => {
      this.shelf.hasRollUp = true;
    });
  }

  async insert(plan: ChunkPlan, chunk: Chunk, within?: ChunkPlan): Promise<void> {
    const sink = this.shelves.source.projection.name;
    const { shelf } = this;
    for (const { month, pieces } of chunk.parts) {
      const token = insertToken(sink, this.build, plan, String(month), within);
      const rows = linesOf(pieces).map((line) => this.stored(line, month));
      await this.insertPart(plan, 'facts', token, () => shelf.rows.push(...rows));
      // The engine hands the part on to the roll-ups that there are.
      if (!shelf.hasRollUp) continue;
      await this.insertPart(plan, 'roll-up', token, () =>
        shelf.byMonth.set(month, (shelf.byMonth.get(month) ?? 0) + rows.length),
      );
    }
  }

  private insertPart(plan: ChunkPlan, table: 'facts' | 'roll-up', token: string, store: () => void): Promise<void> {
    return this.onTable(`insert ${plan.id} ${table}`, () => {
      const own = `${table} ${token}`;
      if (this.shelf.tokens.has(own)) return;
      this.shelf.tokens.add(own);
      const fate = this.shelves.fateOf(this.build, plan, table);
      if (fate === 'stored') store();
      if (fate === 'lost with its connection') throw new LostConnection();
    });
  }

  holds(plan: ChunkPlan): Promise<boolean> {
    return this.onTable('holds', () => this.isWhole(plan));
  }

  async chunkDifferences(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]> {
    return await this.onTable('text', () => {
      const held = this.shelf.rows.filter((row) => row.chunk === plan.id).map(({ line }) => line);
      const planned = chunk.parts.flatMap(({ pieces }) => linesOf(pieces));
      return held.toSorted().join('\n') === planned.toSorted().join('\n') ? [] : ['the rows'];
    });
  }

  async sumDifferences(months: readonly number[]): Promise<readonly string[]> {
    const { shelf } = this;
    const there = await this.onTable('sums', () => months.map((month) => shelf.byMonth.get(month) ?? 0));
    const made = await this.onTable('rows of months', () => months.map((month) => shelf.rowsOf(month)));
    return made.join() === there.join() ? [] : ['the roll-up'];
  }

  async losses(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]> {
    const found = [...(await this.chunkDifferences(plan, chunk)), ...(await this.sumDifferences(plan.months))];
    const held = await this.onTable('count', () => this.shelf.rows.length);
    return held === plan.total ? found : [...found, `${held} rows of ${plan.total}`];
  }

  incomplete(plans: ReadonlyMap<bigint, ChunkPlan>): Promise<readonly ChunkPlan[]> {
    return this.onTable('incomplete', () => [...plans.values()].filter((plan) => !this.isWhole(plan)));
  }

  async repair(attempt: ChunkPlan, { plans, chunkOf }: Repair): Promise<void> {
    const { shelf } = this;
    for (const plan of plans) {
      const chunk = await chunkOf(plan);
      for (const month of plan.months) {
        await this.onTable(`delete ${plan.id}`, () => {
          shelf.rows = shelf.rows.filter((row) => row.chunk !== plan.id || row.month !== month);
        });
      }
      await this.insert(plan, chunk, plan.id === attempt.id ? undefined : attempt);
    }
    for (const month of attempt.months) await this.remake(month, attempt.revision);
  }

  private async remake(month: number, attempt: number): Promise<void> {
    const { shelf } = this;
    const beside = () => {
      const months = shelf.remade.get(attempt);
      if (!months) throw missing(`table beside the roll-up of build ${this.build}`);
      return months;
    };
    await this.onTable('drop what was remade', () => {
      for (const other of shelf.remade.keys()) if (other <= attempt) shelf.remade.delete(other);
    });
    await this.onTable('create beside', () => void shelf.remade.set(attempt, new Map()));
    await this.onTable(`fill ${month}`, () => void beside().set(month, shelf.rowsOf(month)));
    await this.onTable(`replace ${month}`, () => void shelf.byMonth.set(month, beside().get(month) ?? 0));
    await this.onTable('drop beside', () => void shelf.remade.delete(attempt));
  }

  months(upTo: bigint, beside: number): Promise<ReadonlyMap<string, string>> {
    return this.onTable('months', () => {
      const waiting = [this.shelf, this.shelves.shelf(beside)].flatMap(({ parked }) =>
        [...parked].filter(([, state]) => state === 'waiting').map(([position]) => position),
      );
      const lines = new Map<string, string[]>();
      for (const row of this.shelf.rows) {
        if (row.position > upTo || waiting.includes(row.position)) continue;
        const month = String(row.month);
        lines.set(month, [...(lines.get(month) ?? []), withoutChunk(row.line)]);
      }
      const digest = (texts: string[]) => createHash('sha256').update(texts.toSorted().join('\n')).digest('hex');
      return new Map([...lines].map(([month, texts]) => [month, digest(texts)]));
    });
  }

  progress(): Promise<Progress | undefined> {
    return this.step('progress', () => this.shelf.progress);
  }

  saveProgress(progress: Progress): Promise<void> {
    return this.step(`progress ${progress.position}`, () => {
      const was = this.shelf.progress ?? progress;
      const { position } = was.position > progress.position ? was : progress;
      this.shelf.progress = {
        logId: progress.logId,
        position,
        completeUpToMs: Math.max(was.completeUpToMs, progress.completeUpToMs),
        planRevision: Math.max(was.planRevision, progress.planRevision),
      };
    });
  }

  saveOutcome(plan: ChunkPlan): Promise<void> {
    return this.step('outcome', () => {
      const { parked } = this.shelf;
      for (const { position } of plan.parked) if (!parked.has(position)) parked.set(position, 'waiting');
      for (const position of plan.only ?? []) parked.set(position, 'settled');
    });
  }

  showPlainly(): Promise<void> {
    return this.onTable('show', () => {
      this.shelves.plain = this.build;
    });
  }

  hidePlainNames(): Promise<void> {
    return this.step('hide', () => {
      this.shelves.plain = 0;
    });
  }

  async drop(): Promise<void> {
    const { shelf } = this;
    await this.step('drop roll-up', () => {
      shelf.hasRollUp = false;
      shelf.byMonth.clear();
    });
    await this.step('drop table', () => {
      shelf.hasTable = false;
      shelf.rows = [];
      shelf.tokens.clear();
    });
    await this.step('drop what was remade', () => shelf.remade.clear());
    await this.step('drop marks', () => {
      shelf.progress = undefined;
      shelf.parked.clear();
    });
  }

  private step<Answer>(what: string, work: () => Answer): Promise<Answer> {
    return this.around(work, `${what} of ${this.build}`);
  }

  private onTable<Answer>(what: string, work: () => Answer): Promise<Answer> {
    return this.step(what, () => {
      if (!this.shelf.hasTable) throw missing(`table of build ${this.build}`);
      return work();
    });
  }

  private isWhole(plan: ChunkPlan): boolean {
    const rows = this.shelf.rows.filter((row) => row.chunk === plan.id);
    let xor = 0n;
    for (const { eventId } of rows) if (eventId !== '') xor ^= BigInt(`0x${eventId.replaceAll('-', '')}`);
    return rows.length === plan.rows && xor.toString(16).padStart(32, '0') === plan.xor;
  }

  private stored(line: string, month: number): StoredRow {
    const cells = line.split('\t');
    const cell = (column: string) => cells[this.shelves.source.projection.columns.indexOf(column)] ?? '';
    return {
      line,
      month,
      chunk: BigInt(cells.at(-1) ?? ''),
      position: BigInt(cell('log_position')),
      eventId: cell('row_number') === '0' ? cell('event_id') : '',
    };
  }
}

/** The engine was killed in the middle of it. */
export class LostConnection extends Error {}

function memoryPublished(shelves: FactShelves, around: Around): PublishedBuilds {
  const there = () => [...shelves.builds].filter(([, shelf]) => shelf.isThere);
  return {
    read: () => around(() => shelves.published, 'published'),
    write: (next) => around(() => void shelves.activations.push(next), `publish ${next.build}`),
    highest: () =>
      around(() => {
        const told = shelves.activations.map(({ build }) => build);
        return Math.max(0, ...told, ...there().map(([build]) => build));
      }, 'highest'),
    marked: () =>
      around(
        () => there().flatMap(([build, { progress }]) => (progress ? [{ build, logId: progress.logId }] : [])),
        'marked',
      ),
    there: () => around(() => new Set(there().map(([build]) => build)), 'there'),
  };
}

/** ClickHouse's code 60. */
function missing(what: string): Error {
  return Object.assign(new Error(`no ${what}`), { code: '60' });
}

function linesOf(pieces: readonly Buffer[]): string[] {
  return Buffer.concat(pieces).toString('utf8').split('\n').slice(0, -1);
}

/** Of two builds that cut the log in two ways. */
export function withoutChunk(line: string): string {
  return line.slice(0, line.lastIndexOf('\t'));
}
