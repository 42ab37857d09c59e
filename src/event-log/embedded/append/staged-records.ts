// The bytes of a batch while it is put together. The records of the append in hand are not sealed until it is whole, and
// are taken back when it is refused.
import type { LogEvent, NewEvent } from '../../event-log.js';
import { readRecord, readRecordId, recordIdAt, sealRecord, sizeOfRecord, writeRecord } from '../storage/record.js';
import type { RecentIds } from './recent-ids.js';
import { recentTag } from './recent-ids.js';

export class StagedRecords {
  private length = 0;
  private unitStart = 0;

  /** `buffer` is reused from batch to batch and grows when it must. */
  constructor(
    private readonly base: number,
    private readonly recordedAt: number,
    private buffer: Buffer,
  ) {}

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  get reusable(): Buffer {
    return this.buffer;
  }

  /** The position after the last record. */
  get end(): number {
    return this.base + this.length;
  }

  has(position: number): boolean {
    return position >= this.base && position < this.end;
  }

  /** Gives the record's position. `sizeMax`: bytes it takes at most. */
  add(stream: string, revision: number, event: NewEvent, sizeMax: number): number {
    const at = this.length;
    this.reserve(at + sizeMax);
    this.length += writeRecord(this.buffer, at, event, stream, revision, this.recordedAt);
    return this.base + at;
  }

  id(position: number): string {
    return readRecordId(this.buffer, position - this.base);
  }

  event(position: number): LogEvent {
    const at = position - this.base;
    return readRecord(this.buffer, at, sizeOfRecord(this.buffer, at), position);
  }

  remember(recent: RecentIds, streamHash: number, position: number): void {
    recent.add(recentTag(streamHash, this.buffer, position - this.base + recordIdAt), position);
  }

  /** The append in hand is whole: its last record is marked as its end, and each gets its checksum. */
  sealUnit(): void {
    for (let at = this.unitStart; at < this.length; ) {
      const size = sizeOfRecord(this.buffer, at);
      sealRecord(this.buffer, at, size, this.base + at, at + size === this.length);
      at += size;
    }
    this.unitStart = this.length;
  }

  dropUnit(): void {
    this.length = this.unitStart;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(bytes, this.buffer.length * 2));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}
