// The event log in this process, on files of its own (docs/event-log.md): no server, every acknowledged append on disk.
// Beside the contract it offers what a server needs that speaks EventStoreDB's protocol: see "Beyond the contract".
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isUuid } from '../../kernel/ids.js';
import {
  type AppendResult,
  AppendTooLarge,
  type EventLog,
  EventLogError,
  type ExpectedRevision,
  type LogEvent,
  LogFull,
  LogUnavailable,
  type NewEvent,
  type ReadAllOptions,
  type ReadOptions,
  type StreamAppend,
  StreamDeleted,
  type StreamMetadata,
  type SubscriptionPage,
} from '../event-log.js';
import { AppendQueue, queueBytesMaxDefault } from './append-queue.js';
import { Batch, type CommittedLog } from './batch.js';
import { CommitSignal } from './commit-signal.js';
import { DirectoryLock } from './directory-lock.js';
import { HeadMark } from './head-mark.js';
import { openIdentity } from './identity.js';
import { RecentIds } from './recent-ids.js';
import { recordBytesMax, recordSize, streamNameBytesMax, tombstoneRevision } from './record.js';
import { pageEventsMax, RecordReader } from './record-reader.js';
import { recover } from './recovery.js';
import { SegmentFiles, segmentBytesDefault } from './segment-files.js';
import { StreamIndex } from './stream-index.js';
import { firstVisible, isExpired, metadataEventType, metadataJson, metastreamOf } from './stream-metadata.js';
import { StreamStates } from './stream-states.js';

export interface EmbeddedLogOptions {
  /** Bytes of data, metadata and twice the type's length that one append may have; EventStoreDB 24.4's default is 1 MiB. */
  readonly appendBytesMax?: number;
  /** Bytes waiting to be written; beyond it appends are refused with LogUnavailable. */
  readonly queueBytesMax?: number;
  /** The log grows no larger than this; then appends are refused with LogFull. */
  readonly logBytesMax?: number;
  readonly segmentBytes?: number;
  /** False: nothing waits for the disk. Only for a log that need not outlive its process. */
  readonly durable?: boolean;
  /** Milliseconds since 1970; stamps events and decides about max age. */
  readonly now?: () => number;
}

export const appendBytesMaxDefault = 1024 * 1024;

export interface AppendOptions {
  /** Aborted before the append's turn came: it is refused with code `append-aborted` and never written. */
  readonly signal?: AbortSignal;
}

/** How a stream stands, and which of its revisions are visible (by `$tb` and `$maxCount`, not yet by age). */
export interface StreamInfo {
  /** `missing`: no event, or only metadata. `soft-deleted`: reads find nothing, an append revives it. */
  readonly status: 'missing' | 'live' | 'soft-deleted' | 'tombstoned';
  readonly firstRevision: number;
  /** -1 when there is no event. */
  readonly lastRevision: number;
}

export interface ReadEverythingOptions {
  readonly direction: 'forwards' | 'backwards';
  /** EventStoreDB's rule: forwards includes the event at `from`, backwards excludes it. Default: the start, or the end. */
  readonly from?: bigint;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

const noSpaceCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function isSystemEvent(event: LogEvent): boolean {
  return event.type.startsWith('$');
}

export class EmbeddedEventLog implements EventLog {
  private readonly queue: AppendQueue;
  private readonly committed: CommitSignal;
  private buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  private broken: Error | undefined;
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly options: Required<EmbeddedLogOptions>,
    private readonly logId: string,
    private readonly lock: DirectoryLock,
    private readonly files: SegmentFiles,
    private readonly mark: HeadMark,
    private readonly log: CommittedLog,
    lastPosition: number,
  ) {
    this.committed = new CommitSignal(files.end, lastPosition);
    this.queue = new AppendQueue(
      { begin: () => this.begin(), commit: (batch) => this.commit(batch) },
      options.queueBytesMax,
    );
  }

