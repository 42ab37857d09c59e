// The one way out for figures that rest on messages between people: a cell with fewer than 50 of them is not shown, and
// neither is what would let somebody work it out from the cells around it.
import { weekOf } from '../calendar.js';
import type { Cell, Suppressed } from '../metric.js';

/** People that every shown cell rests on (docs/privacy.md); a floor, not a setting. */
export const peopleMin = 50;
export const suppressed: Suppressed = { suppressed: true, minimum: peopleMin };

/** The people a cell speaks of: those it counts, and those of them it says something about. */
export interface People {
  readonly denominator: number;
  readonly numerator: number;
}
export interface Gated {
  readonly cell: Cell;
  readonly people: People;
}

export function isEnough({ denominator, numerator }: People): boolean {
  return denominator >= peopleMin && numerator >= peopleMin;
}

/**
 * Which cells may be shown. Cells of one line (all values of one dimension with the others fixed; of days also those of
 * each week) add up to a figure that is, or may be, shown elsewhere: so what is hidden in a line must be at least two cells
 * with enough people between them, and further cells, the smallest first, are hidden until it is.
 */
export function shownCells(cells: readonly Gated[], dimensions: readonly string[]): ReadonlySet<Gated> {
  const shown = new Set(cells.filter(({ people }) => isEnough(people)));
  const lines = dimensions.flatMap((dimension) => linesOf(cells, dimension, dimensions));
  for (let changed = true; changed; ) {
    changed = false;
    for (const line of lines) changed = cover(line, shown) || changed;
  }
  return shown;
}

function linesOf(cells: readonly Gated[], along: string, dimensions: readonly string[]): readonly Gated[][] {
  const others = ({ cell }: Gated) => dimensions.filter((name) => name !== along).map((name) => cell[name] ?? '');
  const whole = groupBy(cells, others);
  if (along !== 'day') return whole;
  return [...whole, ...groupBy(cells, (gated) => [...others(gated), weekOf(gated.cell['day'] ?? '')])];
}

function groupBy(cells: readonly Gated[], keyOf: (gated: Gated) => readonly string[]): readonly Gated[][] {
  const groups = new Map<string, Gated[]>();
  for (const gated of cells) {
    const key = JSON.stringify(keyOf(gated));
    const group = groups.get(key);
    if (group) group.push(gated);
    else groups.set(key, [gated]);
  }
  return [...groups.values()];
}

/** Hides the smallest shown cell of a line when what is hidden there could be worked out. True when it did. */
function cover(line: readonly Gated[], shown: Set<Gated>): boolean {
  const hidden = line.filter((gated) => !shown.has(gated));
  if (hidden.length === 0) return false;
  const people = hidden.reduce(
    (sum, { people }) => ({
      denominator: sum.denominator + people.denominator,
      numerator: sum.numerator + people.numerator,
    }),
    { denominator: 0, numerator: 0 },
  );
  if (hidden.length >= 2 && isEnough(people)) return false;
  const smallest = line
    .filter((gated) => shown.has(gated))
    .sort((a, b) => a.people.numerator - b.people.numerator || a.people.denominator - b.people.denominator)[0];
  return smallest !== undefined && shown.delete(smallest);
}
