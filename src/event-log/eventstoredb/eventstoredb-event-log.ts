// The event log on an EventStoreDB or KurrentDB, through the official client's connection (docs/event-log-protocol.md).
import { randomUUID } from 'node:crypto';
import { checkEvents, checkTarget } from '../embedded/append/append-check.js';
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
import { textOf } from '../event-text.js';
import { metadataEventType, metadataJson, metastreamOf, parseRetention } from '../stream-metadata.js';
import { Appender } from './append/appender.js';
import { Connection } from './connection.js';
import { deleteStream, tombstoneStream } from './delete-call.js';
import { logId } from './log-id.js';
import { Reader } from './read/reader.js';
import { type SubscriptionOptions, subscribeAll, subscribeStream } from './read/subscription.js';
import { defaultSettings, type EventStoreDbSettings } from './settings.js';

export class EventStoreDbEventLog implements EventLog {
  private readonly closed = new AbortController();
  private readonly appender: Appender;
  private readonly reader: Reader;
  private readonly subscriptions: SubscriptionOptions;
  private identity: Promise<string> | undefined;

  private constructor(
    private readonly connection: Connection,
    private readonly settings: EventStoreDbSettings,
  ) {
    const { signal } = this.closed;
    this.reader = new Reader(connection, { settings, signal });
    this.appender = new Appender(connection, {
      settings,
      signal,
      readBackwards: (stream, limit) => this.reader.stream(stream, { direction: 'backwards', limit }),
    });
    this.subscriptions = {
      connection,
      settings,
      closed: signal,
      lastOf: (stream) => (stream === undefined ? this.reader.last() : this.lastOf(stream)),
    };
  }

  /**
   * Nothing is connected before the first call.
   * @param connectionString `esdb://`, `esdb+discover://`, `kurrentdb://` or `kurrentdb+discover://`
   * @throws when it cannot be understood
   */
  static open(connectionString: string, settings: Partial<EventStoreDbSettings> = {}): EventStoreDbEventLog {
    return new EventStoreDbEventLog(new Connection(connectionString), { ...defaultSettings, ...settings });
  }

  id(): Promise<string> {
    this.identity ??= logId({
      last: (stream) => this.lastOf(stream),
      append: (stream, events, expected) => this.append(stream, events, expected),
    }).catch((error: unknown) => {
      this.identity = undefined;
      throw error;
    });
    return this.identity;
  }

  async head(): Promise<bigint> {
    return (await this.reader.last())?.position ?? 0n;
  }

  /** What no server would take is refused here: on the shared call it would end the appends of others. */
  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    checkAppend({ stream, events, expected });
    return this.appender.append({ stream, events, expected });
  }

  /** One append after the other, in order, each atomic by itself; repeated with the same ids it goes on where it stopped. */
  async appendMany(appends: readonly StreamAppend[]): Promise<readonly AppendResult[]> {
    appends.forEach(checkAppend);
    const results: AppendResult[] = [];
    for (const { stream, events, expected } of appends) results.push(await this.append(stream, events, expected));
    return results;
  }

  readStream(stream: string, options: ReadOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    return this.reader.stream(stream, options);
  }

  /** The server cannot filter this read, so system events come and are left out here; `limit` counts the others. */
  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<readonly LogEvent[]> {
    let left = options.limit ?? Number.POSITIVE_INFINITY;
    const { limit: _, ...unlimited } = options;
    if (left <= 0) return;
    for await (const page of this.reader.everything(unlimited)) {
      const events = page.filter((event) => !event.type.startsWith('$')).slice(0, left);
      left -= events.length;
      if (events.length > 0) yield events;
      if (left <= 0) return;
    }
  }

  subscribeAll(options: { readonly after?: bigint; readonly signal: AbortSignal }): AsyncGenerator<SubscriptionPage> {
    return subscribeAll(this.subscriptions, options.after, options.signal);
  }

  subscribeStream(
    stream: string,
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): AsyncGenerator<SubscriptionPage> {
    return subscribeStream(this.subscriptions, stream, options.after, options.signal);
  }

  setStreamMetadata(
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
    const event = await this.lastOf(metastreamOf(stream)).catch((error: unknown) => {
      throw error instanceof StreamDeleted ? new StreamDeleted(stream) : error;
    });
    if (!event) return {};
    const { softDeleted: _, ...metadata } = parseRetention(textOf(event.data));
    return metadata;
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<bigint> {
    checkTarget(stream, expected);
    return deleteStream(this.deletion(), stream, expected);
  }

  async tombstoneStream(stream: string, expected: ExpectedRevision): Promise<bigint> {
    checkTarget(stream, expected);
    return tombstoneStream(this.deletion(), stream, expected);
  }

  async close(): Promise<void> {
    this.closed.abort();
    await this.connection.close();
  }

  private deletion(): Parameters<typeof deleteStream>[0] {
    return {
      connection: this.connection,
      settings: this.settings,
      closed: this.closed.signal,
      head: () => this.head(),
      lastOf: (stream) => this.lastOf(stream),
    };
  }

  private async lastOf(stream: string): Promise<LogEvent | undefined> {
    for await (const page of this.reader.stream(stream, { direction: 'backwards', limit: 1 })) return page[0];
    return undefined;
  }
}

/** As the embedded log does, but for the size of the whole, which is the server's to limit. @throws EventLogError */
function checkAppend({ stream, events, expected }: StreamAppend): void {
  checkTarget(stream, expected);
  checkEvents(stream, events, Number.POSITIVE_INFINITY);
}
