// Nothing about fewer than 50 people leaves, neither shown nor to be worked out from what is shown.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Gated, isEnough, peopleMin, shownCells } from '../../src/metrics/brand/privacy-gate.js';
import { addDays, weekOf } from '../../src/metrics/calendar.js';

function cell(values: Record<string, string>, denominator: number, numerator = denominator): Gated {
  return { cell: values, people: { denominator, numerator } };
}

describe('the privacy gate', () => {
  it('shows a cell of 50, not one of 49, and not one that 50 saw and 49 did', () => {
    expect(isEnough({ denominator: 50, numerator: 50 })).toBe(true);
    expect(isEnough({ denominator: 49, numerator: 49 })).toBe(false);
    expect(isEnough({ denominator: 50, numerator: 49 })).toBe(false);
    expect(isEnough({ denominator: 500, numerator: 0 })).toBe(false);
  });

  it('hides a second cell where one hidden cell would be the total less the others', () => {
    const cells = [cell({ product: 'a' }, 300), cell({ product: 'b' }, 60), cell({ product: 'c' }, 9)];
    expect([...shownCells(cells, ['product'])]).toEqual([cells[0]]);
  });

  it('leaves the others shown where what is hidden is many people in several cells', () => {
    const cells = [cell({ product: 'a' }, 300), cell({ product: 'b' }, 40), cell({ product: 'c' }, 30)];
    expect([...shownCells(cells, ['product'])]).toEqual([cells[0]]);
  });

  it('covers a day within its week, since weeks are shown too', () => {
    const days = Array.from({ length: 14 }, (_, day) =>
      cell({ day: addDays('2026-03-02', day) }, day === 2 || day === 9 ? 45 : 100),
    );
    const shown = shownCells(days, ['day']);
    for (const week of [days.slice(0, 7), days.slice(7)]) {
      expect(week.filter((one) => !shown.has(one))).toHaveLength(2);
    }
  });

  const table = fc
    .array(
      fc.record({
        day: fc.integer({ min: 0, max: 15 }),
        product: fc.constantFrom('a', 'b', 'c', 'd'),
        of: fc.nat(160),
        did: fc.nat(160),
      }),
      {
        maxLength: 50,
      },
    )
    .map((rows) => {
      const cells = new Map<string, Gated>();
      for (const { day, product, of, did } of rows) {
        const values = { day: addDays('2026-03-04', day), product };
        cells.set(JSON.stringify(values), cell(values, of, Math.min(of, did)));
      }
      return [...cells.values()];
    });

  it('property: what is hidden in any line that has something shown is at least two cells of 50 people', () => {
    fc.assert(
      fc.property(table, (cells) => {
        const shown = shownCells(cells, ['day', 'product']);
        const lines: ((one: Gated) => string)[] = [
          ({ cell: { day = '' } }) => day,
          ({ cell: { product = '' } }) => product,
          ({ cell: { day = '', product = '' } }) => `${weekOf(day)} ${product}`,
        ];
        for (const keyOf of lines) {
          for (const key of new Set(cells.map(keyOf))) {
            const line = cells.filter((one) => keyOf(one) === key);
            const hidden = line.filter((one) => !shown.has(one));
            if (hidden.length === 0 || hidden.length === line.length) continue;
            expect(hidden.length).toBeGreaterThan(1);
            expect(hidden.reduce((sum, { people }) => sum + people.numerator, 0)).toBeGreaterThanOrEqual(peopleMin);
          }
        }
        for (const one of shown) expect(isEnough(one.people)).toBe(true);
      }),
    );
  });

  it('property: hides nothing when every cell is large', () => {
    fc.assert(
      fc.property(table, (cells) => {
        const large = cells.filter(({ people }) => isEnough(people));
        expect(shownCells(large, ['day', 'product']).size).toBe(large.length);
      }),
    );
  });
});
