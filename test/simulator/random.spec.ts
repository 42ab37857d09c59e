// Streams are named, repeatable and independent; draws have the moments they promise.
import { describe, expect, it } from '@jest/globals';
import { Random, RankTable, zipfWeights } from '../../src/simulator/random.js';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const draws = (count: number, draw: () => number) => Array.from({ length: count }, draw);

describe('Random', () => {
  it('gives the same numbers for the same names and others for other names', () => {
    const first = draws(
      5,
      (
        (random) => () =>
          random.uint32()
      )(new Random('7').stream('people')),
    );
    const again = draws(
      5,
      (
        (random) => () =>
          random.uint32()
      )(new Random('7', 'people')),
    );
    const other = draws(
      5,
      (
        (random) => () =>
          random.uint32()
      )(new Random('7').stream('graph')),
    );
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  it('draws a stream alike whatever was drawn from its parent', () => {
    const parent = new Random('7');
    const before = parent.stream('a').uint32();
    parent.uint32();
    expect(parent.stream('a').uint32()).toBe(before);
  });

  it('has the means it names', () => {
    const random = new Random('moments');
    const count = 40_000;
    expect(mean(draws(count, () => random.float()))).toBeCloseTo(0.5, 1);
    expect(mean(draws(count, () => random.exponential(6)))).toBeCloseTo(6, 0);
    expect(mean(draws(count, () => random.geometric(4.2)))).toBeCloseTo(4.2, 0);
    expect(mean(draws(count, () => random.poisson(3)))).toBeCloseTo(3, 0);
    expect(mean(draws(count, () => random.normal()))).toBeCloseTo(0, 1);
    const middle = draws(count, () => random.logNormal(9, 0.8)).sort((a, b) => a - b)[count / 2] as number;
    expect(middle).toBeGreaterThan(8.5);
    expect(middle).toBeLessThan(9.5);
  });

  it('picks ranks by their weights', () => {
    const random = new Random('zipf');
    const table = new RankTable(zipfWeights(3, 1));
    const counts = [0, 0, 0];
    for (let left = 11_000; left > 0; left -= 1) {
      const rank = table.draw(random);
      counts[rank] = (counts[rank] as number) + 1;
    }
    expect(counts[0]).toBeGreaterThan(counts[1] as number);
    expect(counts[1]).toBeGreaterThan(counts[2] as number);
  });

  it('makes UUIDs of version 7 that sort by time', () => {
    const random = new Random('ids');
    const early = random.uuidAt(1_790_000_000_000);
    expect(early).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(random.uuidAt(1_790_000_000_001) > early).toBe(true);
  });

  it('refuses to pick from nothing', () => {
    expect(() => new Random('x').pick([])).toThrow(RangeError);
  });
});
