// Is a new build what readers may be given? Some of its chunks are folded once more and compared, with every roll-up; and
// where the build that is read was made by the same code, all rows that both have come to.

import type { Timers } from '../../timers.js';
import { chunkOfPlan, type PlannedSource } from '../chunk/chunk-stream.js';
import { type ChunkPlan, samplePlans } from '../chunk/plan-log.js';
import type { BuildTables } from '../tables/fact-store.js';
import { differencesBetween } from '../tables/table-comparison.js';
import { differencesWhenStill } from '../verification/still.js';

/** How many chunks of a new build are folded once more. */
const sampledChunks = 3;

/** It is wrong, and would be wrong again. */
export class BuildDiffers extends Error {
  constructor(detail: string) {
    super(`${detail}; it was given up, readers do not get it`);
    this.name = 'BuildDiffers';
  }
}

export interface BuildToCheck extends PlannedSource {
  readonly build: number;
  readonly tables: BuildTables;
  /** Of the build that is read, when the same code made it. */
  readonly other?: BuildTables;
  readonly timers: Timers;
}

/** @throws BuildDiffers */
export async function checkBuild(check: BuildToCheck): Promise<void> {
  const { build, tables, other } = check;
  const plans = await samplePlans(check.log, check.stream, sampledChunks);
  for (const plan of plans) {
    const different = await differencesWhenStill(check, () => differencesOf(check, plan));
    if (different.length > 0) {
      throw new BuildDiffers(`build ${build} differs from the log in chunk ${plan.id}: ${different.join(', ')}`);
    }
  }
  const months = [...new Set(plans.flatMap((plan) => plan.months))];
  const uneven = await differencesWhenStill(check, () => tables.sumDifferences(months));
  if (uneven.length > 0) throw new BuildDiffers(`build ${build} differs from its own rows in ${uneven.join(', ')}`);
  const different = other ? await differencesBetween(tables, other) : [];
  if (different.length > 0) {
    throw new BuildDiffers(`build ${build} differs from the build that is read in ${different.join(', ')}`);
  }
}

async function differencesOf(check: BuildToCheck, plan: ChunkPlan): Promise<readonly string[]> {
  const chunk = await chunkOfPlan(check, plan);
  return chunk ? await check.tables.chunkDifferences(plan, chunk) : ['what was planned'];
}
