// The contract of the event log. Two adapters keep it (embedded, EventStoreDB) and one suite holds them to it.
// It speaks bytes: what the bytes mean is the codec's business.

export type ExpectedRevision = number | 'no_stream' | 'stream_exists' | 'any';

export interface NewEvent {
  /** UUID, lower case. The same id again in the same stream is the same event (five idempotency cases, docs/event-log.md). */
  readonly id: string;
  readonly type: string;
  readonly contentType: 'application/json' | 'application/octet-stream';
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

export interface LogEvent extends NewEvent {
  readonly stream: string;
  /** 0-based number within the stream. */
  readonly revision: number;
  /** Totally ordered over the log, survives restarts, gaps allowed; EventStoreDB's commit position. */
  readonly position: bigint;
  /** Milliseconds since 1970, by the log's own clock. */
  readonly recordedAt: number;
}

export interface StreamAppend {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

export interface AppendResult {
  /** Revision of the last event of the stream after the append. -1 for an empty append to a missing stream. */
  readonly revision: number;
  /** Position of the last event appended. */
  readonly position: bigint;
}

export interface ReadOptions {
  readonly direction?: 'forwards' | 'backwards';
  /** Inclusive in both directions. Default: the start (forwards) or the end (backwards). */
  readonly from?: number;
  /** At most this many events. Default: all that were there when the read began. */
  readonly limit?: number;
  /** Aborted: the read fails with the signal's reason, so that a part is never taken for the whole. */
  readonly signal?: AbortSignal;
}

export interface ReadAllOptions {
  readonly direction?: 'forwards' | 'backwards';
  /** Exclusive: forwards gives positions > after, backwards positions < after. Default: the start or the end. */
  readonly after?: bigint;
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

/** Stream metadata (EventStoreDB's reserved keys). It hides events from stream reads, never from readAll. */
export interface StreamMetadata {
  readonly maxAgeSeconds?: number;
  readonly maxCount?: number;
  /** Events with a lower revision are hidden. */
  readonly truncateBefore?: number;
}

/** What a subscription gives: pages of events in order and, each time it has caught up with the head, a mark. */
export type SubscriptionPage =
  | { readonly kind: 'events'; readonly events: readonly LogEvent[] }
  /** No more than a buffer is left: the last event considered and the position of the head when it was looked at. */
  | { readonly kind: 'caught-up'; readonly position: bigint };

/** The half of the contract that queries may use. */
export interface EventLogReader {
  /** The identity of this log (UUID), made with it; position tokens and checkpoints carry it. */
  id(): Promise<string>;
  /** Pages in order. A missing or soft-deleted stream gives no page. @throws StreamDeleted for a tombstoned one. */
  readStream(stream: string, options?: ReadOptions): AsyncIterable<readonly LogEvent[]>;
  /** Everything, system events (types that begin with `$`) left out. */
  readAll(options?: ReadAllOptions): AsyncIterable<readonly LogEvent[]>;
  /** Position of the last event of the log, 0n when there is none. */
  head(): Promise<bigint>;
}

export interface EventLog extends EventLogReader {
  /**
   * Acknowledged (the promise resolves) means on disk.
   * @throws WrongExpectedRevision, StreamDeleted, AppendTooLarge, LogUnavailable, LogFull; nothing of a refused append is written.
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  /** Each append is atomic; where the engine can (embedded), all of them are one durable commit, all or nothing. */
  appendMany(appends: readonly StreamAppend[]): Promise<readonly AppendResult[]>;
  /**
   * Everything after a position, catching up and then live, pulled: the next page is read when the consumer asks.
   * It comes back by itself from any failure of the connection; it never skips, repeats or reorders. Ends when the signal aborts.
   */
  subscribeAll(options: { readonly after?: bigint; readonly signal: AbortSignal }): AsyncIterable<SubscriptionPage>;
  /** As subscribeAll, for one stream, after a revision. A missing stream is waited for. */
  subscribeStream(
    stream: string,
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncIterable<SubscriptionPage>;
  setStreamMetadata(stream: string, metadata: StreamMetadata, expected?: ExpectedRevision): Promise<AppendResult>;
  getStreamMetadata(stream: string): Promise<StreamMetadata>;
  /** Soft delete: the events are hidden, an append revives the stream and numbering goes on. */
  deleteStream(stream: string, expected: ExpectedRevision): Promise<bigint>;
  /** For ever: every later append or read of the stream fails with StreamDeleted. */
  tombstoneStream(stream: string, expected: ExpectedRevision): Promise<bigint>;
  close(): Promise<void>;
}

/** A failure of the log with a stable code. `retryable`: the same call with the same event ids may succeed later. */
export class EventLogError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retryable = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

export class WrongExpectedRevision extends EventLogError {
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    /** -1: the stream has no event. */
    readonly actual: number,
  ) {
    super(
      'wrong-expected-revision',
      `${stream}: expected revision ${expected}, found ${actual < 0 ? 'no stream' : actual}`,
    );
  }
}

export class StreamDeleted extends EventLogError {
  constructor(readonly stream: string) {
    super('stream-deleted', `${stream}: the stream is deleted for ever (tombstoned)`);
  }
}

export class AppendTooLarge extends EventLogError {
  constructor(
    readonly limitBytes: number,
    readonly sizeBytes: number,
  ) {
    super('append-too-large', `an append of ${sizeBytes} bytes is over the limit of ${limitBytes} bytes`);
  }
}

/** The append queue is full, or the server cannot be reached: try again later with the same event ids. */
export class LogUnavailable extends EventLogError {
  constructor(message: string, options?: ErrorOptions) {
    super('log-unavailable', message, true, options);
  }
}

/** No room left on the device or in the map; reads go on. */
export class LogFull extends EventLogError {
  constructor(message: string, options?: ErrorOptions) {
    super('log-full', message, true, options);
  }
}

/** A record does not match its checksum, or the file is shorter than it should be. */
export class LogDamaged extends EventLogError {
  constructor(
    message: string,
    readonly position?: bigint,
  ) {
    super('log-damaged', message);
  }
}

/** Another process holds the data directory. */
export class LogLocked extends EventLogError {
  constructor(
    readonly directory: string,
    readonly pid: number,
  ) {
    super('log-locked', `${directory} is held by process ${pid}`);
  }
}
