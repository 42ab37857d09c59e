// Reads all runs of an index as one and says what is wrong with it in itself; the fingerprint is for comparing it with
// the log.

import type { IndexEntry } from '../index/index-entry.js';
import { mergedEntries } from '../index/merge.js';
import type { RunReader } from '../index/run-reader.js';
import { sameStream } from '../index/stream-key.js';
import { tombstoneRevision } from '../storage/record.js';
import { Fingerprint } from './fingerprint.js';

/** @throws LogDamaged when a page is not intact */
export async function checkRuns(
  runs: readonly RunReader[],
  found: (position: number, what: string) => void,
): Promise<Fingerprint> {
  const fingerprint = new Fingerprint();
  const streams = new StreamsInOrder(found);
  for await (const entries of mergedEntries(runs)) {
    for (const entry of entries) {
      streams.add(entry);
      for (const [i, position] of entry.positions.entries()) fingerprint.add(entry.key, entry.first + i, position);
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return fingerprint;
}

/** Every stream begins with 0, has no gap, and its positions rise. */
class StreamsInOrder {
  private before: IndexEntry | undefined;

  constructor(private readonly found: (position: number, what: string) => void) {}

  add(entry: IndexEntry): void {
    const before = this.before && sameStream(this.before.key, entry.key) ? this.before : undefined;
    this.before = entry;
    const [at] = entry.positions as [number];
    const last = before?.positions.at(-1) ?? -1;
    const next = before ? before.first + before.positions.length : 0;
    if (entry.first !== next && entry.first !== tombstoneRevision) {
      this.found(at, `${entry.key.name.toString()}: the index goes on with event ${entry.first} where ${next} is due`);
    }
    if (at <= last)
      this.found(at, `${entry.key.name.toString()}: event ${entry.first} stands before event ${next - 1}`);
  }
}
