// Several runs as one, in order. Memory: one read of each.
import type { IndexEntry } from './index-entry.js';
import type { RunReader } from './run-reader.js';
import { entriesPerBatch } from './run-writer.js';
import { compareEntries } from './stream-key.js';

class Source {
  private entries: readonly IndexEntry[] = [];
  private at = 0;

  private constructor(private readonly batches: AsyncGenerator<readonly IndexEntry[]>) {}

  static async of(run: RunReader): Promise<Source> {
    const source = new Source(run.entries());
    await source.refill();
    return source;
  }

  get head(): IndexEntry | undefined {
    return this.entries[this.at];
  }

  /** True when more must be read before `head` can be asked for. */
  advance(): boolean {
    this.at += 1;
    return this.at >= this.entries.length;
  }

  async refill(): Promise<void> {
    do {
      const next = await this.batches.next();
      this.entries = next.done ? [] : next.value;
      this.at = 0;
      if (next.done) return;
    } while (this.entries.length === 0);
  }
}

export async function* mergedEntries(runs: readonly RunReader[]): AsyncGenerator<readonly IndexEntry[]> {
  const sources = await Promise.all(runs.map((run) => Source.of(run)));
  let batch: IndexEntry[] = [];
  for (;;) {
    let least: Source | undefined;
    for (const source of sources) {
      if (!source.head) continue;
      if (!least?.head || compareEntries(source.head.key, source.head.first, least.head.key, least.head.first) < 0) {
        least = source;
      }
    }
    if (!least?.head) break;
    batch.push(least.head);
    if (least.advance()) await least.refill();
    if (batch.length < entriesPerBatch) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
