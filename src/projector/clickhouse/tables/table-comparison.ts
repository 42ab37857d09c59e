// Two builds of the facts that the same code made of the same log hold the same rows, up to where both have come; but for
// events that one of them has parked.
import { quoted } from '../engine.js';
import type { BuildTables } from './fact-store.js';
import type { FactTables } from './fact-tables.js';

/** A difference is looked at again: a parked event may be taken in on one side just then. */
const looksMax = 3;

/** Months of the fact table that differ. */
export async function differencesBetween(one: BuildTables, other: BuildTables): Promise<readonly string[]> {
  let different: readonly string[] = [];
  for (let look = 0; look < looksMax; look += 1) {
    const [mine, theirs] = [await one.progress(), await other.progress()];
    if (!mine || !theirs) return [];
    const { position: upTo } = mine.position < theirs.position ? mine : theirs;
    const [here, there] = [await one.months(upTo, other.build), await other.months(upTo, one.build)];
    const months = new Set([...here.keys(), ...there.keys()]);
    different = [...months].filter((month) => here.get(month) !== there.get(month));
    if (different.length === 0) return [];
  }
  return different.map((month) => `the rows of ${month}`);
}

export async function monthsOf(
  { engine, schema, columns, place }: FactTables,
  upTo: bigint,
  beside: number,
): Promise<ReadonlyMap<string, string>> {
  const rows = await engine.rows<{ month: string; digest: string }>(
    `SELECT toString(toYYYYMM(occurred_at)) AS month, concat(toString(count()), ':', toString(groupBitXor(sipHash64(${columns.join(', ')})))) AS digest
     FROM ${schema.factTable} WHERE log_position <= ${upTo} AND log_position NOT IN
       (SELECT position FROM sink_parked WHERE sink = ${quoted(place.sink)} AND build IN (${place.build}, ${beside}) GROUP BY build, position HAVING max(settled) = '')
     GROUP BY month`,
  );
  return new Map(rows.map(({ month, digest }) => [month, digest]));
}