  /**
   * Opens the log in `directory`, which is made when there is none.
   * @throws LogLocked when another process holds it, LogDamaged when bytes are missing or wrong
   */
  static async open(directory: string, options: EmbeddedLogOptions = {}): Promise<EmbeddedEventLog> {
    const all: Required<EmbeddedLogOptions> = {
      appendBytesMax: appendBytesMaxDefault,
      queueBytesMax: queueBytesMaxDefault,
      logBytesMax: Number.MAX_SAFE_INTEGER,
      segmentBytes: segmentBytesDefault,
      durable: true,
      now: Date.now,
      ...options,
    };
    mkdirSync(directory, { recursive: true });
    const lock = DirectoryLock.acquire(directory);
    const opened: { close(): void }[] = [];
    try {
      const identity = openIdentity(directory, all.durable);
      const files = SegmentFiles.open(directory, {
        segmentBytes: all.segmentBytes,
        durable: all.durable,
        logId: identity.bytes,
      });
      opened.push(files);
      const mark = HeadMark.open(join(directory, 'head.mark'));
      opened.push(mark);
      const records = new RecordReader(files);
      const index = new StreamIndex();
      const lastPosition = recover({ files, mark, records, index });
      const log: CommittedLog = { index, records, states: new StreamStates(index, records), recent: new RecentIds() };
      return new EmbeddedEventLog(all, identity.id, lock, files, mark, log, lastPosition);
    } catch (error) {
      for (const part of opened) part.close();
      lock.release();
      throw error;
    }
  }

  async id(): Promise<string> {
    return this.logId;
  }

  async head(): Promise<bigint> {
    return BigInt(this.committed.lastPosition);
  }

