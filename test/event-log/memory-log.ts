// An event log in memory, for tests that plan faults: a hook may fail an append before or after it is written. It
// keeps the rules that the write side leans on; the contract suite of the real adapters holds it to them.
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
  WrongExpectedRevision,
} from '../../src/event-log/event-log.js';

type Appender = Pick<EventLog, 'id' | 'append' | 'appendMany' | 'readStream' | 'readAll' | 'head'>;

export class MemoryLog implements Appender {
  readonly events: LogEvent[] = [];
  /** Called around every append; what it throws is what the caller gets. */
  fault: (when: 'before' | 'after', stream: string) => Promise<void> = async () => {};
  private readonly logId = randomUUID();

  async id(): Promise<string> {
    return this.logId;
  }

  async head(): Promise<bigint> {
    return this.events.at(-1)?.position ?? 0n;
  }

  stream(name: string): LogEvent[] {
    return this.events.filter((event) => event.stream === name);
  }

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    return (await this.appendMany([{ stream, events, expected }]))[0] as AppendResult;
  }

  async appendMany(appends: readonly StreamAppend[]): Promise<readonly AppendResult[]> {
    const name = appends.map(({ stream }) => stream).join(' ');
    await this.fault('before', name);
    for (const { stream, expected } of appends) this.check(stream, expected);
    const results = appends.map(({ stream, events }) => this.write(stream, events));
    await this.fault('after', name);
    return results;
  }

  private check(stream: string, expected: ExpectedRevision): void {
    const actual = this.stream(stream).length - 1;
    const holds =
      expected === 'any' ||
      (expected === 'no_stream' && actual < 0) ||
      (expected === 'stream_exists' && actual >= 0) ||
      expected === actual;
    if (!holds) throw new WrongExpectedRevision(stream, expected, actual);
  }

  private write(stream: string, events: readonly NewEvent[]): AppendResult {
    let revision = this.stream(stream).length - 1;
    for (const event of events) {
      revision += 1;
      const position = BigInt(this.events.length + 1) * 10n;
      this.events.push({ ...event, stream, revision, position, recordedAt: 1_700_000_000_000 });
    }
    return { revision, position: this.events.at(-1)?.position ?? 0n };
  }

  async *readStream(stream: string, options: ReadOptions = {}): AsyncIterable<readonly LogEvent[]> {
    const { direction = 'forwards', from, limit = Number.POSITIVE_INFINITY } = options;
    const all = this.stream(stream);
    const found =
      direction === 'forwards'
        ? all.filter(({ revision }) => revision >= (from ?? 0))
        : all.toReversed().filter(({ revision }) => revision <= (from ?? Number.POSITIVE_INFINITY));
    // Pages of two, so that a reader that stops at a page shows.
    for (let start = 0; start < Math.min(found.length, limit); start += 2) {
      yield found.slice(start, Math.min(start + 2, limit));
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncIterable<readonly LogEvent[]> {
    const { direction = 'forwards', after, limit = this.events.length } = options;
    const found =
      direction === 'forwards'
        ? this.events.filter(({ position }) => position > (after ?? -1n))
        : this.events.toReversed().filter(({ position }) => after === undefined || position < after);
    if (found.length > 0) yield found.slice(0, limit);
  }
}
