// Asks ClickHouse a brand's question, lets only what passes the gate through, and puts it in its final shape.
import { toIso } from '../../kernel/clock.js';
import { Calendar } from '../calendar.js';
import type { FactsReader, FactsState } from '../facts-reader.js';
import { compareCells, type MaturityRule, maturityOf, rateFigure } from '../figure.js';
import { brandDimensions, type Cell, type Maturity, type RateFigure, type Suppressed } from '../metric.js';
import { rateOf } from '../ratio.js';
import { compileBrand, compileMoney, compileReach, compileResponse, compileTalk } from './compile.js';
import { openingHours } from './opening-hours.js';
import { isEnough, shownCells, suppressed } from './privacy-gate.js';
import type {
  BrandQuestion,
  ConversationSide,
  MoneyCount,
  OpeningHours,
  Percentiles,
  ReachCounts,
  ResponseCount,
  RevenueCounts,
  TalkCount,
} from './question.js';

interface Cells {
  readonly day?: string;
  readonly week?: string;
  readonly product?: string;
  readonly kind?: string;
}
export type ReachRow = Cells & ((RateFigure & Maturity & { readonly suppressed: false }) | Suppressed);
export type RevenueRow = Cells & { readonly kind: ConversationSide } & (
    | (RateFigure &
        Maturity & {
          readonly currency: string;
          /** Refunds dated by their order; `numerator` and `rate` date them by themselves (booked). */
          readonly cohort: { readonly numerator: number; readonly rate: number | null };
          readonly suppressed: false;
        })
    | Suppressed
  );
export interface ResponseFigure {
  readonly medianSec: number | null;
  readonly p75Sec: number | null;
  readonly p90Sec: number | null;
}
export interface ResponseRow extends Cells, ResponseFigure, RateFigure, Maturity {
  /** Null where the brand stated no opening hours. */
  readonly businessHours: ResponseFigure | null;
  readonly bot: ResponseFigure & { readonly answered: number };
  readonly suppressed: false;
}

export interface BrandAnswer<Row = ReachRow | RevenueRow | ResponseRow> {
  readonly metric: string;
  readonly definition: string;
  readonly brandId: string;
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly completeUpTo: string;
  readonly stale: boolean;
  readonly rows: readonly Row[];
  /** Of everything; revenue has `totals` instead, one for each kind and currency. */
  readonly total?: Row;
  readonly totals?: readonly Row[];
}

export async function answerBrand(
  reader: FactsReader,
  asked: Omit<BrandQuestion, 'asOfMs'>,
  state: FactsState,
  stale: boolean,
): Promise<BrandAnswer> {
  const { spec, range, timeZone, brandId } = asked;
  const calendar = new Calendar(timeZone);
  const completeUpToMs = asOf(asked, calendar, state);
  const question: BrandQuestion = { ...asked, asOfMs: completeUpToMs };
  const rule: MaturityRule = { calendar, range, maturesAfterMs: spec.maturesAfterMs(undefined), completeUpToMs };
  const about = await askBrand(reader, brandId, state.build);
  const figures =
    spec.kind === 'reach'
      ? reachFigures(question, rule, await askReach(reader, question, state.build))
      : spec.kind === 'revenue'
        ? revenueFigures(question, rule, await askRevenue(reader, question, state.build), about.currency)
        : responseFigures(question, rule, await askResponse(reader, question, state.build, about.hours));
  return {
    metric: spec.name,
    definition: `${spec.numerator} / ${spec.denominator}`,
    brandId,
    ...range,
    timeZone,
    completeUpTo: toIso(completeUpToMs),
    stale,
    ...figures,
  };
}

/**
 * Figures that rest on messages between people move once a day, when the day is over: who watches them all the time must
 * not see which message it was that moved them.
 */
function asOf({ spec }: Pick<BrandQuestion, 'spec'>, calendar: Calendar, { completeUpToMs }: FactsState): number {
  return spec.kind === 'response' ? completeUpToMs : calendar.startOf(calendar.dayOf(completeUpToMs));
}

type Answered = Readonly<Record<string, string | number | null | readonly number[]>>;

function cellOf(row: Answered): Record<string, string> {
  const values = brandDimensions.filter((name) => row[`by_${name}`] !== undefined);
  return Object.fromEntries(values.map((name) => [name, String(row[`by_${name}`])]));
}
function isTotal(row: Answered): boolean {
  return Number(row['is_total']) === 1;
}
function cellOrTotal(row: Answered): Cell {
  return isTotal(row) ? {} : cellOf(row);
}

export async function askBrand(
  reader: FactsReader,
  brandId: string,
  build: number,
): Promise<{ readonly hours: OpeningHours | undefined; readonly currency: string }> {
  const [row] = await reader.rows<Answered>(compileBrand(brandId, build));
  return { hours: openingHours(String(row?.['details'] ?? '')), currency: String(row?.['currency'] ?? '') };
}

export async function askReach(reader: FactsReader, question: BrandQuestion, build: number): Promise<ReachCounts> {
  const rows = await reader.rows<Answered>(compileReach(question, build, new Calendar(question.timeZone)));
  const counts = rows.map((row) => ({
    cell: cellOrTotal(row),
    total: isTotal(row),
    numerator: Number(row['numerator']),
    denominator: Number(row['denominator']),
  }));
  const none = { numerator: 0, denominator: 0 };
  const { numerator, denominator } = counts.find(({ total }) => total) ?? none;
  return {
    rows: counts
      .filter(({ total }) => !total)
      .map(({ cell, numerator, denominator }) => ({ cell, numerator, denominator })),
    total: { numerator, denominator },
  };
}

