// Reads that end. A read whose connection breaks goes on after the last event that it gave.
import { type LogEvent, LogUnavailable, type ReadAllOptions, type ReadOptions } from '../../event-log.js';
import { BackOff } from '../back-off.js';
import type { Connection } from '../connection.js';
import { toLogError } from '../errors.js';
import type { EventStoreDbSettings } from '../settings.js';
import { AnswerStream } from './answer-stream.js';
import { readAllRequest, readStreamRequest } from './read-request.js';

/** How a read is told to go on, and how far it goes. */
interface Progress {
  last: LogEvent | undefined;
  /** Events still wanted. */
  left: number;
  /** Forwards: positions beyond this one were not there when the read began. */
  end: bigint | undefined;
}

type RequestFrom = (progress: Progress) => ReturnType<typeof readAllRequest>;

export interface ReaderOptions {
  readonly settings: EventStoreDbSettings;
  readonly signal: AbortSignal;
}

export class Reader {
  constructor(
    private readonly connection: Connection,
    private readonly options: ReaderOptions,
  ) {}

  /** @throws StreamDeleted, LogUnavailable when nothing came for `giveUpAfterMs` */
  async *stream(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    const direction = options.direction ?? 'forwards';
    const step = direction === 'forwards' ? 1 : -1;
    const request: RequestFrom = ({ last, left }) =>
      readStreamRequest({ stream, direction, limit: left, from: last ? last.revision + step : options.from });
    const isOver = ({ last }: Progress) => direction === 'backwards' && last?.revision === 0;
    const newest = () => this.newest(() => readStreamRequest({ stream, direction: 'backwards', limit: 1 }), stream);
    yield* this.pages({
      subject: stream,
      request,
      isOver,
      options,
      newest: direction === 'forwards' ? newest : undefined,
    });
  }

  /** Everything, system events included; `after` is exclusive. */
  async *everything(options: ReadAllOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    const direction = options.direction ?? 'forwards';
    const after = options.after !== undefined && options.after > 0n ? options.after : undefined;
    if (direction === 'backwards' && options.after !== undefined && after === undefined) return;
    // Forwards the server includes the position that it is given: one more is asked for, and that one is dropped.
    const request: RequestFrom = ({ last, left }) => {
      const from = last?.position ?? after;
      return readAllRequest({
        direction,
        from,
        limit: direction === 'forwards' && from !== undefined ? left + 1 : left,
      });
    };
    const isNew = (event: LogEvent, { last }: Progress) => {
      const from = last?.position ?? after;
      return from === undefined || (direction === 'forwards' ? event.position > from : event.position < from);
    };
    const newest = () => this.newest(() => readAllRequest({ direction: 'backwards', limit: 1 }), '$all');
    yield* this.pages({
      subject: '$all',
      request,
      isNew,
      options,
      newest: direction === 'forwards' ? newest : undefined,
    });
  }

  /** The last event of the log, system events included. */
  async last(): Promise<LogEvent | undefined> {
    for await (const page of this.everything({ direction: 'backwards', limit: 1 })) return page[0];
    return undefined;
  }

  private async *pages(read: {
    readonly subject: string;
    readonly request: RequestFrom;
    readonly isNew?: (event: LogEvent, progress: Progress) => boolean;
    readonly isOver?: (progress: Progress) => boolean;
    readonly options: { readonly limit?: number; readonly signal?: AbortSignal };
    readonly newest: (() => Promise<bigint | undefined>) | undefined;
  }): AsyncGenerator<readonly LogEvent[]> {
    const { settings, signal: closed } = this.options;
    const backOff = new BackOff(settings);
    const progress: Progress = {
      last: undefined,
      left: read.options.limit ?? Number.MAX_SAFE_INTEGER - 1,
      end: undefined,
    };
    let progressAt = Date.now();
    while (progress.left > 0 && !read.isOver?.(progress)) {
      try {
        for await (const answered of this.answers(read.subject, read.request(progress), read.options.signal)) {
          // A long read is bounded by what was there: without it, writers that are faster than it would make it endless.
          // Asked before anything is kept, so that a failure of the question loses nothing.
          if (answered.length > 0 && progress.end === undefined && read.options.limit === undefined) {
            progress.end = await read.newest?.();
          }
          const events = this.keep(answered, progress, read.isNew);
          if (events.length === 0) continue;
          progressAt = Date.now();
          backOff.reset();
          yield events;
          if (progress.left === 0) return;
          if (progress.end !== undefined && (progress.last?.position ?? 0n) >= progress.end) return;
        }
        return;
      } catch (thrown) {
        read.options.signal?.throwIfAborted();
        const error = toLogError(thrown, { stream: read.subject });
        if (!error.retryable || closed.aborted) throw error;
        if (Date.now() - progressAt >= settings.giveUpAfterMs) throw error;
        await backOff.pause(closed);
      }
    }
  }

  /** In order, each once, no more than wanted. */
  private keep(
    events: readonly LogEvent[],
    progress: Progress,
    isNew: ((event: LogEvent, progress: Progress) => boolean) | undefined,
  ): readonly LogEvent[] {
    const kept: LogEvent[] = [];
    for (const event of events) {
      if (progress.left === 0) break;
      if (progress.end !== undefined && event.position > progress.end) break;
      if (isNew && !isNew(event, progress)) continue;
      kept.push(event);
      progress.last = event;
      progress.left -= 1;
    }
    return kept;
  }

  /** One call. A stream that is not there gives nothing. */
  private async *answers(
    subject: string,
    request: ReturnType<typeof readAllRequest>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly LogEvent[]> {
    const { attemptTimeoutMs } = this.options.settings;
    const client = await this.connection.streams();
    const call = new AnswerStream(this.connection, client, request);
    const stop = () => call.cancel();
    signal?.addEventListener('abort', stop, { once: true });
    this.options.signal.addEventListener('abort', stop, { once: true });
    try {
      signal?.throwIfAborted();
      for (;;) {
        const answers = await call.next(attemptTimeoutMs);
        if (answers === undefined) return;
        if (answers.length === 0)
          throw new LogUnavailable(`${subject}: a read brought nothing for ${attemptTimeoutMs} ms`);
        const events: LogEvent[] = [];
        for (const answer of answers) if (answer.kind === 'event') events.push(answer.event);
        if (events.length > 0) yield events;
      }
    } catch (error) {
      if (!signal?.aborted && !this.options.signal.aborted) await this.connection.gaveUp(client, error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
      this.options.signal.removeEventListener('abort', stop);
      call.cancel();
    }
  }

  private async newest(request: () => ReturnType<typeof readAllRequest>, subject: string): Promise<bigint | undefined> {
    for await (const events of this.answers(subject, request(), undefined)) return events[0]?.position;
    return undefined;
  }
}
