// What the log knows of a stream beside its events: last number, retention, whether metadata was ever written. Read from
// the index on demand, kept for the streams used lately. Acknowledged facts only.

import {
  describedStream,
  metastreamOf,
  metastreamRetention,
  noRetention,
  type Retention,
  retentionOf,
} from '../../stream-metadata.js';
import type { StreamIndex } from '../index/stream-index.js';
import { tombstoneRevision } from '../storage/record.js';
import type { RecordReader } from '../storage/record-reader.js';

/** Streams remembered: between this many and twice as many. */
const streamsMax = 32_768;

export interface StreamState {
  /** -1: no event. `tombstoneRevision`: deleted for ever. */
  readonly last: number;
  readonly retention: Retention;
  readonly hasMetadata: boolean;
}

export class StreamStates {
  private younger = new Map<string, StreamState>();
  private older = new Map<string, StreamState>();

  constructor(
    private readonly index: StreamIndex,
    private readonly records: RecordReader,
  ) {}

  get(stream: string): StreamState {
    let state = this.younger.get(stream);
    if (state) return state;
    state = this.older.get(stream) ?? this.load(stream);
    this.put(stream, state);
    return state;
  }

  put(stream: string, state: StreamState): void {
    if (this.younger.size >= streamsMax) {
      this.older = this.younger;
      this.younger = new Map();
    }
    this.younger.set(stream, state);
  }

  /** The newest metadata event's position. */
  metadataPosition(stream: string): number | undefined {
    const metastream = metastreamOf(stream);
    const last = this.index.lastRevision(metastream);
    return last < 0 ? undefined : this.index.position(metastream, last);
  }

  private load(stream: string): StreamState {
    const described = describedStream(stream);
    if (described !== undefined) {
      // A tombstoned stream takes its metastream with it.
      const tombstoned = this.index.lastRevision(described) === tombstoneRevision;
      const last = tombstoned ? tombstoneRevision : this.index.lastRevision(stream);
      return { last, retention: metastreamRetention, hasMetadata: false };
    }
    const position = this.metadataPosition(stream);
    return {
      last: this.index.lastRevision(stream),
      retention: position === undefined ? noRetention : retentionOf(this.records.event(position)),
      hasMetadata: position !== undefined,
    };
  }
}
