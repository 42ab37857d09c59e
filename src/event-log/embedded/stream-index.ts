// Where each event of each stream stands in the log. It is derived from the log and holds acknowledged events only.
import { tombstoneRevision } from './record.js';

interface StreamEntry {
  /** Position of revision i at index i. */
  readonly positions: number[];
  tombstone: number | undefined;
}

export class StreamIndex {
  private readonly streams = new Map<string, StreamEntry>();

  /** The number of the stream's last event, `tombstoneRevision` for a tombstoned one, -1 when there is none. */
  lastRevision(stream: string): number {
    const entry = this.streams.get(stream);
    if (!entry) return -1;
    return entry.tombstone === undefined ? entry.positions.length - 1 : tombstoneRevision;
  }

  position(stream: string, revision: number): number | undefined {
    const entry = this.streams.get(stream);
    return revision === tombstoneRevision ? entry?.tombstone : entry?.positions[revision];
  }

  add(stream: string, revision: number, position: number): void {
    let entry = this.streams.get(stream);
    if (!entry) {
      entry = { positions: [], tombstone: undefined };
      this.streams.set(stream, entry);
    }
    if (revision === tombstoneRevision) entry.tombstone = position;
    else entry.positions[revision] = position;
  }
}
