// Every cell that a brand could ask about, whether anything happened in it or not: that a cell is missing would say that
// nothing happened there, and so that in the suppressed one next to it something did.
import { addDays, type Calendar, weekOf } from '../calendar.js';
import type { Cell, DateRange } from '../metric.js';

export interface GridOptions {
  readonly by: readonly string[];
  readonly range: DateRange;
  /** Days that are not over at this instant have no cells yet. */
  readonly asOfMs: number;
  readonly calendar: Calendar;
  /** All that the brand lists and that may have figures. */
  readonly products: readonly string[];
}

export function gridOf({ by, range, asOfMs, calendar, products }: GridOptions): readonly Cell[] {
  const running = calendar.dayOf(asOfMs);
  const days: string[] = [];
  for (let day = range.from; day < range.to && day < running; day = addDays(day, 1)) days.push(day);
  const values: Readonly<Record<string, readonly string[]>> = {
    day: days,
    week: [...new Set(days.map(weekOf))],
    product: products,
  };
  return by.reduce<readonly Cell[]>(
    (cells, name) => cells.flatMap((cell) => (values[name] ?? []).map((value) => ({ ...cell, [name]: value }))),
    [{}],
  );
}

/** How many cells that would be, without making them. */
export function gridSize({ by, range, products }: Pick<GridOptions, 'by' | 'range' | 'products'>): number {
  const days = Math.max(0, Math.round((Date.parse(range.to) - Date.parse(range.from)) / 86_400_000));
  const sizes: Readonly<Record<string, number>> = {
    day: days,
    week: Math.ceil(days / 7) + 1,
    product: products.length,
  };
  return by.reduce((size, name) => size * (sizes[name] ?? 1), 1);
}

/** The grid, with what was counted in its place, and what was counted outside of it after it. */
export function onGrid<Count extends { readonly cell: Cell }>(
  grid: readonly Cell[],
  counts: readonly Count[],
  none: (cell: Cell) => Count,
): Count[] {
  const found = new Map(counts.map((count) => [keyOf(count.cell), count]));
  const placed = grid.map((cell) => {
    const count = found.get(keyOf(cell));
    found.delete(keyOf(cell));
    return count ?? none(cell);
  });
  return [...placed, ...found.values()];
}

function keyOf(cell: Cell): string {
  return JSON.stringify(Object.entries(cell).sort(([a], [b]) => (a < b ? -1 : 1)));
}
