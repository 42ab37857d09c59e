// An event log in memory that keeps the contract as far as the sink uses it, and can fail where a test says so.
import {
  type AppendResult,
  type ExpectedRevision,
  type LogEvent,
  type NewEvent,
  type ReadAllOptions,
  type ReadOptions,
  type SubscriptionPage,
  WrongExpectedRevision,
} from '../../../src/event-log/event-log.js';

export class MemoryLog {
  readonly events: LogEvent[] = [];
  pageEventsMax = 100;
  /** Called before every append that a stream of plans gets; a throw is a log that cannot be reached. */
  beforeAppend: (stream: string) => void = () => undefined;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly logId = '00000000-0000-8000-8000-000000000001') {}

  async id(): Promise<string> {
    return this.logId;
  }

  async head(): Promise<bigint> {
    return this.events.at(-1)?.position ?? 0n;
  }

  /** Many events at once, without looking for what is there. */
  fill(events: readonly (NewEvent & { readonly stream: string })[]): void {
    for (const event of events) {
      const position = (this.events.at(-1)?.position ?? 0n) + 3n;
      this.events.push({ ...event, revision: 0, position, recordedAt: 0 });
    }
  }

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.beforeAppend(stream);
    const past = this.events.filter((event) => event.stream === stream);
    const current = past.length - 1;
    const wanted = expected === 'no_stream' ? -1 : expected;
    if (typeof wanted === 'number' && wanted !== current) {
      const same = events.every((event, index) => past[wanted + 1 + index]?.id === event.id);
      const last = past[wanted + events.length];
      if (same && last) return { revision: last.revision, position: last.position };
      throw new WrongExpectedRevision(stream, expected, current);
    }
    events.forEach((event, index) => {
      this.events.push({
        ...event,
        stream,
        revision: current + 1 + index,
        position: (this.events.at(-1)?.position ?? 0n) + 3n,
        recordedAt: 0,
      });
    });
    for (const wake of this.waiting) wake();
    return { revision: current + events.length, position: await this.head() };
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncIterable<readonly LogEvent[]> {
    let found = this.events.filter((event) => event.stream === stream);
    const { from } = options;
    if (options.direction === 'backwards') found = found.toReversed();
    if (from !== undefined) {
      found = found.filter(({ revision }) => (options.direction === 'backwards' ? revision <= from : revision >= from));
    }
    if (found.length > 0) yield found.slice(0, options.limit);
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<readonly LogEvent[]> {
    const { after = 0n } = options;
    // A position is a name: a real log need not answer for one that it never gave.
    if (after > 0n && this.events[Number(after / 3n) - 1]?.position !== after)
      throw new RangeError(`nothing is at ${after}`);
    const found = this.events.slice(
      Number((options.after ?? 0n) / 3n),
      options.limit === undefined ? undefined : Number((options.after ?? 0n) / 3n) + options.limit,
    );
    for (let at = 0; at < found.length; at += this.pageEventsMax) yield found.slice(at, at + this.pageEventsMax);
  }

  async *subscribeAll(options: { after?: bigint; signal: AbortSignal }): AsyncIterable<SubscriptionPage> {
    let after = options.after ?? 0n;
    let told = false;
    while (!options.signal.aborted) {
      // Positions are three apart, so the place of one is known.
      const from = Number(after / 3n);
      const page = this.events.slice(from, from + this.pageEventsMax);
      const last = page.at(-1);
      if (last) {
        after = last.position;
        told = false;
        yield { kind: 'events', events: page };
      } else if (!told) {
        told = true;
        yield { kind: 'caught-up', position: after };
      } else {
        await this.change(options.signal);
      }
    }
  }

  async *subscribeStream(
    stream: string,
    options: { after?: number; signal: AbortSignal },
  ): AsyncIterable<SubscriptionPage> {
    let after = options.after ?? -1;
    while (!options.signal.aborted) {
      const page = this.events.filter((event) => event.stream === stream && event.revision > after);
      after = page.at(-1)?.revision ?? after;
      if (page.length > 0) yield { kind: 'events', events: page };
      else await this.change(options.signal);
    }
  }

  private change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiting.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }
}
