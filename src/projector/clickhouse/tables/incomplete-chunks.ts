// Which planned chunks are not in the fact table as they were planned, asked for many at a time.
import type { EventLogReader } from '../../../event-log/event-log.js';
import { allPlans, type ChunkPlan } from '../chunk/plan-log.js';
import type { BuildTables } from './fact-store.js';

const chunksPerQuestion = 2_000;

/** In the order of the log, until there are so many; a chunk that was planned again is its newest attempt. */
export async function incompleteChunks(
  log: EventLogReader,
  stream: string,
  tables: Pick<BuildTables, 'incomplete'>,
  max: number,
): Promise<readonly ChunkPlan[]> {
  const found = new Map<bigint, ChunkPlan>();
  let some = new Map<bigint, ChunkPlan>();
  for await (const plan of allPlans(log, stream)) {
    if (plan.rows === 0) continue;
    some.set(plan.id, plan);
    if (some.size < chunksPerQuestion) continue;
    for (const gap of await tables.incomplete(some)) found.set(gap.id, gap);
    some = new Map();
    if (found.size >= max) break;
  }
  for (const gap of some.size > 0 ? await tables.incomplete(some) : []) found.set(gap.id, gap);
  return [...found.values()];
}
