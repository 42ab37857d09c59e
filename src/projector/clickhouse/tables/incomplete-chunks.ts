// Which planned chunks are not in the fact table as they were planned: count and exclusive-or of their events, many chunks
// in one grouped query.
import type { EventLogReader } from '../../../event-log/event-log.js';
import { allPlans, type ChunkPlan } from '../chunk/plan-log.js';
import { eventsXor, type FactTables } from './fact-tables.js';

const chunksPerQuery = 2_000;

/** In the order of the log, until there are so many; a chunk that was planned again is its newest attempt. */
export async function incompleteChunks(
  log: EventLogReader,
  stream: string,
  tables: FactTables,
  max: number,
): Promise<readonly ChunkPlan[]> {
  const found = new Map<bigint, ChunkPlan>();
  let some = new Map<bigint, ChunkPlan>();
  for await (const plan of allPlans(log, stream)) {
    if (plan.rows === 0) continue;
    some.set(plan.id, plan);
    if (some.size < chunksPerQuery) continue;
    for (const gap of await incompleteOf(tables, some)) found.set(gap.id, gap);
    some = new Map();
    if (found.size >= max) break;
  }
  for (const gap of some.size > 0 ? await incompleteOf(tables, some) : []) found.set(gap.id, gap);
  return [...found.values()];
}

async function incompleteOf(tables: FactTables, plans: ReadonlyMap<bigint, ChunkPlan>): Promise<readonly ChunkPlan[]> {
  const rows = await tables.engine.rows<{ id: string; held: string; xor: string }>(
    `SELECT toString(chunk) AS id, toString(count()) AS held, ${eventsXor} AS xor
     FROM ${tables.schema.factTable} WHERE chunk IN (${[...plans.keys()].join(', ')}) GROUP BY chunk`,
  );
  const held = new Map(rows.map((row) => [BigInt(row.id), `${row.held} ${row.xor.padStart(32, '0')}`]));
  return [...plans.values()].filter((plan) => held.get(plan.id) !== `${plan.rows} ${plan.xor}`);
}