export async function askRevenue(reader: FactsReader, question: BrandQuestion, build: number): Promise<RevenueCounts> {
  const calendar = new Calendar(question.timeZone);
  const money = await reader.rows<Answered>(compileMoney(question, build, calendar));
  const talk = await reader.rows<Answered>(compileTalk(question, build, calendar));
  return {
    money: money.map((row) => ({
      cell: cellOrTotal(row),
      side: row['side'] as ConversationSide,
      currency: String(row['currency']),
      booked: Number(row['booked']),
      cohort: Number(row['cohort']),
      buyers: Number(row['buyers']),
    })),
    talk: talk.map((row) => ({
      cell: cellOrTotal(row),
      side: row['side'] as ConversationSide,
      conversations: Number(row['conversations']),
      people: Number(row['people']),
    })),
  };
}

export async function askResponse(
  reader: FactsReader,
  question: BrandQuestion,
  build: number,
  hours: OpeningHours | undefined,
): Promise<readonly ResponseCount[]> {
  const calendar = new Calendar(question.timeZone);
  const rows = await reader.rows<Answered>(compileResponse(question, build, calendar, hours));
  return rows.map((row) => {
    const answered = Number(row['answered']);
    const botAnswered = Number(row['bot_answered']);
    const percentiles = (name: string, of: number) => (of > 0 ? rounded(row[name] as readonly number[]) : null);
    return {
      cell: cellOrTotal(row),
      episodes: Number(row['episodes']),
      answered,
      human: percentiles('human', answered),
      botAnswered,
      bot: percentiles('bot', botAnswered),
      businessHours: hours ? percentiles('business', answered) : null,
    };
  });
}

/** Interpolation leaves fractions that mean nothing: to the microsecond. */
export function rounded([median = 0, p75 = 0, p90 = 0]: readonly number[]): Percentiles {
  const round = (ms: number) => Math.round(ms * 1_000) / 1_000;
  return [round(median), round(p75), round(p90)];
}

type Figures = Pick<BrandAnswer, 'rows' | 'total' | 'totals'>;

function reachFigures(question: BrandQuestion, rule: MaturityRule, counts: ReachCounts): Figures {
  const gated = counts.rows.map(({ cell, ...people }) => ({ cell, people }));
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

function revenueFigures(
  question: BrandQuestion,
  rule: MaturityRule,
  counts: RevenueCounts,
  ownCurrency: string,
): Figures {
  const isCell = ({ cell }: { readonly cell: Cell }) => Object.keys(cell).length > 0;
  const totals = revenueRows(question, rule, {
    money: counts.money.filter((one) => !isCell(one)),
    talk: counts.talk.filter((one) => !isCell(one)),
    ownCurrency,
  });
  if (!question.by.some((name) => name !== 'kind')) return { rows: totals, totals };
  const rows = revenueRows(question, rule, {
    money: counts.money.filter(isCell),
    talk: counts.talk.filter(isCell),
    ownCurrency,
  });
  return { rows, totals };
}

interface RevenueCells {
  readonly money: readonly MoneyCount[];
  readonly talk: readonly TalkCount[];
  /** Of a kind that sold nothing: nought has to be of some currency. */
  readonly ownCurrency: string;
}

function revenueRows(
  question: BrandQuestion,
  rule: MaturityRule,
  { money, talk, ownCurrency }: RevenueCells,
): RevenueRow[] {
  const grains = question.by.filter((name) => name !== 'kind');
  return (['friend', 'brand'] as const).flatMap((side) => {
    const talks = talk.filter((one) => one.side === side);
    const sold = money.filter((one) => one.side === side);
    const currencies = [...new Set(sold.map(({ currency }) => currency))].sort();
    if (currencies.length === 0 && ownCurrency !== '') currencies.push(ownCurrency);
    return currencies.flatMap((currency) => {
      const cells = cellsOf(
        talks,
        sold.filter((one) => one.currency === currency),
        currency,
      );
      const shown = side === 'friend' ? shownCells(cells, grains) : new Set<object>(cells);
      return cells
        .toSorted(compareCells(grains))
        .map((one) => (shown.has(one) ? revenueRow(side, one, rule) : { ...one.cell, kind: side, ...suppressed }));
    });
  });
}

interface RevenueCell {
  readonly cell: Cell;
  readonly currency: string;
  readonly people: { readonly denominator: number; readonly numerator: number };
  readonly conversations: number;
  readonly booked: number;
  readonly cohort: number;
}

/** Every cell that has conversations or money; with neither, the whole range still has a row. */
function cellsOf(talks: readonly TalkCount[], sold: readonly MoneyCount[], currency: string): RevenueCell[] {
  const cells = new Map<string, Cell>([...talks, ...sold].map(({ cell }) => [JSON.stringify(cell), cell]));
  if (cells.size === 0) cells.set('{}', {});
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

function responseFigures(question: BrandQuestion, rule: MaturityRule, counts: readonly ResponseCount[]): Figures {
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
