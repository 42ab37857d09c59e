// The tables of one build of the facts: insert a chunk, tell whether it is there, and make it be there.
import { hash } from 'node:crypto';
import type { Chunk, FactSource, ParkedEvent } from '../chunk/chunk.js';
import { type ChunkPlan, insertToken } from '../chunk/plan-log.js';
import { escaped } from '../chunk/row-text.js';
import { type Engine, quoted } from '../engine.js';
import type { BuildTables, Progress, Repair } from './fact-store.js';
import { dropRemade, repair } from './repair.js';
import { describe, finalised, holdsAdded, holdsMonths, type RollUpShape, rowsOfChunk } from './roll-up-check.js';
import { type FactSchema, factSchema } from './schema.js';
import { monthsOf } from './table-comparison.js';

/** Columns of a stored row in the order in which the sink writes them. */
export function storedColumns(source: FactSource): readonly string[] {
  return [...source.projection.columns, 'chunk'];
}

/** In ClickHouse: exclusive-or of the ids of the events that rows were made of, as hex digits. */
const eventsXor = 'lower(hex(groupBitXorIf(toUInt128(event_id), row_number = 0)))';

export class FactTables implements BuildTables {
  readonly schema: FactSchema;
  private shapes: readonly RollUpShape[] | undefined;

  constructor(
    readonly engine: Engine,
    private readonly source: FactSource,
    readonly place: { readonly sink: string; readonly build: number; readonly timeZone: string },
  ) {
    this.schema = factSchema(place.build, place.timeZone);
  }

  get build(): number {
    return this.place.build;
  }

  /** Of a row, but the chunk that it came in. */
  get columns(): readonly string[] {
    return this.source.projection.columns;
  }

  async create(): Promise<void> {
    for (const statement of this.schema.statements) await this.engine.command(statement);
  }

  async rollUps(): Promise<readonly RollUpShape[]> {
    this.shapes ??= await Promise.all(this.schema.rollUps.map((rollUp) => describe(this.engine, rollUp)));
    return this.shapes;
  }

  /** One insert per month, raw table and views, each under its token: as often as it is said, it is there once. */
  async insert(plan: ChunkPlan, chunk: Chunk, within?: ChunkPlan): Promise<void> {
    const columns = storedColumns(this.source);
    for (const part of chunk.parts) {
      const token = insertToken(this.place.sink, this.place.build, plan, String(part.month), within);
      await this.engine.insertText(this.schema.factTable, columns, part.pieces, token);
    }
  }

  async holds(plan: ChunkPlan): Promise<boolean> {
    if (plan.rows === 0) return true;
    const found = await this.engine.row<{ rows: string; xor: string }>(
      `SELECT toString(count()) AS rows, ${eventsXor} AS xor FROM ${rowsOfChunk(this.span(plan))}`,
    );
    return found?.rows === String(plan.rows) && found.xor.padStart(32, '0') === plan.xor;
  }

  /** Every row's text of one chunk, and every roll-up's share of it. Names what differs. */
  async differences(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]> {
    return [...(await this.chunkDifferences(plan, chunk)), ...(await this.sumDifferences(plan.months))];
  }

  async chunkDifferences(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]> {
    if (plan.rows === 0) return [];
    const rows = rowsOfChunk(this.span(plan));
    return [
      ...(await this.textDifferences(plan, chunk)),
      ...(await this.rollUpDifferences((shape) => shape.rollUp.additive || holdsAdded(this.engine, shape, rows))),
    ];
  }

  async sumDifferences(months: readonly number[]): Promise<readonly string[]> {
    const { factTable } = this.schema;
    return await this.rollUpDifferences(
      (shape) => !shape.rollUp.additive || holdsMonths(this.engine, shape, { factTable, months }),
    );
  }

  async losses(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]> {
    const found = [
      ...(await this.textDifferences(plan, chunk)),
      ...(await this.rollUpDifferences((shape) => holdsMonths(this.engine, shape, this.span(plan)))),
    ];
    const held = await this.rowsHeld();
    if (held === plan.total) return found;
    return [...found, `${held} rows of ${plan.total ?? 'unknown'}`];
  }

