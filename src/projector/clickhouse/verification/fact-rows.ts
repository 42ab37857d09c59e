// The fact table against the log, row by row: digests of chunks, many at a time, and where one differs its lines.
import type { Chunk } from '../chunk/chunk.js';
import { chunkOfPlan, type PlannedSource } from '../chunk/chunk-stream.js';
import { allPlans, type ChunkPlan } from '../chunk/plan-log.js';
import { digestOfLines, type FactTables, rowsDigest, storedColumns } from '../tables/fact-tables.js';
import { Findings } from './findings.js';
import { refold } from './refold.js';

/** Chunks looked up in one query. */
const chunksPerQuery = 500;
/** Plans that took in parked events later: they stand among older rows, and are kept in mind. */
const retriedPlansMax = 50_000;
/** Chunks that nobody planned, told of one query's span of the log. */
const strangersMax = 1_000;

/** What the chunk of one name should hold: a chunk of parked events alone may share it with their later rows. */
interface Expected {
  readonly rows: number;
  readonly digest: bigint;
  readonly plans: readonly ChunkPlan[];
}

export class FactRows {
  private readonly findings = new Findings();
  private expected = new Map<bigint, Expected>();
  private from = 0n;

  constructor(
    private readonly source: PlannedSource,
    private readonly tables: FactTables,
  ) {}

  /** @throws Error when more parked events were taken in than can be kept in mind */
  async compare(upTo: bigint, signal: AbortSignal | undefined): Promise<Findings> {
    const retried = await this.retried();
    for await (const part of refold(this.source, upTo)) {
      signal?.throwIfAborted();
      if (part.kind === 'unplanned') {
        const { position, type, stream, revision } = part.event;
        const at = `position ${position}, ${type} ${stream}@${revision}`;
        this.findings.add({ at, expected: part.expected, found: 'no plan' });
        continue;
      }
      this.expect(part.plan, part.chunk);
      if (this.expected.size >= chunksPerQuery) await this.look(part.plan.to, retried);
    }
    await this.look(upTo, retried);
    return this.findings;
  }

  private async retried(): Promise<ReadonlyMap<bigint, ChunkPlan>> {
    const plans = new Map<bigint, ChunkPlan>();
    for await (const plan of allPlans(this.source.log, this.source.stream)) {
      if (!plan.only) continue;
      plans.set(plan.id, plan);
      if (plans.size > retriedPlansMax) {
        throw new Error(`more than ${retriedPlansMax} retries of parked events: build the facts anew to compare them`);
      }
    }
    return plans;
  }

  private expect(plan: ChunkPlan, chunk: Chunk | undefined): void {
    const { id, rows } = plan;
    if (!chunk) {
      this.findings.add({ at: `plan of chunk ${id}`, expected: `${rows} rows`, found: 'other rows in the log' });
    }
    this.findings.compared += rows;
    const before = this.expected.get(id) ?? { rows: 0, digest: 0n, plans: [] };
    const digest = chunk ? BigInt(`0x${digestOfLines(chunk.parts.flatMap(({ pieces }) => pieces))}`) : 0n;
    this.expected.set(id, {
      rows: before.rows + rows,
      digest: before.digest ^ digest,
      plans: chunk ? [...before.plans, plan] : before.plans,
    });
  }

  /** Compares everything that is expected up to a position with what the table holds of that span. */
  private async look(to: bigint, retried: ReadonlyMap<bigint, ChunkPlan>): Promise<void> {
    for (const plan of retried.values()) {
      if (plan.id < this.from || plan.id > to) continue;
      this.expect(plan, await chunkOfPlan(this.source, plan).catch(() => undefined));
    }
    const stored = await this.stored([...this.expected.keys()]);
    for (const [id, { rows, digest, plans }] of this.expected) {
      const there = stored.get(id) ?? { rows: 0, digest: 0n };
      if (plans.length > 0 && (there.rows !== rows || there.digest !== digest)) await this.linesOf(id, plans);
    }
    await this.strangers(to);
    this.from = to + 1n;
    this.expected = new Map();
  }

  private async stored(
    ids: readonly bigint[],
  ): Promise<ReadonlyMap<bigint, { readonly rows: number; readonly digest: bigint }>> {
    if (ids.length === 0) return new Map();
    const { engine, schema } = this.tables;
    const rows = await engine.rows<{ id: string; rows: string; digest: string }>(
      `SELECT toString(chunk) AS id, toString(count()) AS rows, ${rowsDigest(storedColumns(this.source.source))} AS digest
       FROM ${schema.factTable} WHERE chunk IN (${ids.join(', ')}) GROUP BY chunk`,
    );
    return new Map(
      rows.map(({ id, rows: count, digest }) => [BigInt(id), { rows: Number(count), digest: BigInt(`0x${digest}`) }]),
    );
  }

  /** Which rows of a chunk differ: lines as a multiset, since a doubled row is a difference too. */
  private async linesOf(id: bigint, plans: readonly ChunkPlan[]): Promise<void> {
    const { engine, schema } = this.tables;
    const found = await engine.rows<{ line: string }>(
      `SELECT formatRow('TabSeparated', ${storedColumns(this.source.source).join(', ')}) AS line FROM ${schema.factTable} WHERE chunk = ${id}`,
    );
    const counts = new Map<string, number>();
    const count = (line: string, by: number) => counts.set(line, (counts.get(line) ?? 0) + by);
    for (const { line } of found) count(line.replace(/\n$/, ''), -1);
    for (const plan of plans) {
      const chunk = await chunkOfPlan(this.source, plan);
      for (const piece of chunk?.parts.flatMap(({ pieces }) => pieces) ?? []) {
        for (const line of piece.toString('utf8').split('\n')) if (line !== '') count(line, 1);
      }
    }
    for (const [line, difference] of counts) {
      if (difference === 0) continue;
      const at = `position ${line.slice(0, line.indexOf('\t'))}, chunk ${id}`;
      const times = `${Math.abs(difference)} × ${line}`;
      this.findings.add(
        difference > 0 ? { at, expected: times, found: undefined } : { at, expected: undefined, found: times },
      );
    }
  }

  /** Rows of chunks that nobody planned, in the span that is looked at. */
  private async strangers(to: bigint): Promise<void> {
    const planned = this.expected.size > 0 ? `AND chunk NOT IN (${[...this.expected.keys()].join(', ')})` : '';
    const found = await this.tables.engine.rows<{ id: string }>(
      `SELECT DISTINCT toString(chunk) AS id FROM ${this.tables.schema.factTable}
       WHERE chunk >= ${this.from} AND chunk <= ${to} ${planned} LIMIT ${strangersMax}`,
    );
    for (const { id } of found) {
      this.findings.add({ at: `chunk ${id}`, expected: undefined, found: 'rows that nobody planned' });
    }
  }
}
