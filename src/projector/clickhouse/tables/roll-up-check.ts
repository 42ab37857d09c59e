// Is a roll-up what its view makes of the fact table? States of aggregate functions may differ in their bytes for one
// value, so what is compared is always the finalised value.
import type { Engine } from '../engine.js';
import { quoted } from '../engine.js';
import type { RollUp } from './schema.js';

interface Column {
  readonly name: string;
  readonly type: string;
}

/** A roll-up's table as the engine describes it. */
export interface RollUpShape {
  readonly rollUp: RollUp;
  readonly columns: readonly Column[];
  readonly sortingKey: string;
  /** '' when it is not partitioned. */
  readonly partitionKey: string;
}

export async function describe(engine: Engine, rollUp: RollUp): Promise<RollUpShape> {
  const columns = await engine.rows<Column>(
    `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = ${quoted(rollUp.table)} ORDER BY position`,
  );
  const keys = await engine.row<{ sorting_key: string; partition_key: string }>(
    `SELECT sorting_key, partition_key FROM system.tables WHERE database = currentDatabase() AND name = ${quoted(rollUp.table)}`,
  );
  if (!keys || columns.length === 0) throw new Error(`${rollUp.table} is missing`);
  return { rollUp, columns, sortingKey: keys.sorting_key, partitionKey: keys.partition_key };
}

/** `min(first_open) AS first_open`, `uniqExactMerge(people) AS people`; undefined for a key. */
function merged({ name, type }: Column): string | undefined {
  const simple = /^SimpleAggregateFunction\((\w+),/.exec(type);
  if (simple) return `${simple[1]}(${name}) AS ${name}`;
  const state = /^AggregateFunction\((\w+),/.exec(type);
  return state ? `${state[1]}Merge(${name}) AS ${name}` : undefined;
}

/** One row per key with finalised values; `from` is a table or a parenthesised SELECT with the table's columns. */
export function finalised(shape: RollUpShape, from: string): string {
  const keys = shape.columns.filter((column) => !merged(column)).map(({ name }) => name);
  const values = shape.columns.map(merged).filter((text) => text !== undefined);
  // The aliases repeat the columns' names; without this setting an alias inside another aggregate would be an error.
  return `SELECT ${[...keys, ...values].join(', ')} FROM ${from} AS f GROUP BY ${keys.join(', ')}`;
}

/** Rows and a digest of a finalised SELECT, in which the order does not matter. */
export async function digestOf(engine: Engine, shape: RollUpShape, select: string): Promise<string> {
  const names = shape.columns.map(({ name }) => name).join(', ');
  const row = await engine.row<{ digest: string }>(
    `SELECT concat(toString(count()), ':', toString(groupBitXor(sipHash64(formatRow('TabSeparated', ${names}))))) AS digest FROM (${select})`,
  );
  return row?.digest ?? '';
}

function names(shape: RollUpShape): string {
  return shape.columns.map(({ name }) => name).join(', ');
}

/** Does the roll-up hold all that the rows of these months add to it? One of sums is made anew and compared. */
export async function holdsMonths(
  engine: Engine,
  shape: RollUpShape,
  { factTable, months }: { readonly factTable: string; readonly months: readonly number[] },
): Promise<boolean> {
  for (const month of months) {
    const holds = shape.rollUp.additive
      ? await holdsMonth(engine, shape, factTable, month)
      : await holdsAdded(engine, shape, rowsOfMonth(factTable, month));
    if (!holds) return false;
  }
  return true;
}

/** For a roll-up whose every column is idempotent: adding these rows of the fact table again must change nothing. */
export async function holdsAdded(engine: Engine, shape: RollUpShape, rows: string): Promise<boolean> {
  const added = shape.rollUp.select(rows);
  const key = `(${shape.sortingKey})`;
  const there = `SELECT ${names(shape)} FROM ${shape.rollUp.table} WHERE ${key} IN (SELECT ${key} FROM (${added}))`;
  const now = await digestOf(engine, shape, finalised(shape, `(${there})`));
  const then = await digestOf(
    engine,
    shape,
    finalised(shape, `(${there} UNION ALL SELECT ${names(shape)} FROM (${added}))`),
  );
  return now === then;
}

/** The rows of one chunk as something to select from. */
export function rowsOfChunk(chunk: {
  readonly factTable: string;
  readonly id: bigint;
  readonly months: readonly number[];
}): string {
  return `(SELECT * FROM ${chunk.factTable} WHERE chunk = ${chunk.id} AND toYYYYMM(occurred_at) IN (${chunk.months.join(', ')}))`;
}

/** The rows of one month as something to select from. */
export function rowsOfMonth(factTable: string, month: number): string {
  return `(SELECT * FROM ${factTable} WHERE toYYYYMM(occurred_at) = ${month})`;
}

async function holdsMonth(engine: Engine, shape: RollUpShape, factTable: string, month: number): Promise<boolean> {
  const there = `(SELECT * FROM ${shape.rollUp.table} WHERE ${shape.partitionKey} = ${month})`;
  const now = await digestOf(engine, shape, finalised(shape, there));
  const then = await digestOf(
    engine,
    shape,
    finalised(shape, `(${shape.rollUp.select(rowsOfMonth(factTable, month))})`),
  );
  return now === then;
}