  async append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    options: AppendOptions = {},
  ): Promise<AppendResult> {
    const bytes = this.check(stream, events, expected);
    return this.queue.run(bytes, (batch) => batch.append(stream, events, expected), options.signal);
  }

  async appendMany(appends: readonly StreamAppend[]): Promise<readonly AppendResult[]> {
    let bytes = 0;
    for (const { stream, events, expected } of appends) bytes += this.check(stream, events, expected);
    return this.queue.run(bytes, (batch) =>
      appends.map(({ stream, events, expected }) => batch.append(stream, events, expected)),
    );
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    const { status, firstRevision, lastRevision } = this.streamInfo(stream);
    if (status === 'tombstoned') throw new StreamDeleted(stream);
    if (status !== 'live') return;
    const forwards = options.direction !== 'backwards';
    const step = forwards ? 1 : -1;
    let revision = forwards
      ? Math.max(options.from ?? 0, firstRevision)
      : Math.min(options.from ?? lastRevision, lastRevision);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    const retention = this.log.states.get(stream).retention;
    while (left > 0 && revision >= firstRevision && revision <= lastRevision) {
      options.signal?.throwIfAborted();
      const events: LogEvent[] = [];
      let considered = 0;
      while (
        considered < pageEventsMax &&
        events.length < left &&
        revision >= firstRevision &&
        revision <= lastRevision
      ) {
        const event = this.stored(stream, revision);
        if (!isExpired(retention, event.recordedAt, this.options.now())) events.push(event);
        revision += step;
        considered += 1;
      }
      left -= events.length;
      if (events.length > 0) yield events;
      await endOfTurn();
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    const forwards = options.direction !== 'backwards';
    const from = this.cursor(options.after, forwards, forwards);
    yield* this.pages(forwards, from, options.limit, options.signal, (event) => !isSystemEvent(event));
  }

  async *subscribeAll(options: {
    readonly after?: bigint;
    readonly signal: AbortSignal;
  }): AsyncGenerator<SubscriptionPage> {
    yield* this.follow(options.after, options.signal, (event) => !isSystemEvent(event));
  }

  async *subscribeStream(
    stream: string,
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncGenerator<SubscriptionPage> {
    const { signal } = options;
    let next = options.after === undefined ? 0 : options.after + 1;
    let announced = false;
    while (!signal.aborted) {
      const head = this.committed.end;
      const { status, firstRevision, lastRevision } = this.streamInfo(stream);
      if (status === 'tombstoned') throw new StreamDeleted(stream);
      next = Math.max(next, firstRevision);
      if (status === 'live' && next <= lastRevision) {
        const retention = this.log.states.get(stream).retention;
        const events: LogEvent[] = [];
        const end = Math.min(lastRevision, next + pageEventsMax - 1);
        for (; next <= end; next++) {
          const event = this.stored(stream, next);
          if (!isExpired(retention, event.recordedAt, this.options.now())) events.push(event);
        }
        announced = false;
        if (events.length > 0) yield { kind: 'events', events };
        else await endOfTurn();
        continue;
      }
      if (!announced) yield { kind: 'caught-up', position: BigInt(this.committed.lastPosition) };
      announced = true;
      await this.committed.beyond(head, signal);
    }
  }

  async setStreamMetadata(
    stream: string,
    metadata: StreamMetadata,
    expected: ExpectedRevision = 'any',
  ): Promise<AppendResult> {
    const event: NewEvent = {
      id: crypto.randomUUID(),
      type: metadataEventType,
      contentType: 'application/json',
      data: Buffer.from(metadataJson(metadata)),
      metadata: new Uint8Array(0),
    };
    return this.append(metastreamOf(stream), [event], expected);
  }

  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    const { softDeleted: _, ...metadata } = this.log.states.get(stream).retention;
    return metadata;
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<bigint> {
    this.check(stream, [], expected);
    return BigInt(await this.queue.run(0, (batch) => batch.softDelete(stream, expected)));
  }

  async tombstoneStream(stream: string, expected: ExpectedRevision): Promise<bigint> {
    this.check(stream, [], expected);
    return BigInt(await this.queue.run(0, (batch) => batch.tombstone(stream, expected)));
  }

  async close(): Promise<void> {
    this.closing ??= this.shut();
    await this.closing;
  }

  // Beyond the contract: what a protocol server asks.

  /** How the stream stands right now, acknowledged appends only. */
  streamInfo(stream: string): StreamInfo {
    const { last, retention } = this.log.states.get(stream);
    if (last === tombstoneRevision) return { status: 'tombstoned', firstRevision: last, lastRevision: last };
    const firstRevision = firstVisible(retention, last);
    if (retention.softDeleted) return { status: 'soft-deleted', firstRevision: last + 1, lastRevision: last };
    return { status: last < 0 ? 'missing' : 'live', firstRevision, lastRevision: last };
  }

  /** One event as a reader of the stream sees it; undefined when it is missing, hidden, expired or deleted. */
  readEvent(stream: string, revision: number): LogEvent | undefined {
    const { status, firstRevision, lastRevision } = this.streamInfo(stream);
    if (status !== 'live' || revision < firstRevision || revision > lastRevision) return undefined;
    const event = this.stored(stream, revision);
    return isExpired(this.log.states.get(stream).retention, event.recordedAt, this.options.now()) ? undefined : event;
  }

  /** All events, those of system streams and metastreams included. */
  readEverything(options: ReadEverythingOptions): AsyncGenerator<readonly LogEvent[]> {
    const forwards = options.direction === 'forwards';
    return this.pages(forwards, this.cursor(options.from, forwards, false), options.limit, options.signal, () => true);
  }

  /** As subscribeAll, system events included. */
  subscribeEverything(options: {
    readonly after?: bigint;
    readonly signal: AbortSignal;
  }): AsyncGenerator<SubscriptionPage> {
    return this.follow(options.after, options.signal, () => true);
  }

  /** The newest `$metadata` event of a stream, its JSON as it was written. @throws StreamDeleted */
  rawMetadata(stream: string): LogEvent | undefined {
    if (this.streamInfo(stream).status === 'tombstoned') throw new StreamDeleted(stream);
    const position = this.log.states.metadataPosition(stream);
    return position === undefined ? undefined : this.log.records.event(position);
  }

  private stored(stream: string, revision: number): LogEvent {
    const position = this.log.index.position(stream, revision);
    const event = position === undefined ? undefined : this.log.records.event(position);
    if (!event || event.stream !== stream || event.revision !== revision) {
      throw this.log.records.damaged(position ?? 0);
    }
    return event;
  }

  private async *pages(
    forwards: boolean,
    from: number,
    limit: number | undefined,
    signal: AbortSignal | undefined,
    wanted: (event: LogEvent) => boolean,
  ): AsyncGenerator<readonly LogEvent[]> {
    const end = this.committed.end;
    let cursor = from;
    let left = limit ?? Number.POSITIVE_INFINITY;
    while (left > 0) {
      signal?.throwIfAborted();
      const page = forwards ? await this.log.records.forwards(cursor, end) : await this.log.records.backwards(cursor);
      if (page.events.length === 0) return;
      cursor = page.next;
      const events = page.events.filter(wanted).slice(0, left);
      left -= events.length;
      if (events.length > 0) yield events;
      if (!forwards) await endOfTurn();
    }
  }

  private async *follow(
    after: bigint | undefined,
    signal: AbortSignal,
    wanted: (event: LogEvent) => boolean,
  ): AsyncGenerator<SubscriptionPage> {
    let cursor = this.cursor(after, true, true);
    let announced = false;
    while (!signal.aborted) {
      const { end, lastPosition } = this.committed;
      const page = await this.log.records.forwards(cursor, end);
      cursor = page.next;
      if (page.events.length > 0) {
        announced = false;
        const events = page.events.filter(wanted);
        if (events.length > 0) yield { kind: 'events', events };
        continue;
      }
      if (!announced) yield { kind: 'caught-up', position: BigInt(lastPosition) };
      announced = true;
      await this.committed.beyond(end, signal);
    }
  }

  /** The byte where reading begins. `exclusive`: an event at `position` itself is left out when reading forwards. */
  private cursor(position: bigint | undefined, forwards: boolean, exclusive: boolean): number {
    const { end } = this.committed;
    if (position === undefined) return forwards ? this.files.start : end;
    if (position < BigInt(this.files.start)) return this.files.start;
    if (position >= BigInt(end)) return end;
    const at = Number(position);
    const boundary = this.log.records.boundary(at, end);
    return exclusive && boundary === at ? this.log.records.after(at) : boundary;
  }

  /** @throws AppendTooLarge, EventLogError `invalid-append`; gives the bytes it will take. */
  private check(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): number {
    const invalid = (why: string): EventLogError => new EventLogError('invalid-append', `${stream}: ${why}`);
    if (stream === '' || stream === '$$') throw invalid('a stream needs a name');
    if (Buffer.byteLength(stream) > streamNameBytesMax) throw invalid(`the name is over ${streamNameBytesMax} bytes`);
    if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
      throw invalid(`expected revision ${expected} is no revision`);
    }
    let counted = 0;
    let bytes = 0;
    for (const event of events) {
      if (!isUuid(event.id)) throw invalid(`event id ${event.id} is no lower-case UUID`);
      if (event.type === '' || event.type.length > 0x3fff) throw invalid('an event type needs 1 to 16383 characters');
      const size = recordSize(stream, event);
      if (size > recordBytesMax) throw new AppendTooLarge(recordBytesMax, size);
      counted += event.data.byteLength + event.metadata.byteLength + 2 * event.type.length;
      bytes += size;
    }
    if (counted > this.options.appendBytesMax) throw new AppendTooLarge(this.options.appendBytesMax, counted);
    return bytes;
  }

  private begin(): Batch {
    if (this.broken)
      throw new LogUnavailable('an earlier write failed and the log must be opened again', { cause: this.broken });
    return new Batch(this.log, this.files.beginBatch(), this.options.now(), this.buffer);
  }

  private async commit(batch: Batch): Promise<void> {
    this.buffer = batch.reusable;
    if (batch.bytes.length === 0) return;
    try {
      if (batch.end > this.options.logBytesMax) throw new LogFull(`the log may hold ${this.options.logBytesMax} bytes`);
      await this.files.append(batch.bytes);
      this.mark.write(batch.end);
    } catch (error) {
      batch.discard();
      throw this.writeFailure(error);
    }
    batch.publish();
    this.committed.advance(batch.end, batch.lastPosition ?? this.committed.lastPosition);
  }

  private writeFailure(error: unknown): Error {
    if (error instanceof EventLogError) return error;
    const cause = error as NodeJS.ErrnoException;
    if (noSpaceCodes.has(cause.code ?? '')) {
      return new LogFull(`no room left for the log: ${cause.message}`, { cause });
    }
    // After a failed fsync nobody knows what is on disk, so nothing more may be promised.
    this.broken = cause;
    return new LogUnavailable(`the log could not be written: ${cause.message}`, { cause });
  }

  private async shut(): Promise<void> {
    await this.queue.close();
    this.committed.close();
    if (this.options.durable) this.mark.sync();
    this.mark.close();
    this.files.close();
    this.lock.release();
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
