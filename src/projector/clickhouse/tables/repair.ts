// Making tables whole again: chunks deleted and inserted anew under tokens that were never used, and then the roll-ups of
// their months from the fact table.
import { type ChunkPlan, insertToken } from '../chunk/plan-log.js';
import type { Repair } from './fact-store.js';
import type { FactTables } from './fact-tables.js';
import { type RollUpShape, rowsOfMonth } from './roll-up-check.js';

/** Chunks one after the other, then the roll-ups. */
export async function repair(tables: FactTables, attempt: ChunkPlan, chunks: Repair): Promise<void> {
  const { engine, schema } = tables;
  for (const plan of chunks.plans) {
    const chunk = await chunks.chunkOf(plan);
    for (const month of plan.months) {
      await engine.command(`ALTER TABLE ${schema.factTable} DELETE IN PARTITION ${month} WHERE chunk = ${plan.id}`);
    }
    await tables.insert(plan, chunk, plan.id === attempt.id ? undefined : attempt);
  }
  for (const shape of await tables.rollUps()) {
    for (const month of await monthsToRepair(tables, shape, attempt)) {
      if (shape.rollUp.additive) await remakeMonth(tables, shape, { month, attempt: attempt.revision });
      else await addAgain(tables, shape, month, attempt);
    }
  }
}

/**
 * Where a roll-up is not cut by months, a part of it that was lost held rows of any month. The attempt's own months come
 * last: an attempt that dies on the way is found by them.
 */
async function monthsToRepair(
  { engine, schema }: FactTables,
  shape: RollUpShape,
  { months }: ChunkPlan,
): Promise<readonly number[]> {
  if (shape.partitionKey !== '') return months;
  const all = await engine.rows<{ month: number }>(
    `SELECT DISTINCT toUInt32(toYYYYMM(occurred_at)) AS month FROM ${schema.factTable} ORDER BY month`,
  );
  return [...all.map(({ month }) => Number(month)).filter((month) => !months.includes(month)), ...months];
}

/** A roll-up of idempotent columns: the month's share once more, under no token that was used before. */
async function addAgain(tables: FactTables, shape: RollUpShape, month: number, attempt: ChunkPlan): Promise<void> {
  const { engine, schema, place } = tables;
  const columns = shape.columns.map(({ name }) => name);
  const select = `SELECT ${columns.join(', ')} FROM (${shape.rollUp.select(rowsOfMonth(schema.factTable, month))})`;
  const token = insertToken(place.sink, place.build, attempt, `${shape.rollUp.name}.${month}`);
  await engine.insertSelect(shape.rollUp.table, columns, select, token);
}

/**
 * A month of an additive roll-up from the fact table, put in the place of what is there in one step. The table beside it
 * is the attempt's own: two owners who both repair never write into one.
 */
export async function remakeMonth(
  tables: FactTables,
  shape: RollUpShape,
  { month, attempt }: { readonly month: number; readonly attempt: number },
): Promise<void> {
  const { engine, schema } = tables;
  const { table } = shape.rollUp;
  const beside = `${table}_remade_${attempt}`;
  const columns = shape.columns.map(({ name }) => name);
  await dropRemade(tables, attempt);
  await engine.command(`CREATE TABLE ${beside} AS ${table}`);
  const select = `SELECT ${columns.join(', ')} FROM (${shape.rollUp.select(rowsOfMonth(schema.factTable, month))})`;
  await engine.insertSelect(beside, columns, select, '');
  // A month of which the roll-up shows nothing is no part to exchange.
  const made = await engine.row(`SELECT 1 FROM ${beside} LIMIT 1`);
  const change = made ? `REPLACE PARTITION ${month} FROM ${beside}` : `DROP PARTITION ${month}`;
  await engine.command(`ALTER TABLE ${table} ${change}`);
  await engine.command(`DROP TABLE ${beside} SYNC`);
}

/** What repairs that died left beside the roll-ups; of attempts up to this one, or of all. */
export async function dropRemade({ engine, schema }: FactTables, upTo = Number.MAX_SAFE_INTEGER): Promise<void> {
  const tables = await engine.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_remade_%'`,
  );
  for (const { name } of tables) {
    const [table, attempt] = name.split('_remade_');
    if (schema.rollUps.some((rollUp) => rollUp.table === table) && Number(attempt) <= upTo) {
      await engine.command(`DROP TABLE IF EXISTS ${name} SYNC`);
    }
  }
}
