// A crash suite: so many rounds of "work, kill -9 at a random moment, look at what is left", or outages of so many seconds.

export interface CrashOptions {
  readonly rounds: number;
  /** How long each outage lasts. */
  readonly seconds: number;
  /** The same seed gives the same kill moments and the same work (not the same interleaving). */
  readonly seed: number;
  /** One line of progress. */
  readonly report: (line: string) => void;
}

/** What was checked, counted: `{ events: 120000 }`. @throws at the first thing that is not as it must be */
export type CrashSuite = (options: CrashOptions) => Promise<Readonly<Record<string, number>>>;

/** Random numbers from a seed (mulberry32): uniform in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
