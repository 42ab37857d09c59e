// The activity metrics from the facts one by one, in memory: what the queries are tested against.
import type { Row } from '../../kernel/projection.js';
import { Calendar } from '../calendar.js';
import { isAgreed, momentOf, numberOf, textOf } from '../facts.js';
import type { Cell } from '../metric.js';
import type { ActivityCount, ActivityQuestion } from './question.js';
import { activityKinds } from './specs.js';

interface Tally {
  readonly cell: Cell;
  events: number;
  readonly people: Set<string>;
}

export function referenceActivity(question: ActivityQuestion, facts: readonly Row[]): readonly ActivityCount[] {
  const calendar = new Calendar(question.timeZone);
  const { from, to } = question.range;
  const tallies = new Map<string, Tally>();
  const at = (cell: Cell): Tally => {
    const key = JSON.stringify(cell);
    const tally = tallies.get(key) ?? { cell, events: 0, people: new Set<string>() };
    tallies.set(key, tally);
    return tally;
  };
  const isActivity = question.spec.kind === 'activity';
  if (!isActivity) at({});
  for (const fact of facts) {
    const name = textOf(fact, 'fact');
    const day = calendar.dayOf(momentOf(fact));
    if (day < from || day >= to || numberOf(fact, 'row_number') !== 0 || !isAgreed(fact)) continue;
    const kind = activityKinds[name];
    for (const dated of question.byDay ? [{ day }, {}] : [{}]) {
      if (isActivity && kind) count(at({ ...dated, kind }), fact, true);
      // A member counts by a session, a share by itself.
      if (!isActivity && name === 'ShareCompleted') at(dated).events += 1;
      if (!isActivity && name === 'SessionStarted' && textOf(fact, 'member_id') !== '') count(at(dated), fact, false);
    }
  }
  return [...tallies.values()].map(({ cell, events, people }) => ({
    cell,
    numerator: events,
    denominator: people.size,
  }));
}

function count(tally: Tally, fact: Row, isEvent: boolean): void {
  if (isEvent) tally.events += 1;
  tally.people.add(textOf(fact, 'member_id') || textOf(fact, 'anon_id') || textOf(fact, 'visitor_key'));
}
