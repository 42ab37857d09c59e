// Comparing tables that are being written to: a difference counts only when nobody wrote while it was looked at.
import type { EventLogReader } from '../../../event-log/event-log.js';
import { systemTimers, type Timers } from '../../timers.js';
import { lastPlan } from '../chunk/plan-log.js';
import type { BuildTables } from '../tables/fact-store.js';

/** Tables that are being written to are looked at so often before it is said that they cannot be compared. */
const looksMax = 50;
const lookEveryMs = 100;

export interface Written {
  readonly log: EventLogReader;
  readonly tables: Pick<BuildTables, 'progress'>;
  /** Of plans, of this build. */
  readonly stream: string;
  /** Absent: the system's. */
  readonly timers?: Timers;
}

/** Looks until there is no difference, or one while nobody writes; `look` names what differs. @throws Error when never */
export async function differencesWhenStill(
  written: Written,
  look: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  let found: readonly string[] = [];
  for (let looks = 0; looks < looksMax; looks += 1) {
    const before = await stillAt(written);
    found = await look();
    if (found.length === 0) return found;
    if (before !== undefined && before === (await stillAt(written))) return found;
    await (written.timers ?? systemTimers).sleep(lookEveryMs);
  }
  throw new Error(`${found.join(', ')} is written to all the time: compare when there is less to do`);
}

/** The last plan when it is carried out; undefined while one is being carried out. */
async function stillAt({ log, tables, stream }: Written): Promise<number | undefined> {
  const progress = await tables.progress();
  const plan = await lastPlan(log, stream);
  if (!plan) return -1;
  return progress?.planRevision === plan.revision ? plan.revision : undefined;
}
