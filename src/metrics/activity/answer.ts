// Asks ClickHouse an activity question and puts the answer in its final shape.
import { toIso } from '../../kernel/clock.js';
import { Calendar } from '../calendar.js';
import type { FactsReader, FactsState } from '../facts-reader.js';
import { compareCells, type MaturityRule, maturityOf } from '../figure.js';
import type { Maturity, RateFigure } from '../metric.js';
import { rateOf } from '../ratio.js';
import { compileActivity } from './compile.js';
import type { ActivityCount, ActivityQuestion } from './question.js';
import { activityKinds } from './specs.js';

export interface ActivityRow extends RateFigure, Maturity {
  readonly day?: string;
  readonly kind?: string;
  readonly suppressed: false;
}
export interface ActivityAnswer {
  readonly metric: string;
  readonly definition: string;
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly completeUpTo: string;
  readonly stale: boolean;
  readonly rows: readonly ActivityRow[];
  /** Of `activity` there is one for each kind, in `totals`: people of two kinds cannot be added up. */
  readonly total?: ActivityRow;
  readonly totals?: readonly ActivityRow[];
}

type Answered = Readonly<Record<string, string | number>>;

export async function askActivity(
  reader: FactsReader,
  question: ActivityQuestion,
  build: number,
): Promise<readonly ActivityCount[]> {
  const rows = await reader.rows<Answered>(compileActivity(question, build));
  return rows.map((row) => {
    const kind = activityKinds[String(row['fact'] ?? '')];
    const isTotal = Number(row['is_total']) === 1;
    return {
      cell: { ...(isTotal ? {} : { day: String(row['by_day']) }), ...(kind ? { kind } : {}) },
      numerator: Number(row['numerator']),
      denominator: Number(row['denominator']),
    };
  });
}

export async function answerActivity(
  reader: FactsReader,
  question: ActivityQuestion,
  state: FactsState,
  stale: boolean,
): Promise<ActivityAnswer> {
  const { spec, range, timeZone, byDay } = question;
  const rule: MaturityRule = {
    calendar: new Calendar(timeZone),
    range,
    maturesAfterMs: spec.maturesAfterMs(undefined),
    completeUpToMs: state.completeUpToMs,
  };
  const row = ({ cell, numerator, denominator }: ActivityCount): ActivityRow => ({
    ...cell,
    numerator,
    denominator,
    rate: rateOf(numerator, denominator),
    interval: null,
    ...maturityOf(cell, rule),
    suppressed: false,
  });
  const counts = (await askActivity(reader, question, state.build)).toSorted(compareCells(['day', 'kind']));
  const totals = counts.filter(({ cell }) => cell['day'] === undefined).map(row);
  const rows = byDay ? counts.filter(({ cell }) => cell['day'] !== undefined).map(row) : [];
  const common = {
    metric: spec.name,
    definition: `${spec.numerator} / ${spec.denominator}`,
    ...range,
    timeZone,
    completeUpTo: toIso(state.completeUpToMs),
    stale,
  };
  if (spec.kind === 'activity') return { ...common, rows: byDay ? rows : totals, totals };
  return { ...common, rows, total: totals[0] ?? row({ cell: {}, numerator: 0, denominator: 0 }) };
}
