// Asks ClickHouse a sharing question and puts the answer in its final shape.
import { toIso } from '../../kernel/clock.js';
import { Calendar } from '../calendar.js';
import type { FactsReader, FactsState } from '../facts-reader.js';
import { compareCells, type MaturityRule, maturityOf, rateFigure } from '../figure.js';
import type { Maturity, RateFigure } from '../metric.js';
import { sharingDimensions } from '../metric.js';
import { compileCounts, compileMix } from './compile.js';
import type { MixCount, SharingCount, SharingCounts, SharingQuestion } from './question.js';

export interface SharingRow extends RateFigure, Maturity {
  readonly day?: string;
  readonly channel?: string;
  readonly content?: string;
  readonly creator?: string;
  /** Of `shares`. */
  readonly inApp?: number;
  readonly offPlatform?: number;
  /** Of `channel-mix`: the numerator after reclassification. */
  readonly reclassified?: number;
  readonly suppressed: false;
}

export interface SharingAnswer {
  readonly metric: string;
  readonly definition: string;
  readonly window?: string;
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  /** Everything that happened before and has arrived is counted. */
  readonly completeUpTo: string;
  /** True: the position asked for was not reached in time. */
  readonly stale: boolean;
  readonly rows: readonly SharingRow[];
  /** Present when `limit` cut rows off: what they add up to. */
  readonly rest?: SharingRow;
  readonly total: SharingRow & {
    /** Of `channel-mix`: how mixed, for both columns. */
    readonly entropy?: { readonly declared: number; readonly reclassified: number };
    readonly hhi?: { readonly declared: number; readonly reclassified: number };
  };
}

type CountRow = Readonly<Record<string, string | number>>;

function cellOf(row: CountRow): Record<string, string> {
  const values = sharingDimensions.filter((name) => row[`by_${name}`] !== undefined);
  return Object.fromEntries(values.map((name) => [name, String(row[`by_${name}`])]));
}

export async function askCounts(reader: FactsReader, question: SharingQuestion, build: number): Promise<SharingCounts> {
  const rows = await reader.rows<CountRow>(compileCounts(question, build));
  const total = rows.find((row) => Number(row['is_total']) === 1);
  const cells = rows.filter((row) => row !== total);
  return { rows: cells.map((row) => ({ cell: cellOf(row), ...ratio(row) })), total: ratio(total ?? {}) };
}

function ratio(row: CountRow): { numerator: number; denominator: number } {
  return { numerator: Number(row['numerator'] ?? 0), denominator: Number(row['denominator'] ?? 0) };
}

export async function askMix(reader: FactsReader, question: SharingQuestion, build: number): Promise<MixCount[]> {
  const rows = await reader.rows<CountRow>(compileMix(question, build));
  return rows.map((row) => ({
    cell: cellOf(row),
    declared: Number(row['declared']),
    reclassified: Number(row['reclassified_count']),
    of: Number(row['whole']),
  }));
}

export async function answerSharing(
  reader: FactsReader,
  question: SharingQuestion,
  state: FactsState,
  stale: boolean,
): Promise<SharingAnswer> {
  const { spec, range, timeZone, window } = question;
  const rule: MaturityRule = {
    calendar: new Calendar(timeZone),
    range,
    maturesAfterMs: spec.maturesAfterMs(window),
    completeUpToMs: state.completeUpToMs,
  };
  const figures = spec.mix
    ? mixFigures(question, rule, await askMix(reader, question, state.build))
    : countFigures(question, rule, await askCounts(reader, question, state.build));
  const used = window ?? spec.windows[0];
  return {
    metric: spec.name,
    definition: `${spec.numerator} / ${spec.denominator}`,
    ...(used ? { window: used } : {}),
    ...range,
    timeZone,
    completeUpTo: toIso(state.completeUpToMs),
    stale,
    ...figures,
  };
}

type Figures = Pick<SharingAnswer, 'rows' | 'rest' | 'total'>;

function countFigures(question: SharingQuestion, rule: MaturityRule, counts: SharingCounts): Figures {
  const row = ({ cell, numerator, denominator }: SharingCount): SharingRow => ({
    ...cell,
    ...(question.spec.name === 'shares' ? { inApp: denominator - numerator, offPlatform: numerator } : {}),
    ...rateFigure(numerator, denominator),
    ...maturityOf(cell, rule),
    suppressed: false,
  });
  const shown = { numerator: 0, denominator: 0 };
  for (const { numerator, denominator } of counts.rows) {
    shown.numerator += numerator;
    shown.denominator += denominator;
  }
  const rest = {
    cell: {},
    numerator: counts.total.numerator - shown.numerator,
    denominator: counts.total.denominator - shown.denominator,
  };
  return {
    rows: counts.rows.toSorted(compareCells(question.by)).map(row),
    ...(question.by.length > 0 && rest.denominator > 0 ? { rest: row(rest) } : {}),
    total: row({ cell: {}, ...counts.total }),
  };
}

function mixFigures(question: SharingQuestion, rule: MaturityRule, counts: readonly MixCount[]): Figures {
  const row = ({ cell, declared, reclassified, of }: MixCount): SharingRow => ({
    ...cell,
    ...rateFigure(declared, of),
    reclassified,
    ...maturityOf(cell, rule),
    suppressed: false,
  });
  const dimensions = [...question.by.filter((name) => name !== 'channel'), 'channel'];
  const shown = counts.slice(0, question.limit);
  const rest = counts.slice(question.limit);
  const sum = (some: readonly MixCount[], column: 'declared' | 'reclassified') =>
    some.reduce((all, count) => all + count[column], 0);
  const all = sum(counts, 'declared');
  const declared = channelSums(counts, 'declared');
  const reclassified = channelSums(counts, 'reclassified');
  return {
    rows: shown.toSorted(compareCells(dimensions)).map(row),
    ...(rest.length > 0
      ? { rest: row({ cell: {}, declared: sum(rest, 'declared'), reclassified: sum(rest, 'reclassified'), of: all }) }
      : {}),
    total: {
      ...row({ cell: {}, declared: all, reclassified: all, of: all }),
      entropy: { declared: entropy(declared), reclassified: entropy(reclassified) },
      hhi: { declared: herfindahl(declared), reclassified: herfindahl(reclassified) },
    },
  };
}

function channelSums(counts: readonly MixCount[], column: 'declared' | 'reclassified'): number[] {
  const sums = new Map<string, number>();
  for (const count of counts) {
    const channel = count.cell['channel'] ?? '';
    sums.set(channel, (sums.get(channel) ?? 0) + count[column]);
  }
  return [...sums.values()].filter((size) => size > 0);
}

/** −Σ m ln m over the parts m of a whole; 0 when there is one part, or none. */
export function entropy(sizes: readonly number[]): number {
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  return Math.abs(sizes.reduce((sum, size) => sum - (size / whole) * Math.log(size / whole), 0));
}

/** Σ m² over the parts m of a whole (Herfindahl–Hirschman); 0 for nothing. */
export function herfindahl(sizes: readonly number[]): number {
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  return sizes.reduce((sum, size) => sum + (size / whole) ** 2, 0);
}
