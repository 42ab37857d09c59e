// Reading one stream: what retention leaves visible, page by page, in either direction, and following it live.
import { type LogEvent, type ReadOptions, StreamDeleted, type SubscriptionPage } from '../../event-log.js';
import { firstVisible, isExpired } from '../../stream-metadata.js';
import type { CommitSignal } from '../append/commit-signal.js';
import type { StreamIndex } from '../index/stream-index.js';
import { tombstoneRevision } from '../storage/record.js';
import { pageEventsMax, type RecordReader } from '../storage/record-reader.js';
import type { StreamStates } from './stream-states.js';

/** How a stream stands, and which of its revisions are visible (by `$tb` and `$maxCount`, not yet by age). */
export interface StreamInfo {
  /** `missing`: no event, or only metadata. `soft-deleted`: reads find nothing, an append revives it. */
  readonly status: 'missing' | 'live' | 'soft-deleted' | 'tombstoned';
  readonly firstRevision: number;
  /** -1 when there is no event. */
  readonly lastRevision: number;
}

export interface StreamReaderParts {
  readonly index: StreamIndex;
  readonly states: StreamStates;
  readonly records: RecordReader;
  readonly committed: CommitSignal;
  readonly now: () => number;
}

export class StreamReader {
  constructor(private readonly parts: StreamReaderParts) {}

  info(stream: string): StreamInfo {
    const { last, retention } = this.parts.states.get(stream);
    if (last === tombstoneRevision) return { status: 'tombstoned', firstRevision: last, lastRevision: last };
    if (retention.softDeleted) return { status: 'soft-deleted', firstRevision: last + 1, lastRevision: last };
    return { status: last < 0 ? 'missing' : 'live', firstRevision: firstVisible(retention, last), lastRevision: last };
  }

  /** Undefined when it is missing, hidden, expired or deleted. */
  event(stream: string, revision: number): LogEvent | undefined {
    const { status, firstRevision, lastRevision } = this.info(stream);
    if (status !== 'live' || revision < firstRevision || revision > lastRevision) return undefined;
    return this.visible(stream, this.stored(stream, revision, revision))[0];
  }

  tombstone(stream: string): LogEvent | undefined {
    const { status } = this.info(stream);
    return status === 'tombstoned' ? this.stored(stream, tombstoneRevision, tombstoneRevision)[0] : undefined;
  }

  /** @throws StreamDeleted when the stream is tombstoned */
  async *read(stream: string, options: ReadOptions): AsyncGenerator<readonly LogEvent[]> {
    const { status, firstRevision, lastRevision } = this.info(stream);
    if (status === 'tombstoned') throw new StreamDeleted(stream);
    if (status !== 'live') return;
    const forwards = options.direction !== 'backwards';
    let revision = forwards
      ? Math.max(options.from ?? 0, firstRevision)
      : Math.min(options.from ?? lastRevision, lastRevision);
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    while (left > 0 && revision >= firstRevision && revision <= lastRevision) {
      options.signal?.throwIfAborted();
      const wanted = Math.min(left, pageEventsMax);
      const until = forwards
        ? Math.min(revision + wanted - 1, lastRevision)
        : Math.max(revision - wanted + 1, firstRevision);
      const stored = this.stored(stream, revision, until);
      revision += forwards ? stored.length : -stored.length;
      const events = this.visible(stream, stored);
      left -= events.length;
      if (events.length > 0) yield events;
      await endOfTurn();
    }
  }

  /** Everything after a revision, then live. @throws StreamDeleted once the stream is tombstoned */
  async *follow(stream: string, after: number | undefined, signal: AbortSignal): AsyncGenerator<SubscriptionPage> {
    const { committed } = this.parts;
    let next = after === undefined ? 0 : after + 1;
    let announced = false;
    while (!signal.aborted) {
      const { end, lastPosition } = committed;
      const { status, firstRevision, lastRevision } = this.info(stream);
      if (status === 'tombstoned') throw new StreamDeleted(stream);
      next = Math.max(next, firstRevision);
      if (status === 'live' && next <= lastRevision) {
        const stored = this.stored(stream, next, Math.min(lastRevision, next + pageEventsMax - 1));
        next += stored.length;
        announced = false;
        const events = this.visible(stream, stored);
        if (events.length > 0) yield { kind: 'events', events };
        else await endOfTurn();
        continue;
      }
      if (!announced) yield { kind: 'caught-up', position: BigInt(lastPosition) };
      announced = true;
      await committed.beyond(end, signal);
    }
  }

  private visible(stream: string, events: readonly LogEvent[]): readonly LogEvent[] {
    const { retention } = this.parts.states.get(stream);
    if (retention.maxAgeSeconds === undefined) return events;
    const now = this.parts.now();
    return events.filter((event) => !isExpired(retention, event.recordedAt, now));
  }

  /**
   * The events from `from` to `to` (either may be the lower), as many as a page holds, at least one.
   * @throws LogDamaged when index and log do not agree: then something is missing
   */
  private stored(stream: string, from: number, to: number): readonly LogEvent[] {
    const { index, records } = this.parts;
    const step = from <= to ? 1 : -1;
    const count = Math.abs(to - from) + 1;
    const positions: number[] = [];
    let stretch = index.stretch(stream, from);
    for (let revision = from; positions.length < count; revision += step) {
      if (!stretch || revision < stretch.first || revision >= stretch.first + stretch.positions.length) {
        stretch = index.stretch(stream, revision);
        if (!stretch) throw records.missing(stream, revision);
      }
      positions.push(stretch.positions[revision - stretch.first] as number);
    }
    const events = records.events(positions);
    for (const [i, event] of events.entries()) {
      if (event.stream !== stream || event.revision !== from + i * step) throw records.missing(stream, from + i * step);
    }
    return events;
  }
}

export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