  /** In one grouped query. */
  async incomplete(plans: ReadonlyMap<bigint, ChunkPlan>): Promise<readonly ChunkPlan[]> {
    const rows = await this.engine.rows<{ id: string; held: string; xor: string }>(
      `SELECT toString(chunk) AS id, toString(count()) AS held, ${eventsXor} AS xor
       FROM ${this.schema.factTable} WHERE chunk IN (${[...plans.keys()].join(', ')}) GROUP BY chunk`,
    );
    const held = new Map(rows.map((row) => [BigInt(row.id), `${row.held} ${row.xor.padStart(32, '0')}`]));
    return [...plans.values()].filter((plan) => held.get(plan.id) !== `${plan.rows} ${plan.xor}`);
  }

  repair(attempt: ChunkPlan, chunks: Repair): Promise<void> {
    return repair(this, attempt, chunks);
  }

  months(upTo: bigint, beside: number): Promise<ReadonlyMap<string, string>> {
    return monthsOf(this, upTo, beside);
  }

  private async textDifferences(plan: ChunkPlan, chunk: Chunk): Promise<readonly string[]> {
    return plan.rows === 0 || (await this.holdsText(plan, chunk)) ? [] : [this.schema.factTable];
  }

  private async rollUpDifferences(
    holds: (shape: RollUpShape) => boolean | Promise<boolean>,
  ): Promise<readonly string[]> {
    const found: string[] = [];
    for (const shape of await this.rollUps()) {
      if (!(await holds(shape))) found.push(shape.rollUp.table);
    }
    return found;
  }

  /** Known without reading them. */
  async rowsHeld(): Promise<number> {
    const row = await this.engine.row<{ held: string }>(
      `SELECT toString(count()) AS held FROM ${this.schema.factTable}`,
    );
    return Number(row?.held);
  }

  /** Views of this build's finalised values. */
  async showPlainly(): Promise<void> {
    const { factTable } = this.schema;
    await this.engine.command(`CREATE OR REPLACE VIEW ${plainName(factTable)} AS SELECT * FROM ${factTable}`);
    for (const shape of await this.rollUps()) {
      const { name, table } = shape.rollUp;
      await this.engine.command(`CREATE OR REPLACE VIEW ${name} AS ${finalised(shape, table)}`);
    }
  }

  async hidePlainNames(): Promise<void> {
    const { factTable, rollUps } = this.schema;
    for (const name of [plainName(factTable), ...rollUps.map((rollUp) => rollUp.name)]) {
      await this.engine.command(`DROP VIEW IF EXISTS ${name} SYNC`);
    }
  }

  /** With its marks: a number that is used again, by a log that forgot it, must find nothing. */
  async drop(): Promise<void> {
    for (const { view, table } of this.schema.rollUps) {
      await this.engine.command(`DROP VIEW IF EXISTS ${view} SYNC`);
      await this.engine.command(`DROP TABLE IF EXISTS ${table} SYNC`);
    }
    await this.engine.command(`DROP TABLE IF EXISTS ${this.schema.factTable} SYNC`);
    await dropRemade(this);
    const marks = await this.engine.rows<{ name: string }>(
      `SELECT name FROM system.tables WHERE database = currentDatabase() AND name IN ('sink_progress', 'sink_parked')`,
    );
    const place = `sink = ${quoted(this.place.sink)} AND build = ${this.place.build}`;
    for (const { name } of marks) await this.engine.command(`ALTER TABLE ${name} DELETE WHERE ${place}`);
  }

  async progress(): Promise<Progress | undefined> {
    const row = await this.engine.row<Record<string, string>>(
      `SELECT log_id, toString(max(position)) AS at_position, toString(toUnixTimestamp64Milli(max(complete_up_to))) AS complete, toString(max(plan_revision)) AS revision
       FROM sink_progress WHERE sink = ${quoted(this.place.sink)} AND build = ${this.place.build} GROUP BY log_id`,
    );
    return (
      row && {
        logId: row['log_id'] ?? '',
        position: BigInt(row['at_position'] ?? 0),
        completeUpToMs: Number(row['complete']),
        planRevision: Number(row['revision']),
      }
    );
  }

