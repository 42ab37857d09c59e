// Counts → figures: rate, interval, maturity.
import { toIso } from '../kernel/clock.js';
import { addDays, type Calendar } from './calendar.js';
import type { Cell, DateRange, Maturity, RateFigure } from './metric.js';
import { rateOf, wilsonInterval } from './ratio.js';

export function rateFigure(numerator: number, denominator: number): RateFigure {
  return {
    numerator,
    denominator,
    rate: rateOf(numerator, denominator),
    interval: wilsonInterval(numerator, denominator),
  };
}

export interface MaturityRule {
  readonly calendar: Calendar;
  readonly range: DateRange;
  readonly maturesAfterMs: number;
  readonly completeUpToMs: number;
}

/** A cell is mature when its day (week, or the whole range) is over and the metric's window after it is past too. */
export function maturityOf(cell: Cell, { calendar, range, maturesAfterMs, completeUpToMs }: MaturityRule): Maturity {
  const end = cell['day'] ? addDays(cell['day'], 1) : cell['week'] ? addDays(cell['week'], 7) : range.to;
  const [last = end] = [end, range.to].sort();
  const until = calendar.startOf(last) + maturesAfterMs;
  return { matureUntil: toIso(until), mature: completeUpToMs >= until };
}

/** By the values of the dimensions, in their order. */
export function compareCells(dimensions: readonly string[]): (a: { cell: Cell }, b: { cell: Cell }) => number {
  return (a, b) => {
    for (const name of dimensions) {
      const [left, right] = [a.cell[name] ?? '', b.cell[name] ?? ''];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  };
}
