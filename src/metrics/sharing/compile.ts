// A question of a sharing metric → one ClickHouse query.
import { windows } from '../metric.js';
import { quoted } from '../sql.js';
import { predicateSql } from './predicate.js';
import type { SharingQuestion } from './question.js';
import { declaredEvidence, unknownChannel, unknownTarget } from './specs.js';
import { unitTables } from './units.js';

/** The units that the question is of and whose sharers have not withdrawn since, one row each, with the values of its dimensions. */
function units(question: SharingQuestion, build: number): string {
  const { spec, range, timeZone, filters } = question;
  const unit = unitTables[spec.unit];
  const columns = Object.entries(unit.columns).map(([name, merged]) => `${merged} AS ${name}`);
  const day = `toDate(fromUnixTimestamp64Milli(at), ${quoted(timeZone)})`;
  const conditions = [
    'at IS NOT NULL',
    // Without a withdrawal it is 0.
    'position > withdrawn',
    `day >= ${quoted(range.from)}`,
    `day < ${quoted(range.to)}`,
    predicateSql(spec.counts, windowMsOf(question)),
    ...Object.entries(filters).map(([name, value]) => `${name} = ${quoted(value)}`),
  ];
  const withdrawals = `SELECT member_id, max(analytics_withdrawn_at_position) AS withdrawn FROM member_facts_v${build} GROUP BY member_id HAVING withdrawn > 0`;
  return `SELECT *, ${day} AS day FROM (SELECT ${unit.id} AS id, ${columns.join(', ')} FROM ${unit.table}_v${build} GROUP BY id) AS units
LEFT JOIN (${withdrawals}) AS withdrawals ON withdrawals.member_id = units.sharer
WHERE ${conditions.join(' AND ')}`;
}

function windowMsOf({ spec, window }: SharingQuestion): number {
  const name = window ?? spec.windows[0];
  return name ? windows[name] : 0;
}

const dimensionSql: Readonly<Record<string, string>> = {
  day: 'toString(day)',
  channel: 'channel',
  content: 'content',
  creator: 'creator',
};

/** The total (its `is_total` is 1) and the cells, largest first. */
export function compileCounts(question: SharingQuestion, build: number): string {
  const { spec, by, limit } = question;
  const cells = by.map((name) => `${dimensionSql[name]} AS by_${name}`);
  const names = by.map((name) => `by_${name}`);
  const property = predicateSql(spec.property, windowMsOf(question));
  const counts = `countIf(${property}) AS numerator, count() AS denominator`;
  const from = `FROM (${units(question, build)})`;
  if (by.length === 0) return `SELECT 1 AS is_total, ${counts} ${from}`;
  return `SELECT ${[...cells, counts].join(', ')}, grouping(${names[0]}) AS is_total ${from}
GROUP BY GROUPING SETS ((${names.join(', ')}), ()) ORDER BY is_total DESC, denominator DESC, ${names.join(', ')} LIMIT ${limit + 1}`;
}

/** Channels in two columns: as declared, and as a later hint reclassified them. */
export function compileMix(question: SharingQuestion, build: number): string {
  const others = question.by.filter((name) => name !== 'channel');
  const cells = others.map((name) => `${dimensionSql[name]} AS by_${name}`);
  const names = others.map((name) => `by_${name}`);
  const declared = `if(evidence IN (${declaredEvidence.map(quoted).join(', ')}) AND channel != ${quoted(unknownTarget)}, channel, ${quoted(unknownChannel)})`;
  const later = `multiIf(reclassified != '', reclassified, evidence = 'unknown', ${quoted(unknownChannel)}, channel)`;
  const pairs = `[('declared', ${declared}), ('reclassified', ${later})]`;
  const inner = `SELECT ${[...cells, 'entry.2 AS by_channel', "countIf(entry.1 = 'declared') AS declared", "countIf(entry.1 = 'reclassified') AS reclassified_count"].join(', ')}
FROM (SELECT *, arrayJoin(${pairs}) AS entry FROM (${units(question, build)})) GROUP BY ${[...names, 'by_channel'].join(', ')}`;
  const partition = names.length > 0 ? `PARTITION BY ${names.join(', ')}` : '';
  return `SELECT *, sum(declared) OVER (${partition}) AS whole FROM (${inner})
ORDER BY greatest(declared, reclassified_count) DESC, ${[...names, 'by_channel'].join(', ')}`;
}
