// Counts → what a brand may see of them: through the gate, on the whole grid, with rate, interval and maturity.
import { compareCells, type MaturityRule, maturityOf, rateFigure } from '../figure.js';
import type { Cell } from '../metric.js';
import { rateOf } from '../ratio.js';
import type { BrandAnswer, ReachRow, ResponseFigure, ResponseRow, RevenueRow } from './answer.js';
import { onGrid } from './grid.js';
import { isEnough, shownCells, suppressed } from './privacy-gate.js';
import type {
  BrandQuestion,
  ConversationSide,
  MoneyCount,
  Percentiles,
  ReachCounts,
  ResponseCount,
  RevenueCounts,
  TalkCount,
} from './question.js';

export type Figures = Pick<BrandAnswer, 'rows' | 'total' | 'totals'>;

export function reachFigures(
  question: BrandQuestion,
  rule: MaturityRule,
  grid: readonly Cell[],
  counts: ReachCounts,
): Figures {
  const all =
    question.by.length === 0 ? [] : onGrid(grid, counts.rows, (cell) => ({ cell, numerator: 0, denominator: 0 }));
  const gated = all.map(({ cell, ...people }) => ({ cell, people }));
  const shown = shownCells(gated, question.by);
  const figure = (cell: Cell, { numerator, denominator }: ReachCounts['total']): ReachRow => ({
    ...cell,
    ...rateFigure(numerator, denominator),
    ...maturityOf(cell, rule),
    suppressed: false,
  });
  return {
    rows: gated
      .toSorted(compareCells(question.by))
      .map((one): ReachRow => (shown.has(one) ? figure(one.cell, one.people) : { ...one.cell, ...suppressed })),
    total: isEnough(counts.total) ? figure({}, counts.total) : suppressed,
  };
}

interface RevenueGrid {
  readonly grid: readonly Cell[];
  /** A brand knows what it sells in: a row for each of them says nothing about friends' messages. */
  readonly currencies: readonly string[];
}

export function revenueFigures(
  question: BrandQuestion,
  rule: MaturityRule,
  { grid, currencies }: RevenueGrid,
  counts: RevenueCounts,
): Figures {
  const isCell = ({ cell }: { readonly cell: Cell }) => Object.keys(cell).length > 0;
  const totals = revenueRows(rule, {
    grains: [],
    money: counts.money.filter((one) => !isCell(one)),
    talk: counts.talk.filter((one) => !isCell(one)),
    grid: [{}],
    currencies,
  });
  if (!question.by.some((name) => name !== 'kind')) return { rows: totals, totals };
  const rows = revenueRows(rule, {
    grains: question.by.filter((name) => name !== 'kind'),
    money: counts.money.filter(isCell),
    talk: counts.talk.filter(isCell),
    grid,
    currencies,
  });
  return { rows, totals };
}

interface RevenueCells extends RevenueGrid {
  /** `day`, `week`, or nothing for the whole range. */
  readonly grains: readonly string[];
  readonly money: readonly MoneyCount[];
  readonly talk: readonly TalkCount[];
}

function revenueRows(rule: MaturityRule, { grains, money, talk, grid, currencies }: RevenueCells): RevenueRow[] {
  return (['friend', 'brand'] as const).flatMap((side) =>
    currencies.flatMap((currency) => {
      const counted = cellsOf(
        talk.filter((one) => one.side === side),
        money.filter((one) => one.side === side && one.currency === currency),
        currency,
      );
      const cells = onGrid(grid, counted, (cell) => emptyCell(cell, currency));
      const shown = side === 'friend' ? shownCells(cells, grains) : new Set<object>(cells);
      return cells
        .toSorted(compareCells(grains))
        .map((one) =>
          shown.has(one) ? revenueRow(side, one, rule) : { ...one.cell, kind: side, currency, ...suppressed },
        );
    }),
  );
}

function emptyCell(cell: Cell, currency: string): RevenueCell {
  return { cell, currency, people: { denominator: 0, numerator: 0 }, conversations: 0, booked: 0, cohort: 0 };
}

interface RevenueCell {
  readonly cell: Cell;
  readonly currency: string;
  readonly people: { readonly denominator: number; readonly numerator: number };
  readonly conversations: number;
  readonly booked: number;
  readonly cohort: number;
}

/** Every cell that has conversations or money. */
function cellsOf(talks: readonly TalkCount[], sold: readonly MoneyCount[], currency: string): RevenueCell[] {
  const cells = new Map<string, Cell>([...talks, ...sold].map(({ cell }) => [JSON.stringify(cell), cell]));
  return [...cells].map(([key, cell]) => {
    const here = talks.find((one) => JSON.stringify(one.cell) === key);
    const earned = sold.find((one) => JSON.stringify(one.cell) === key);
    return {
      cell,
      currency,
      people: { denominator: here?.people ?? 0, numerator: earned?.buyers ?? 0 },
      conversations: here?.conversations ?? 0,
      booked: earned?.booked ?? 0,
      cohort: earned?.cohort ?? 0,
    };
  });
}

function revenueRow(side: ConversationSide, one: RevenueCell, rule: MaturityRule): RevenueRow {
  const { cell, currency, booked, cohort, conversations } = one;
  return {
    ...cell,
    kind: side,
    currency,
    numerator: booked,
    denominator: conversations,
    rate: rateOf(booked, conversations),
    // Money per conversation is no proportion: it has no such interval.
    interval: null,
    cohort: { numerator: cohort, rate: rateOf(cohort, conversations) },
    ...maturityOf(cell, rule),
    suppressed: false,
  };
}

export function responseFigures(
  question: BrandQuestion,
  rule: MaturityRule,
  counts: readonly ResponseCount[],
): Figures {
  const row = (count: ResponseCount): ResponseRow => ({
    ...count.cell,
    ...rateFigure(count.answered, count.episodes),
    ...seconds(count.human),
    businessHours: count.businessHours ? seconds(count.businessHours) : null,
    bot: { answered: count.botAnswered, ...seconds(count.bot) },
    ...maturityOf(count.cell, rule),
    suppressed: false,
  });
  const isCell = ({ cell }: ResponseCount) => Object.keys(cell).length > 0;
  const none = { cell: {}, episodes: 0, answered: 0, human: null, botAnswered: 0, bot: null, businessHours: null };
  return {
    rows: counts.filter(isCell).toSorted(compareCells(question.by)).map(row),
    total: row(counts.find((count) => !isCell(count)) ?? none),
  };
}

function seconds(percentiles: Percentiles): ResponseFigure {
  const [median = null, p75 = null, p90 = null] = (percentiles ?? []).map((ms) => ms / 1_000);
  return { medianSec: median, p75Sec: p75, p90Sec: p90 };
}
