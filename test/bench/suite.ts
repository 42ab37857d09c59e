// Benchmarks side by side: every lane runs its contenders in turn, round after round, in one process and one run, and
// compares medians. One JSON object per line.

export interface Contender {
  readonly subject: string;
  /** One round; gives the figure in the lane's unit, more is better unless the lane says otherwise. */
  measure(): Promise<number>;
}

export interface Lane {
  readonly lane: string;
  readonly unit: string;
  /** The first is ours; every other one is what it is measured against. */
  readonly contenders: readonly Contender[];
  readonly rounds: number;
  /** True where a round takes minutes, so that the first one's start weighs nothing. */
  readonly cold?: boolean;
}

export interface BenchOptions {
  /** Small sizes and few rounds: shows that it runs, not how fast. */
  readonly quick: boolean;
  /** In the place of every lane's own number of rounds. */
  readonly rounds?: number | undefined;
  /** Only lanes whose name contains this. */
  readonly only: string;
  readonly print: (line: string) => void;
  /** Remarks that are no figures. */
  readonly note: (line: string) => void;
}

export type BenchSuite = (options: BenchOptions) => Promise<void>;

export interface Figure {
  readonly lane: string;
  readonly subject: string;
  readonly unit: string;
  readonly value: number;
  readonly against: string | null;
  /** value / value of `against`. */
  readonly ratio: number | null;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Interleaves: a round of each, then the next round of each, so that a slow minute hits all alike. */
export async function race({ lane, unit, contenders, cold, ...own }: Lane, options: BenchOptions): Promise<void> {
  if (!lane.includes(options.only)) return;
  const values = contenders.map((): number[] => []);
  // A round that does not count: the compiler has seen everybody's code, the disk everybody's files.
  if (!cold) for (const contender of contenders) await contender.measure();
  const rounds = options.rounds ?? own.rounds;
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) values[i]?.push(await contender.measure());
  }
  const medians = values.map(median);
  const ours = contenders[0] as Contender;
  const print = (figure: Figure): void => options.print(JSON.stringify(figure));
  const value = rounded(medians[0] as number);
  if (contenders.length === 1) print({ lane, subject: ours.subject, unit, value, against: null, ratio: null });
  for (const [i, contender] of contenders.entries()) {
    if (i === 0) continue;
    const theirs = medians[i] as number;
    print({
      lane,
      subject: ours.subject,
      unit,
      value,
      against: contender.subject,
      ratio: rounded((medians[0] as number) / theirs),
    });
    print({
      lane,
      subject: contender.subject,
      unit,
      value: rounded(theirs),
      against: ours.subject,
      ratio: rounded(theirs / (medians[0] as number)),
    });
  }
}
