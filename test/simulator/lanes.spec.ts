// Requests that share a changed thing run in their order, whatever finishes first; the others may run at once.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Lanes, type LaneUse } from '../../src/simulator/runner/lanes.js';

interface Item extends LaneUse {
  readonly place: number;
}
const names = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 });
const use = fc.record({ writes: names, reads: names }).map(({ writes, reads }) => ({
  writes,
  reads: reads.filter((name) => !writes.includes(name)),
}));

/** Runs everything with up to `width` at once, finishing in an order that `picks` decides; gives start and end times. */
function run(
  items: readonly Item[],
  picks: readonly number[],
  width: number,
): Map<number, { start: number; end: number }> {
  const lanes = new Lanes<Item>();
  const times = new Map<number, { start: number; end: number }>();
  const running: Item[] = [];
  let clock = 0;
  for (const item of items) lanes.add(item);
  for (let step = 0; times.size < items.length || running.length > 0; step += 1) {
    for (
      let item = running.length < width ? lanes.take() : undefined;
      item;
      item = running.length < width ? lanes.take() : undefined
    ) {
      running.push(item);
      times.set(item.place, { start: clock++, end: Number.POSITIVE_INFINITY });
    }
    if (running.length === 0) break;
    const [done] = running.splice((picks[step % picks.length] ?? 0) % running.length, 1) as [Item];
    lanes.finish(done);
    times.set(done.place, { start: times.get(done.place)?.start ?? -1, end: clock++ });
  }
  expect(lanes.size).toBe(0);
  return times;
}

describe('Lanes', () => {
  it('runs every item once, conflicting ones one after the other in their order', () => {
    fc.assert(
      fc.property(
        fc.array(use, { maxLength: 30 }),
        fc.array(fc.nat(9), { minLength: 1 }),
        fc.integer({ min: 1, max: 6 }),
        (uses, picks, width) => {
          const items = uses.map((one, place) => ({ ...one, place }));
          const times = run(items, picks, width);
          expect(times.size).toBe(items.length);
          for (const before of items) {
            for (const after of items.slice(before.place + 1)) {
              const touched = [...after.writes, ...after.reads];
              const conflict =
                before.writes.some((name) => touched.includes(name)) ||
                before.reads.some((name) => after.writes.includes(name));
              if (conflict) expect(times.get(before.place)?.end).toBeLessThan(times.get(after.place)?.start ?? -1);
            }
          }
        },
      ),
    );
  });

  it('lets readers of the same thing run at once', () => {
    const lanes = new Lanes<Item>();
    const items = [0, 1, 2].map((place) => ({ place, writes: [], reads: ['a'] }));
    for (const item of items) lanes.add(item);
    expect([lanes.take(), lanes.take(), lanes.take(), lanes.take()]).toEqual([...items, undefined]);
  });
});
