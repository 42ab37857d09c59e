// Appends that are written exactly once although answers get lost: every try carries the same event ids, and the server
// knows an append that it has already written by them.
import { type AppendResult, type LogEvent, LogFull, LogUnavailable, WrongExpectedRevision } from '../../event-log.js';
import { BackOff } from '../back-off.js';
import type { Connection } from '../connection.js';
import { toLogError } from '../errors.js';
import type { EventStoreDbSettings } from '../settings.js';
import { type AppendRequest, appendSize } from './append-message.js';
import { BatchStream } from './batch-stream.js';

/** How far back a stream is searched for events of a try whose answer got lost. */
const searchEventsMax = 10_000;
/** The server's clock may be behind ours by this much. */
const clockSkewMs = 60_000;

export interface AppenderOptions {
  readonly settings: EventStoreDbSettings;
  /** Aborted when the adapter is closed. */
  readonly signal: AbortSignal;
  /** The newest events of a stream first; used to look for what an unanswered try may have written. */
  readonly readBackwards: (stream: string, limit: number) => AsyncIterable<readonly LogEvent[]>;
}

export class Appender {
  private stream: Promise<BatchStream> | undefined;
  private current: BatchStream | undefined;
  private inFlightBytes = 0;

  constructor(
    private readonly connection: Connection,
    private readonly options: AppenderOptions,
  ) {
    options.signal.addEventListener(
      'abort',
      () => this.current?.cancel(new LogUnavailable('the event log was closed')),
      { once: true },
    );
  }

  /** @throws WrongExpectedRevision, StreamDeleted, AppendTooLarge, LogFull, LogUnavailable after `giveUpAfterMs` */
  async append(request: AppendRequest): Promise<AppendResult> {
    const bytes = appendSize(request.events);
    const { inFlightBytesMax } = this.options.settings;
    if (this.inFlightBytes > 0 && this.inFlightBytes + bytes > inFlightBytesMax) {
      throw new LogUnavailable(`${this.inFlightBytes} of at most ${inFlightBytesMax} bytes of appends are unanswered`);
    }
    this.inFlightBytes += bytes;
    try {
      return await this.untilAnswered(request);
    } finally {
      this.inFlightBytes -= bytes;
    }
  }

  private async untilAnswered(request: AppendRequest): Promise<AppendResult> {
    const { settings, signal } = this.options;
    const startedAt = Date.now();
    const backOff = new BackOff(settings);
    for (let tries = 1; ; tries++) {
      try {
        if (tries > 1 && !isCertain(request)) {
          const found = await this.find(request, startedAt);
          if (found) return found;
        }
        const stream = await this.open();
        return await stream.append(request);
      } catch (thrown) {
        const error = toLogError(thrown, { stream: request.stream, expected: request.expected });
        // An append that brought a soft-deleted stream back is not recognised by `no_stream` when it is repeated.
        if (tries > 1 && request.expected === 'no_stream' && error instanceof WrongExpectedRevision) {
          const found = await this.find(request, startedAt);
          if (found) return found;
        }
        // A full disk is no passing trouble of the connection: whoever appends must hear of it.
        if (!error.retryable || error instanceof LogFull || signal.aborted) throw error;
        if (Date.now() - startedAt >= settings.giveUpAfterMs) {
          const message = `${request.stream}: not appended in ${tries} tries: ${error.message}`;
          throw error instanceof LogUnavailable ? new LogUnavailable(message, { cause: error }) : error;
        }
        await backOff.pause(signal);
      }
    }
  }

  private open(): Promise<BatchStream> {
    this.stream ??= this.connect();
    return this.stream;
  }

  private async connect(): Promise<BatchStream> {
    try {
      const client = await this.connection.streams();
      const stream = new BatchStream(this.connection, client, {
        attemptTimeoutMs: this.options.settings.attemptTimeoutMs,
        onEnd: (error) => {
          this.stream = undefined;
          this.current = undefined;
          void this.connection.gaveUp(client, error);
        },
      });
      this.current = stream;
      return stream;
    } catch (error) {
      this.stream = undefined;
      throw error;
    }
  }

  /**
   * Without an exact revision the server knows repeated ids only by a cache that a restart empties, so before another try
   * the stream itself is asked.
   */
  private async find(request: AppendRequest, startedAt: number): Promise<AppendResult | undefined> {
    const seen = new Sighting(request);
    for await (const page of this.options.readBackwards(request.stream, searchEventsMax)) {
      for (const event of page) {
        const verdict = seen.next(event);
        if (verdict !== 'unsettled') return verdict;
        if (!seen.hasBegun && event.recordedAt < startedAt - clockSkewMs) return undefined;
      }
    }
    return seen.atTheFront();
  }
}

/**
 * Looks for an append among the events of its stream, which are shown newest first. Only the whole append counts: its
 * last events alone may have come with another one, and then the server has to judge.
 */
class Sighting {
  private result: AppendResult | undefined;
  private left: number;

  constructor(private readonly request: AppendRequest) {
    this.left = request.events.length;
  }

  get hasBegun(): boolean {
    return this.result !== undefined;
  }

  /** What it was answered with; undefined: it is not there. */
  next({ id, revision, position }: LogEvent): AppendResult | 'unsettled' | undefined {
    // One that found no stream stands behind nothing.
    if (this.left === 0) return undefined;
    if (id !== this.request.events[this.left - 1]?.id) return this.hasBegun ? undefined : 'unsettled';
    this.result ??= { revision, position };
    this.left -= 1;
    return this.left === 0 && this.request.expected !== 'no_stream' ? this.result : 'unsettled';
  }

  atTheFront(): AppendResult | undefined {
    return this.left === 0 ? this.result : undefined;
  }
}

/** With an exact revision a repeated append is recognised by what the stream holds, for ever. */
function isCertain(request: AppendRequest): boolean {
  return typeof request.expected === 'number' || request.expected === 'no_stream';
}
