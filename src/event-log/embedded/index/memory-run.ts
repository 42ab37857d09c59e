// The newest part of the index, in memory until it is written as a run.

import { tombstoneRevision } from '../storage/record.js';
import { entryPositionsMax, type IndexEntry } from './index-entry.js';
import type { Stretch } from './run-reader.js';
import { entriesPerBatch } from './run-writer.js';
import { compareEntries, type StreamKey, streamKey } from './stream-key.js';

interface Row {
  first: number;
  readonly positions: number[];
  tombstone: number | undefined;
}

export class MemoryRun {
  private readonly rows = new Map<string, Row>();
  private eventCount = 0;

  get events(): number {
    return this.eventCount;
  }

  get streams(): number {
    return this.rows.size;
  }

  /** Positions of consecutive events, the first of them with number `first`. */
  add(stream: string, first: number, positions: readonly number[]): void {
    this.eventCount += positions.length;
    let row = this.rows.get(stream);
    if (!row) {
      row = { first, positions: [], tombstone: undefined };
      this.rows.set(stream, row);
    }
    if (first === tombstoneRevision) {
      row.tombstone = positions[0];
      return;
    }
    if (row.positions.length === 0) row.first = first;
    for (const position of positions) row.positions.push(position);
  }

  /** As RunReader.find. */
  find(stream: string, revision: number): Stretch | undefined {
    const row = this.rows.get(stream);
    if (!row) return undefined;
    if (revision === tombstoneRevision && row.tombstone !== undefined) {
      return { first: tombstoneRevision, positions: [row.tombstone] };
    }
    return row.positions.length > 0 && row.first <= revision ? row : undefined;
  }

  /** All entries in order, some at a time: sorted bucket by bucket, so that no turn is long. */
  *entries(): Generator<readonly IndexEntry[]> {
    const buckets = Array.from({ length: sortBuckets }, (): Keyed[] => []);
    let count = 0;
    for (const [stream, row] of this.rows) {
      const key = streamKey(stream);
      buckets[Math.floor((key.high / 2 ** 32) * sortBuckets)]?.push({ key, row });
      count += 1;
      if (count % entriesPerBatch === 0) yield [];
    }
    for (const bucket of buckets) {
      bucket.sort((a, b) => compareEntries(a.key, a.row.first, b.key, b.row.first));
      yield bucket.flatMap(entriesOf);
    }
  }
}

/** About 256 streams each when every event of a run of the usual size is of another stream. */
const sortBuckets = 64;

interface Keyed {
  readonly key: StreamKey;
  readonly row: Row;
}

function entriesOf({ key, row }: Keyed): IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (let i = 0; i < row.positions.length; i += entryPositionsMax) {
    entries.push({ key, first: row.first + i, positions: row.positions.slice(i, i + entryPositionsMax) });
  }
  if (row.tombstone !== undefined) entries.push({ key, first: tombstoneRevision, positions: [row.tombstone] });
  return entries;
}
