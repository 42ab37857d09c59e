// The lower half of the official client: connection strings, TLS, credentials, discovery, channels and reconnecting are
// its own. Its upper half is left alone, because a hostile or broken server can end the process through it (two answers
// for one append, an error without a stream name) and because it cannot carry bytes: it parses and prints JSON.
import { EventStoreDBClient, UnavailableError } from '@eventstore/db-client';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { CallOptions, Channel, Client, Metadata } from '@grpc/grpc-js';
import { EventLogError } from '../event-log.js';

export type StreamsClient = InstanceType<typeof streamsGrpc.StreamsClient>;

/** Members of the client that it keeps for its own calls. */
interface ClientInternals {
  getGRPCClient(stub: typeof streamsGrpc.StreamsClient, name: string): Promise<StreamsClient>;
  callArguments(base: { readonly deadline?: number }, options?: CallOptions): [Metadata, CallOptions];
  handleError(client: Client, error: Error): Promise<void>;
  getChannel(): Promise<Channel>;
}

const internals = ['getGRPCClient', 'callArguments', 'handleError', 'getChannel'] as const;

/** `kurrentdb://` is the newer name of `esdb://`; client 6.2.1 knows the older one only. */
function knownScheme(connectionString: string): string {
  return connectionString.trim().replace(/^kurrentdb(\+discover)?:/, 'esdb$1:');
}

export class Connection {
  private readonly client: EventStoreDBClient;
  private readonly inner: ClientInternals;
  private opened: Promise<Channel> | undefined;
  private closed = false;

  /** @throws when the text is no connection string or a certificate file it names is missing */
  constructor(connectionString: string) {
    this.client = EventStoreDBClient.connectionString(knownScheme(connectionString));
    this.inner = this.client as unknown as ClientInternals;
    for (const name of internals) {
      if (typeof this.inner[name] !== 'function') {
        throw new TypeError(`@eventstore/db-client has no ${name}: the adapter was written against version 6.2.1`);
      }
    }
  }

  /** Connects first, where need be: discovery, then a channel. */
  async streams(): Promise<StreamsClient> {
    if (this.closed) throw new Error('the connection to the event log is closed');
    this.opened = this.inner.getChannel();
    this.opened.catch(() => undefined);
    return this.inner.getGRPCClient(streamsGrpc.StreamsClient, 'homing');
  }

  /** Metadata and options of a call that may go on for ever, or until `deadlineMs` from now. */
  arguments(deadlineMs?: number): [Metadata, CallOptions] {
    if (deadlineMs === undefined) return this.inner.callArguments({}, { deadline: Number.POSITIVE_INFINITY });
    return this.inner.callArguments({ deadline: deadlineMs });
  }

  /**
   * Tells the client of a failed call: where that means a lost server, the next call connects again. An error of the
   * log's own (a timer of ours ran out) means that the connection brings nothing any more.
   */
  async gaveUp(client: StreamsClient, error: unknown): Promise<void> {
    const lost = new UnavailableError(undefined, 'the connection brings nothing any more');
    try {
      await this.inner.handleError(client, error instanceof Error && !(error instanceof EventLogError) ? error : lost);
    } catch {
      // The failure could not be understood (a not-leader answer without a leader): any node will do.
      await this.inner.handleError(client, lost).catch(() => undefined);
    }
  }

  /** The client's own dispose leaves its channel open; nothing may be left behind. */
  async close(): Promise<void> {
    this.closed = true;
    await this.client.dispose();
    const channel = await this.opened?.catch(() => undefined);
    channel?.close();
  }
}
