// A proportion, and how sure one can be of it.

/** Standard normal quantile of a two-sided 95 % interval. */
const z = 1.959963984540054;

/** Wilson's score interval at 95 % (Wilson 1927); undefined where there is nothing to divide by. */
export function wilsonInterval(numerator: number, denominator: number): readonly [number, number] | null {
  if (denominator <= 0) return null;
  const rate = numerator / denominator;
  const scale = 1 + (z * z) / denominator;
  const centre = (rate + (z * z) / (2 * denominator)) / scale;
  const half = (z / scale) * Math.sqrt((rate * (1 - rate)) / denominator + (z * z) / (4 * denominator * denominator));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

export function rateOf(numerator: number, denominator: number): number | null {
  return denominator > 0 ? numerator / denominator : null;
}
