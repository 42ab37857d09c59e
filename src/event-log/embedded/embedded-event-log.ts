// The event log in this process, on files of its own (docs/event-log.md): no server, every acknowledged append on disk.
// Beside the contract it offers what a server needs that speaks EventStoreDB's protocol: see "Beyond the contract".
import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  type EventLog,
  type ExpectedRevision,
  type LogEvent,
  type NewEvent,
  type ReadAllOptions,
  type ReadOptions,
  type StreamAppend,
  StreamDeleted,
  type StreamMetadata,
  type SubscriptionPage,
} from '../event-log.js';
import { metadataEventType, metadataJson, metastreamOf } from '../stream-metadata.js';
import { checkEvents, checkTarget } from './append/append-check.js';
import { AppendQueue, type CallOff, queueBytesMaxDefault } from './append/append-queue.js';
import type { CommittedLog } from './append/batch.js';
import { CommitSignal } from './append/commit-signal.js';
import { CommitWriter } from './append/commit-writer.js';
import { RecentIds } from './append/recent-ids.js';
import { runEventsDefault } from './index/stream-index.js';
import { AllReader, isOrdinary } from './reading/all-reader.js';
import type { AcknowledgedEnd } from './reading/log-follower.js';
import { type StreamInfo, StreamReader } from './reading/stream-reader.js';
import { StreamStates } from './reading/stream-states.js';
import { LogParts } from './storage/open-parts.js';
import { segmentBytesDefault } from './storage/segment-files.js';

export interface EmbeddedLogOptions {
  /** Bytes of data, metadata and twice the type's length that one append may have; EventStoreDB 24.4's default is 1 MiB. */
  readonly appendBytesMax?: number;
  /** Bytes waiting to be written; beyond it appends are refused with LogUnavailable. */
  readonly queueBytesMax?: number;
  /** The log grows no larger than this; then appends are refused with LogFull. */
  readonly logBytesMax?: number;
  /** A new file is begun when the last one is at least this long. */
  readonly segmentBytes?: number;
  /** Events that make one run of the index. */
  readonly indexRunEvents?: number;
  /** False: nothing waits for the disk. Only for a log that need not outlive its process. */
  readonly durable?: boolean;
  /** Told of what goes wrong behind and stops nothing yet. Default: a warning of the process. */
  readonly warn?: (warning: string) => void;
  /** Milliseconds since 1970; stamps events and decides about max age. */
  readonly now?: () => number;
}

export const appendBytesMaxDefault = 1024 * 1024;

const defaults: Required<EmbeddedLogOptions> = {
  appendBytesMax: appendBytesMaxDefault,
  queueBytesMax: queueBytesMaxDefault,
  logBytesMax: Number.MAX_SAFE_INTEGER,
  segmentBytes: segmentBytesDefault,
  indexRunEvents: runEventsDefault,
  durable: true,
  warn: (warning) => process.emitWarning(warning),
  now: Date.now,
};

export interface AppendOptions {
  /** Aborted before the append's turn came: it is refused with code `append-aborted` and never written. */
  readonly signal?: CallOff;
}

export interface ReadEverythingOptions {
  readonly direction: 'forwards' | 'backwards';
  /** EventStoreDB's rule: forwards includes the event at `from`, backwards excludes it. Default: the start, or the end. */
  readonly from?: bigint;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

function isAny(): boolean {
  return true;
}

export class EmbeddedEventLog implements EventLog {
  private readonly log: CommittedLog;
  private readonly queue: AppendQueue;
  private readonly committed: CommitSignal;
  private readonly streams: StreamReader;
  private readonly all: AllReader;
  private closing: Promise<void> | undefined;

  private constructor(
    readonly directory: string,
    private readonly options: Required<EmbeddedLogOptions>,
    private readonly parts: LogParts,
  ) {
    const { files, mark, index, records, lastPosition } = parts;
    const { now, logBytesMax } = options;
    this.log = { index, records, states: new StreamStates(index, records), recent: new RecentIds() };
    this.committed = new CommitSignal(files.end, lastPosition);
    const writer = new CommitWriter({ files, mark, log: this.log, committed: this.committed, now, logBytesMax });
    this.queue = new AppendQueue(writer, options.queueBytesMax);
    this.streams = new StreamReader({ ...this.log, committed: this.committed, now });
    this.all = new AllReader(records, this.committed);
  }

  /**
   * Opens the log in `directory`, which is made when there is none.
   * @throws LogLocked when another process holds it, LogDamaged when bytes are missing or wrong
   */
  static async open(directory: string, options: EmbeddedLogOptions = {}): Promise<EmbeddedEventLog> {
    const all = { ...defaults, ...options };
    return new EmbeddedEventLog(directory, all, await LogParts.open(directory, all));
  }

