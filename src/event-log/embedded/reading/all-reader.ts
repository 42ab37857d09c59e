// Reading the log as a whole, in the order of positions. One loop serves catching up and live: there is no second path
// that events could slip between.
import type { LogEvent, SubscriptionPage } from '../../event-log.js';
import type { Committed } from '../append/commit-signal.js';
import { pageEventsMax, type RecordReader } from '../storage/record-reader.js';
import { endOfTurn } from './stream-reader.js';

export type Wanted = (event: LogEvent) => boolean;

/** System events are for those who ask for them. */
export function isOrdinary(event: LogEvent): boolean {
  return !event.type.startsWith('$');
}

export interface AllRead {
  readonly direction: 'forwards' | 'backwards';
  readonly position: bigint | undefined;
  /** Forwards: an event at `position` itself is left out. Backwards it always is. */
  readonly exclusive: boolean;
  readonly wanted: Wanted;
  readonly limit: number | undefined;
  readonly signal: AbortSignal | undefined;
}

export class AllReader {
  constructor(
    private readonly records: RecordReader,
    private readonly committed: Committed,
  ) {}

  /** Up to the end as it was when the reading began. */
  async *read({ direction, position, exclusive, wanted, limit, signal }: AllRead): AsyncGenerator<readonly LogEvent[]> {
    const { end } = this.committed;
    const forwards = direction === 'forwards';
    let cursor = this.cursor(position, forwards, exclusive);
    let left = limit ?? Number.POSITIVE_INFINITY;
    while (left > 0) {
      signal?.throwIfAborted();
      const eventsMax = Math.min(left, pageEventsMax);
      const page = forwards
        ? await this.records.forwards(cursor, end, eventsMax)
        : this.records.backwards(cursor, eventsMax);
      if (page.events.length === 0) return;
      cursor = page.next;
      const events = page.events.filter(wanted).slice(0, left);
      left -= events.length;
      if (events.length > 0) yield events;
      if (!forwards) await endOfTurn();
    }
  }

  async *follow(after: bigint | undefined, signal: AbortSignal, wanted: Wanted): AsyncGenerator<SubscriptionPage> {
    let cursor = this.cursor(after, true, true);
    // Beyond the end: what will come up to there is not asked for.
    const isAfter = after !== undefined && after >= BigInt(this.committed.end);
    const asked: Wanted = isAfter ? (event) => event.position > after && wanted(event) : wanted;
    let announced = false;
    while (!signal.aborted) {
      const { end, lastPosition } = this.committed;
      const page = await this.records.forwards(cursor, end);
      cursor = page.next;
      if (page.events.length > 0) {
        announced = false;
        const events = page.events.filter(asked);
        if (events.length > 0) yield { kind: 'events', events };
        continue;
      }
      if (!announced) yield { kind: 'caught-up', position: BigInt(lastPosition) };
      announced = true;
      await this.committed.beyond(end, signal);
    }
  }

  /** The byte where reading begins. */
  private cursor(position: bigint | undefined, forwards: boolean, exclusive: boolean): number {
    const { end } = this.committed;
    const { start } = this.records;
    if (position === undefined) return forwards ? start : end;
    if (position < BigInt(start)) return start;
    if (position >= BigInt(end)) return end;
    const at = Number(position);
    const boundary = this.records.boundary(at, end);
    return exclusive && forwards && boundary === at ? this.records.after(at) : boundary;
  }
}
