// Seeded randomness with named sub-streams: each part of the world draws from a stream of its own, so that changing how
// one part draws changes no other. The generator is sfc32, seeded by a digest of (seed, names).
import { createHash } from 'node:crypto';

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;
  readonly #path: readonly string[];

  constructor(...path: readonly string[]) {
    this.#path = path;
    const digest = createHash('sha256').update(JSON.stringify(path)).digest();
    this.#a = digest.readUInt32LE(0);
    this.#b = digest.readUInt32LE(4);
    this.#c = digest.readUInt32LE(8);
    this.#counter = 1;
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  /** An independent stream; the same names under the same seed always give the same one. */
  stream(...names: readonly (string | number)[]): Random {
    return new Random(...this.#path, ...names.map(String));
  }

  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  /** [0, 1) */
  float(): number {
    return this.uint32() / 4_294_967_296;
  }
  /** [0, bound) */
  below(bound: number): number {
    return Math.floor(this.float() * bound);
  }
  /** [min, max) */
  between(min: number, max: number): number {
    return min + this.float() * (max - min);
  }
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** @throws RangeError for an empty list. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('cannot pick from an empty list');
    return item;
  }
  /** One key of a table of weights. */
  weighted<Key extends string>(weights: Readonly<Record<Key, number>>): Key {
    const entries = Object.entries(weights) as [Key, number][];
    const index = this.weightedIndex(entries.map(([, weight]) => weight));
    return (entries[index] as [Key, number])[0];
  }
  weightedIndex(weights: readonly number[]): number {
    let total = 0;
    for (const weight of weights) total += weight;
    let left = this.float() * total;
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return index;
    }
    return weights.length - 1;
  }
  shuffled<Item>(items: readonly Item[]): Item[] {
    const copy = [...items];
    for (let last = copy.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [copy[last], copy[other]] = [copy[other] as Item, copy[last] as Item];
    }
    return copy;
  }

  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.float());
  }
  /** 1, 2, 3 … with this mean (≥ 1). */
  geometric(mean: number): number {
    if (mean <= 1) return 1;
    return 1 + Math.floor(Math.log(1 - this.float()) / Math.log(1 - 1 / mean));
  }
  poisson(mean: number): number {
    const limit = Math.exp(-mean);
    let product = this.float();
    let count = 0;
    while (product > limit && count < 1_000) {
      product *= this.float();
      count += 1;
    }
    return count;
  }
  /** Poisson whose mean is gamma distributed with shape 1: heavy-tailed counts. */
  negativeBinomial(mean: number): number {
    return this.poisson(Math.min(30, this.exponential(mean)));
  }

  /** A UUID version 7 of that instant: time-sortable, as clients of the API make them. */
  uuidAt(ms: number): string {
    const time = Math.floor(ms).toString(16).padStart(12, '0');
    const hex = (this.uint32() >>> 0).toString(16).padStart(8, '0') + this.uint32().toString(16).padStart(8, '0');
    const variant = '89ab'[this.below(4)] as string;
    const tail = this.uint32().toString(16).padStart(8, '0');
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(3, 6)}-${hex.slice(6, 10)}${tail}`;
  }
}

/** Zipf weights of ranks 0 … size − 1. */
export function zipfWeights(size: number, exponent: number): number[] {
  return Array.from({ length: size }, (_, rank) => 1 / (rank + 1) ** exponent);
}

/** Draws ranks by weights in O(log n): the table is built once. */
export class RankTable {
  readonly #cumulative: number[] = [];
  constructor(weights: readonly number[]) {
    let total = 0;
    for (const weight of weights) {
      total += weight;
      this.#cumulative.push(total);
    }
  }
  draw(random: Random): number {
    const target = random.float() * (this.#cumulative.at(-1) ?? 0);
    let low = 0;
    let high = this.#cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulative[middle] as number) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
