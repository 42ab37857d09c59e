// A log that remembers the furthest position it has acknowledged. A head that stands still is no news on a quiet day; a
// head that stands still before what was acknowledged is a broken log, and only this can tell the two apart.
import type {
  AppendResult,
  EventLog,
  ExpectedRevision,
  LogEvent,
  NewEvent,
  ReadAllOptions,
  ReadOptions,
  StreamAppend,
  StreamMetadata,
  SubscriptionPage,
} from './event-log.js';

export class AcknowledgedLog implements EventLog {
  private furthest = 0n;

  constructor(private readonly log: EventLog) {}

  /** Of this process' appends; 0n before the first. */
  get acknowledged(): bigint {
    return this.furthest;
  }

  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    return this.noted(await this.log.append(stream, events, expected));
  }
  async appendMany(appends: readonly StreamAppend[]): Promise<readonly AppendResult[]> {
    return (await this.log.appendMany(appends)).map((result) => this.noted(result));
  }

  id(): Promise<string> {
    return this.log.id();
  }
  head(): Promise<bigint> {
    return this.log.head();
  }
  readStream(stream: string, options?: ReadOptions): AsyncIterable<readonly LogEvent[]> {
    return this.log.readStream(stream, options);
  }
  readAll(options?: ReadAllOptions): AsyncIterable<readonly LogEvent[]> {
    return this.log.readAll(options);
  }
  subscribeAll(options: { readonly after?: bigint; readonly signal: AbortSignal }): AsyncIterable<SubscriptionPage> {
    return this.log.subscribeAll(options);
  }
  subscribeStream(
    stream: string,
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncIterable<SubscriptionPage> {
    return this.log.subscribeStream(stream, options);
  }
  setStreamMetadata(stream: string, metadata: StreamMetadata, expected?: ExpectedRevision): Promise<AppendResult> {
    return this.log.setStreamMetadata(stream, metadata, expected);
  }
  getStreamMetadata(stream: string): Promise<StreamMetadata> {
    return this.log.getStreamMetadata(stream);
  }
  deleteStream(stream: string, expected: ExpectedRevision): Promise<bigint> {
    return this.log.deleteStream(stream, expected);
  }
  tombstoneStream(stream: string, expected: ExpectedRevision): Promise<bigint> {
    return this.log.tombstoneStream(stream, expected);
  }
  close(): Promise<void> {
    return this.log.close();
  }

  private noted(result: AppendResult): AppendResult {
    if (result.position > this.furthest) this.furthest = result.position;
    return result;
  }
}