  async id(): Promise<string> {
    return this.parts.logId;
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
    checkTarget(stream, expected);
    const bytes = checkEvents(stream, events, this.options.appendBytesMax);
    return this.queue.run(bytes, (batch) => batch.append(stream, events, expected), options.signal);
  }

  async appendMany(appends: readonly StreamAppend[]): Promise<readonly AppendResult[]> {
    let bytes = 0;
    for (const { stream, events, expected } of appends) {
      checkTarget(stream, expected);
      bytes += checkEvents(stream, events, this.options.appendBytesMax);
    }
    return this.queue.run(bytes, (batch) =>
      appends.map(({ stream, events, expected }) => batch.append(stream, events, expected)),
    );
  }

  readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    return this.streams.read(stream, options);
  }

  readAll(options: ReadAllOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    const { direction = 'forwards', after, limit, signal } = options;
    return this.all.read({ direction, position: after, exclusive: true, wanted: isOrdinary, limit, signal });
  }

  subscribeAll(options: { readonly after?: bigint; readonly signal: AbortSignal }): AsyncGenerator<SubscriptionPage> {
    return this.all.follow(options.after, options.signal, isOrdinary);
  }

  subscribeStream(
    stream: string,
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncGenerator<SubscriptionPage> {
    return this.streams.follow(stream, options.after, options.signal);
  }

  async setStreamMetadata(
    stream: string,
    metadata: StreamMetadata,
    expected: ExpectedRevision = 'any',
  ): Promise<AppendResult> {
    const event: NewEvent = {
      id: randomUUID(),
      type: metadataEventType,
      contentType: 'application/json',
      data: Buffer.from(metadataJson(metadata)),
      metadata: new Uint8Array(0),
    };
    return this.append(metastreamOf(stream), [event], expected);
  }

  async getStreamMetadata(stream: string): Promise<StreamMetadata> {
    this.refuseTombstoned(stream);
    const { softDeleted: _, ...metadata } = this.log.states.get(stream).retention;
    return metadata;
  }

  async deleteStream(stream: string, expected: ExpectedRevision, options: AppendOptions = {}): Promise<bigint> {
    checkTarget(stream, expected);
    return BigInt(await this.queue.run(0, (batch) => batch.softDelete(stream, expected), options.signal));
  }

  async tombstoneStream(stream: string, expected: ExpectedRevision, options: AppendOptions = {}): Promise<bigint> {
    checkTarget(stream, expected);
    return BigInt(await this.queue.run(0, (batch) => batch.tombstone(stream, expected), options.signal));
  }

  /** What was asked for before is still written; then the directory is free. */
  async close(): Promise<void> {
    this.closing ??= this.shut();
    await this.closing;
  }

  // Beyond the contract: what a follower asks.

  /** How far the log is acknowledged now. */
  acknowledged(): AcknowledgedEnd {
    const { end, lastPosition } = this.committed;
    return { end, lastPosition, lastFile: this.parts.files.lastFile };
  }

  /** The same, once it is beyond `end` or the signal aborts. @throws LogUnavailable when the log is closed */
  async acknowledgedBeyond(end: number, signal: AbortSignal): Promise<AcknowledgedEnd> {
    await this.committed.beyond(end, signal);
    return this.acknowledged();
  }

  // Beyond the contract: what a protocol server asks.

  /** How the stream stands right now, acknowledged appends only. */
  streamInfo(stream: string): StreamInfo {
    return this.streams.info(stream);
  }

  /** One event as a reader of the stream sees it; undefined when it is missing, hidden, expired or deleted. */
  readEvent(stream: string, revision: number): LogEvent | undefined {
    return this.streams.event(stream, revision);
  }

  /** All events, those of system streams and metastreams included. */
  readEverything(options: ReadEverythingOptions): AsyncGenerator<readonly LogEvent[]> {
    const { direction, from, limit, signal } = options;
    return this.all.read({ direction, position: from, exclusive: false, wanted: isAny, limit, signal });
  }

  /** As subscribeAll, system events included. */
  subscribeEverything(options: {
    readonly after?: bigint;
    readonly signal: AbortSignal;
  }): AsyncGenerator<SubscriptionPage> {
    return this.all.follow(options.after, options.signal, isAny);
  }

  /** The newest `$metadata` event of a stream, its JSON as it was written. @throws StreamDeleted */
  rawMetadata(stream: string): LogEvent | undefined {
    this.refuseTombstoned(stream);
    const { states, records } = this.log;
    const position = states.metadataPosition(stream);
    return position === undefined ? undefined : records.event(position);
  }

  /** The `$streamDeleted` event of a tombstoned stream. */
  tombstone(stream: string): LogEvent | undefined {
    return this.streams.tombstone(stream);
  }

  private refuseTombstoned(stream: string): void {
    if (this.streams.info(stream).status === 'tombstoned') throw new StreamDeleted(stream);
  }

  private async shut(): Promise<void> {
    await this.queue.close();
    this.committed.close();
    await this.parts.close(this.options.durable);
  }
}
