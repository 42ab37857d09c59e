// Two builds of the facts that the same code made of the same log hold the same rows, up to where both have come; but for
// events that one of them has parked.
import { quoted } from '../engine.js';
import type { FactTables } from './fact-tables.js';

/** A difference is looked at again: a parked event may be taken in on one side just then. */
const looksMax = 3;

/** Months of the fact table that differ. */
export async function differencesBetween(one: FactTables, other: FactTables): Promise<readonly string[]> {
  let different: readonly string[] = [];
  for (let look = 0; look < looksMax; look += 1) {
    const [mine, theirs] = [await one.progress(), await other.progress()];
    if (!mine || !theirs) return [];
    const both = `log_position <= ${mine.position} AND log_position <= ${theirs.position}`;
    const [here, there] = [await monthsOf(one, other, both), await monthsOf(other, one, both)];
    const months = new Set([...here.keys(), ...there.keys()]);
    different = [...months].filter((month) => here.get(month) !== there.get(month));
    if (different.length === 0) return [];
  }
  return different.map((month) => `the rows of ${month}`);
}

/** A digest of each month's rows, in which neither their order nor their chunks matter. */
async function monthsOf(tables: FactTables, other: FactTables, span: string): Promise<ReadonlyMap<string, string>> {
  const { engine, schema, columns, place } = tables;
  const builds = [place.build, other.place.build].join(', ');
  const rows = await engine.rows<{ month: string; digest: string }>(
    `SELECT toString(toYYYYMM(occurred_at)) AS month, concat(toString(count()), ':', toString(groupBitXor(sipHash64(${columns.join(', ')})))) AS digest
     FROM ${schema.factTable} WHERE ${span} AND log_position NOT IN
       (SELECT position FROM sink_parked WHERE sink = ${quoted(place.sink)} AND build IN (${builds}) GROUP BY build, position HAVING max(settled) = '')
     GROUP BY month`,
  );
  return new Map(rows.map(({ month, digest }) => [month, digest]));
}
