// Reads records back, verifying every one: single ones by position, pages of them in either direction.
import { LogDamaged, type LogEvent } from '../../event-log.js';
import {
  claimedSize,
  isIntact,
  looksLikeHeader,
  readRecord,
  readRecordId,
  recordBytesMax,
  recordHeaderBytes,
  recordTrailerBytes,
} from './record.js';
import type { SegmentFiles } from './segment-files.js';

/** A page is at most this many events, and stops after this many bytes. */
export const pageEventsMax = 512;
export const pageBytesMax = 256 * 1024;
/** A single record is read with this many bytes at first; most fit. */
const firstReadBytes = 2048;
/** Records no farther apart than this are read together. */
const togetherBytes = 64 * 1024;
/** Reads up to this size are not worth a thread's round trip. */
const readNowBytesMax = 64 * 1024;

export interface RecordPage {
  readonly events: readonly LogEvent[];
  /** Where the next page in the same direction begins. */
  readonly next: number;
}

export interface RawRecord {
  readonly bytes: Buffer;
  readonly at: number;
  readonly size: number;
  readonly position: number;
}

export class RecordReader {
  constructor(private readonly files: SegmentFiles) {}

  /** The position of the first record, were there one. */
  get start(): number {
    return this.files.start;
  }

  /** @throws LogDamaged when no intact record begins at `position`. */
  private raw(position: number): RawRecord {
    const room = this.files.available(position);
    let bytes = Buffer.allocUnsafe(Math.min(firstReadBytes, room));
    let read = this.files.readNow(position, bytes);
    const size = read < recordHeaderBytes ? 0 : claimedSize(bytes, 0);
    if (size > read && size <= room) {
      bytes = Buffer.allocUnsafe(size);
      read = this.files.readNow(position, bytes);
    }
    if (size === 0 || size > read || !isIntact(bytes, 0, size, position)) throw this.damaged(position);
    return { bytes, at: 0, size, position };
  }

  event(position: number): LogEvent {
    const { bytes, at, size } = this.raw(position);
    return readRecord(bytes, at, size, position);
  }

  /** The events at these positions (rising or falling), as many as a page holds, at least one. */
  events(positions: readonly number[]): readonly LogEvent[] {
    const events: LogEvent[] = [];
    let bytes = 0;
    for (let i = 0; i < positions.length && bytes < pageBytesMax; ) {
      const together = this.together(positions, i);
      const low = Math.min(positions[i] as number, positions[i + together - 1] as number);
      const high = Math.max(positions[i] as number, positions[i + together - 1] as number);
      const window = this.window(low, together === 1 ? firstReadBytes : high - low + firstReadBytes);
      for (let k = 0; k < together && bytes < pageBytesMax; k++, i++) {
        const { event, size } = this.fromWindow(positions[i] as number, low, window);
        events.push(event);
        bytes += size;
      }
    }
    return events;
  }

  id(position: number): string {
    return readRecordId(this.raw(position).bytes, 0);
  }

  /** Where the record after the one at `position` begins. */
  after(position: number): number {
    return position + this.raw(position).size;
  }

  /** The event at a position that may be none; undefined when no intact record begins there. */
  peek(position: number): LogEvent | undefined {
    if (position < this.start || position + recordHeaderBytes > this.files.end || !this.isRecord(position))
      return undefined;
    return this.event(position);
  }

  isRecord(position: number): boolean {
    try {
      return this.raw(position).size > 0;
    } catch (error) {
      if (error instanceof LogDamaged) return false;
      throw error;
    }
  }

  /**
   * The first record at or after `position`, which need not be a position that this log ever gave.
   * @throws LogDamaged with the position of the record that is not intact
   */
  boundary(position: number, end: number): number {
    return this.isRecord(position) ? position : this.walkTo(position, end);
  }

  /** Finds a record not far before `position` and goes on from it, record by record. */
  private walkTo(position: number, end: number): number {
    const first = this.files.startOfFile(position);
    const near = this.nextIntact(Math.max(first, position - recordBytesMax));
    if (near > Math.max(first, position)) throw this.damaged(position);
    const scan = this.scan(near);
    for (;;) {
      const next = scan.next();
      if (!next.done && next.value.position < position) continue;
      const found = next.done ? next.value : next.value.position;
      if (found < Math.min(position, end)) throw this.damaged(found);
      return found;
    }
  }

  /** The position of the last record before `end`, which is where a record ends; undefined when there is none. */
  before(end: number): number | undefined {
    const at = this.endOfPrevious(end);
    if (at === undefined) return undefined;
    const trailer = Buffer.alloc(recordTrailerBytes);
    this.files.readNow(at - recordTrailerBytes, trailer);
    const size = claimedSize(trailer, 0);
    if (size === 0 || at - size < this.files.start) throw this.damaged(at - recordTrailerBytes);
    return at - size;
  }

  /** Events from `from` (a record's position) up to `end`, as many as a page holds. */
  async forwards(from: number, end: number, eventsMax = pageEventsMax): Promise<RecordPage> {
    if (from >= end) return { events: [], next: from };
    const start = this.files.skipHeader(from);
    if (start >= end) return { events: [], next: start };
    const room = Math.min(this.files.available(start), end - start);
    // Who wants few events need not wait for a page.
    const wanted = Math.min(pageBytesMax, eventsMax * firstReadBytes);
    const bytes = await this.chunk(start, Math.min(room, wanted), room);
    const events: LogEvent[] = [];
    let at = 0;
    while (at < bytes.length && events.length < eventsMax) {
      const size = at + recordHeaderBytes <= bytes.length ? claimedSize(bytes, at) : -1;
      if (size === 0 || start + at + size > start + room) throw this.damaged(start + at);
      if (size < 0 || at + size > bytes.length) {
        if (at > 0) break;
        throw this.damaged(start);
      }
      if (!isIntact(bytes, at, size, start + at)) throw this.damaged(start + at);
      events.push(readRecord(bytes, at, size, start + at));
      at += size;
    }
    return { events, next: start + at };
  }

