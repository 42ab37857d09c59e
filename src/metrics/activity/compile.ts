// A question of an activity metric → one ClickHouse query over the counters and the days of members.
import { quoted } from '../sql.js';
import type { ActivityQuestion } from './question.js';
import { activityKinds } from './specs.js';

export function compileActivity(question: ActivityQuestion, build: number): string {
  return question.spec.kind === 'activity' ? kinds(question, build) : perActiveMember(question, build);
}

function kinds({ range, timeZone, byDay }: ActivityQuestion, build: number): string {
  const facts = Object.keys(activityKinds).map(quoted).join(', ');
  const sets = byDay ? 'GROUPING SETS ((fact, by_day), (fact))' : 'fact';
  const total = byDay ? 'grouping(by_day)' : '1';
  return `SELECT toString(fact) AS fact, ${byDay ? 'toString(day) AS by_day,' : ''} ${total} AS is_total,
  sum(events) AS numerator, uniqExactMerge(people) AS denominator
FROM (SELECT fact, events, people, toDate(quarter, ${quoted(timeZone)}) AS day FROM engagement_quarterly_v${build} WHERE fact IN (${facts}))
WHERE day >= ${quoted(range.from)} AND day < ${quoted(range.to)} GROUP BY ${sets}`;
}

function perActiveMember({ range, timeZone, byDay }: ActivityQuestion, build: number): string {
  const inRange = `day >= ${quoted(range.from)} AND day < ${quoted(range.to)}`;
  const sets = byDay ? 'GROUP BY GROUPING SETS ((by_day), ())' : '';
  return `SELECT ${byDay ? 'by_day, grouping(by_day)' : '1'} AS is_total, sum(shares) AS numerator, uniqExactIf(member, member != '') AS denominator
FROM (
  SELECT toString(day) AS by_day, member_id AS member, 0 AS shares FROM member_days_v${build}
  WHERE ${inRange} GROUP BY member_id, day HAVING bitAnd(groupBitOr(did), 1) = 1
  UNION ALL
  SELECT toString(day) AS by_day, '' AS member, sum(events) AS shares
  FROM (SELECT events, toDate(quarter, ${quoted(timeZone)}) AS day FROM engagement_quarterly_v${build} WHERE fact = 'ShareCompleted')
  WHERE ${inRange} GROUP BY day
) ${sets}`;
}
