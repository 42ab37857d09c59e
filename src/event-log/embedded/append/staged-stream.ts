// A stream as it will be once the batch is on disk: what the log holds of it, plus what the batch has staged.
import type { Retention } from '../../stream-metadata.js';
import type { StreamState } from '../reading/stream-states.js';
import { tombstoneRevision } from '../storage/record.js';
import { streamNameHash } from './recent-ids.js';

export class StagedStream {
  readonly hash: number;
  /** Revision of the first staged event. */
  readonly firstStaged: number;
  /** Positions of the staged events, the tombstone's apart. */
  readonly positions: number[] = [];
  tombstonePosition: number | undefined;
  private saved: StagedStream | undefined;
  private savedPositions = 0;

  constructor(
    readonly name: string,
    public last: number,
    public retention: Retention,
    public hasMetadata: boolean,
  ) {
    this.hash = streamNameHash(name);
    this.firstStaged = last + 1;
  }

  static of(name: string, state: StreamState): StagedStream {
    return new StagedStream(name, state.last, state.retention, state.hasMetadata);
  }

  get state(): StreamState {
    return { last: this.last, retention: this.retention, hasMetadata: this.hasMetadata };
  }

  /** Undefined when it is not staged but in the log, or nowhere. */
  stagedPosition(revision: number): number | undefined {
    return revision === tombstoneRevision ? this.tombstonePosition : this.positions[revision - this.firstStaged];
  }

  /** Remembers how it is, until `restore` or `keep`. False when it does already. */
  save(): boolean {
    if (this.saved) return false;
    this.saved = new StagedStream(this.name, this.last, this.retention, this.hasMetadata);
    this.saved.tombstonePosition = this.tombstonePosition;
    this.savedPositions = this.positions.length;
    return true;
  }

  keep(): void {
    this.saved = undefined;
  }

  restore(): void {
    if (!this.saved) return;
    this.last = this.saved.last;
    this.retention = this.saved.retention;
    this.hasMetadata = this.saved.hasMetadata;
    this.tombstonePosition = this.saved.tombstonePosition;
    this.positions.length = this.savedPositions;
    this.saved = undefined;
  }
}