  /** Events before `end` (where a record ends), newest first. */
  backwards(end: number, eventsMax = pageEventsMax): RecordPage {
    const events: LogEvent[] = [];
    let next = end;
    let bytes = 0;
    while (events.length < eventsMax && bytes < pageBytesMax) {
      const record = this.previous(next);
      if (!record) break;
      events.push(readRecord(record.bytes, record.at, record.size, record.position));
      bytes += record.size;
      next = record.position;
    }
    return { events, next };
  }

  private previous(end: number): RawRecord | undefined {
    const position = this.before(end);
    if (position === undefined) return undefined;
    const ends = this.endOfPrevious(end) as number;
    if (this.isRecord(position)) {
      const record = this.raw(position);
      if (position + record.size === ends) return record;
    }
    // The length at the end of a record is wrong, or all of it: coming from the front tells where it begins.
    this.walkTo(ends, ends);
    throw this.damaged(position);
  }

  /** Every record from `from` to the end of the files, for recovery and checks; stops at the first that is not intact. */
  *scan(from: number): Generator<RawRecord, number> {
    const buffer = Buffer.allocUnsafeSlow(1024 * 1024);
    let position = from;
    while (position < this.files.end) {
      position = this.files.skipHeader(position);
      const room = this.files.available(position);
      if (room <= 0) return position;
      let bytes = buffer.subarray(0, Math.min(buffer.length, room));
      let read = this.files.readNow(position, bytes);
      const first = read < recordHeaderBytes ? 0 : claimedSize(bytes, 0);
      if (first > read && first <= room) {
        bytes = Buffer.allocUnsafe(first);
        read = this.files.readNow(position, bytes);
      }
      let at = 0;
      while (at + recordHeaderBytes <= read) {
        const size = claimedSize(bytes, at);
        if (size > 0 && at + size > read && at > 0 && size <= room - at) break;
        if (size === 0 || at + size > read || !isIntact(bytes, at, size, position + at)) return position + at;
        yield { bytes, at, size, position: position + at };
        at += size;
      }
      if (at === 0) return position;
      position += at;
    }
    return position;
  }

  /** The next place at or after `from` where an intact record stands, or the end; for checks, after a damaged one. */
  nextIntact(from: number): number {
    const window = Buffer.allocUnsafeSlow(togetherBytes);
    let base = from;
    while (base < this.files.end) {
      base = this.files.skipHeader(base);
      const room = this.files.available(base);
      const read = this.files.readNow(base, window);
      for (let at = 0; at + recordHeaderBytes <= read; at++) {
        const size = claimedSize(window, at);
        if (size === 0 || size > room - at || !looksLikeHeader(window, at)) continue;
        if (this.isRecord(base + at)) return base + at;
      }
      base += Math.max(1, Math.min(read, room) - recordHeaderBytes + 1);
    }
    return this.files.end;
  }

  missing(stream: string, revision: number): LogDamaged {
    return new LogDamaged(`${stream}: event ${revision} should be in the log and is not found where the index says`);
  }

  damaged(position: number): LogDamaged {
    return new LogDamaged(
      `${this.files.pathAt(position)}: no intact record at position ${position}; restore the data directory from a backup`,
      BigInt(position),
    );
  }

  /** How many of the positions from the i-th on stand close enough in one file to be read together. */
  private together(positions: readonly number[], i: number): number {
    const first = positions[i] as number;
    let count = 1;
    while (i + count < positions.length) {
      const position = positions[i + count] as number;
      if (Math.abs(position - first) > togetherBytes || !this.files.inOneFile(first, position)) break;
      count += 1;
    }
    return count;
  }

  private window(position: number, bytes: number): Buffer {
    const window = Buffer.allocUnsafeSlow(Math.min(bytes, this.files.available(position)));
    return window.subarray(0, this.files.readNow(position, window));
  }

  private fromWindow(
    position: number,
    base: number,
    window: Buffer,
  ): { readonly event: LogEvent; readonly size: number } {
    const at = position - base;
    const size = at + recordHeaderBytes <= window.length ? claimedSize(window, at) : 0;
    if (size > 0 && at + size <= window.length && isIntact(window, at, size, position)) {
      return { event: readRecord(window, at, size, position), size };
    }
    const raw = this.raw(position);
    return { event: readRecord(raw.bytes, raw.at, raw.size, position), size: raw.size };
  }

  private async chunk(start: number, length: number, room: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    const read = length <= readNowBytesMax ? this.files.readNow(start, bytes) : await this.files.read(start, bytes);
    if (read < length) throw this.damaged(start + read);
    const size = length >= recordHeaderBytes ? claimedSize(bytes, 0) : 0;
    return size > length && size <= room ? this.chunk(start, size, room) : bytes;
  }

  private endOfPrevious(end: number): number | undefined {
    if (end <= this.files.start) return undefined;
    return this.files.trimHeader(end);
  }
}