  async saveProgress(progress: Progress): Promise<void> {
    const values = [
      this.place.sink,
      this.place.build,
      progress.logId,
      progress.position,
      new Date(progress.completeUpToMs).toISOString().replace('T', ' ').slice(0, 23),
      progress.planRevision,
    ];
    await this.engine.insertText(
      'sink_progress',
      ['sink', 'build', 'log_id', 'position', 'complete_up_to', 'plan_revision'],
      [Buffer.from(`${values.join('\t')}\n`)],
      '',
    );
  }

  async saveOutcome(plan: ChunkPlan): Promise<void> {
    if (plan.parked.length > 0) await this.saveParked(plan.parked);
    if (plan.only) await this.settleParked(plan.only, 'retried');
  }

  async parked(): Promise<readonly ParkedEvent[]> {
    const rows = await this.engine.rows<Record<string, string>>(
      `SELECT toString(position) AS at_position, max(event_id) AS event, max(stream) AS of_stream, toString(max(revision)) AS of_revision, max(type) AS of_type, max(error) AS why
       FROM sink_parked WHERE sink = ${quoted(this.place.sink)} AND build = ${this.place.build} GROUP BY position HAVING max(settled) = '' ORDER BY position`,
    );
    return rows.map((row) => ({
      position: BigInt(row['at_position'] ?? 0),
      eventId: row['event'] ?? '',
      stream: row['of_stream'] ?? '',
      revision: Number(row['of_revision']),
      type: row['of_type'] ?? '',
      error: row['why'] ?? '',
    }));
  }

  private async saveParked(parked: readonly ParkedEvent[]): Promise<void> {
    const { sink, build } = this.place;
    const lines = parked.map(({ position, eventId, stream, revision, type, error }) =>
      [sink, build, position, eventId, escaped(stream), revision, escaped(type), escaped(error)].join('\t'),
    );
    const columns = ['sink', 'build', 'position', 'event_id', 'stream', 'revision', 'type', 'error'];
    await this.engine.insertText('sink_parked', columns, [Buffer.from(`${lines.join('\n')}\n`)], '');
  }

  /** They need no attention any more. */
  async settleParked(positions: readonly bigint[], how: 'retried' | 'dropped'): Promise<void> {
    const lines = positions.map((position) => [this.place.sink, this.place.build, position, how].join('\t'));
    const columns = ['sink', 'build', 'position', 'settled'];
    await this.engine.insertText('sink_parked', columns, [Buffer.from(`${lines.join('\n')}\n`)], '');
  }

  private async holdsText(plan: ChunkPlan, chunk: Chunk): Promise<boolean> {
    const found = await this.engine.row<{ rows: string; digest: string }>(
      `SELECT toString(count()) AS rows, ${rowsDigest(storedColumns(this.source))} AS digest FROM ${rowsOfChunk(this.span(plan))}`,
    );
    const digest = digestOfLines(chunk.parts.flatMap(({ pieces }) => pieces));
    return found?.rows === String(chunk.rows) && found.digest.padStart(16, '0') === digest;
  }

  private span(plan: ChunkPlan): { factTable: string; id: bigint; months: readonly number[] } {
    return { factTable: this.schema.factTable, id: plan.id, months: plan.months };
  }
}

function plainName(table: string): string {
  return table.replace(/_v\d+$/, '');
}

/** In ClickHouse: exclusive-or of the first 8 bytes of the MD5 of each row's text, as hex digits. */
export function rowsDigest(columns: readonly string[]): string {
  const text = `formatRow('TabSeparated', ${columns.join(', ')})`;
  return `lower(hex(groupBitXor(reinterpretAsUInt64(reverse(substring(MD5(${text}), 1, 8))))))`;
}

/** The same of folded lines, as 16 hex digits. */
export function digestOfLines(pieces: readonly Buffer[]): string {
  let high = 0;
  let low = 0;
  for (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      const digest = hash('md5', piece.subarray(start, end + 1), 'buffer');
      high ^= digest.readUInt32BE(0);
      low ^= digest.readUInt32BE(4);
      start = end + 1;
    }
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
