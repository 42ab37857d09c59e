// Serves an embedded log over EventStoreDB's gRPC protocol, so that its own clients, other processes and the tests of our
// adapter can use it. What it keeps and what it leaves out: docs/event-log-protocol.md.
import { randomUUID } from 'node:crypto';
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import type gossip from '@eventstore/db-client/generated/gossip_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import type serverFeatures from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { WrongExpectedRevision } from '../event-log.js';
import { identityEvent, identityStream } from '../log-identity.js';
import { clusterOfOne, supportedMethods } from './announcements.js';
import { handleAppend } from './append/append-call.js';
import {
  type AppendMessage,
  type BatchAppendChunk,
  readAppendMessage,
  readBatchAppendChunk,
} from './append/append-requests.js';
import { AppendRoom, waitingBytesDefault } from './append/append-room.js';
import { BatchAppendCall } from './append/batch-append.js';
import { handleDelete, handleTombstone, readDeleteRequest } from './append/delete-calls.js';
import { authentication, type PasswordCheck } from './authentication.js';
import { handleRead } from './read/read-call.js';
import { ResponseWriter } from './read/response-writer.js';
import type { TargetOptions } from './request-fields.js';
import type { ServedLog } from './served-log.js';
import { addUnsupportedServices } from './unsupported.js';

export interface ProtocolServerOptions {
  readonly log: ServedLog;
  /** Bytes that one append may have; EventStoreDB 24.4's default is 1 MiB. The log's own limit must be no lower. */
  readonly appendBytesMax: number;
  /** Default: loopback only. */
  readonly host?: string;
  /** 0 (the default): any free port. */
  readonly port?: number;
  /** The host name that gossip gives to clients; default: `host`, or what the client called where that is a wildcard. */
  readonly advertisedHost?: string;
  /** PEM. Without it the port speaks HTTP/2 in clear. */
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer };
  readonly passwordCheck?: PasswordCheck;
  /** Bytes of appends that wait to be written before no more is read from clients; well below what the log's queue holds. */
  readonly waitingBytesMax?: number;
}

/** How long calls in flight may take to end when the server closes. */
const shutdownGraceMs = 2_000;
const identity = (answer: Buffer): Buffer => answer;

/** A call that goes on until somebody ends it. */
interface EndlessCall {
  shutDown(): void;
}

export class ProtocolServer {
  private readonly calls = new Set<EndlessCall>();
  private closing: Promise<void> | undefined;

  private constructor(
    private readonly server: Server,
    private readonly options: ProtocolServerOptions,
  ) {}

  /** Accepts calls when it resolves. */
  static async start(options: ProtocolServerOptions): Promise<ProtocolServer> {
    await nameTheLog(options.log);
    const server = new Server({
      // A client's chunk of a few large events must reach our own limit, and be refused by name.
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      ...(options.passwordCheck && { interceptors: [authentication(options.passwordCheck)] }),
    });
    const served = new ProtocolServer(server, options);
    served.addServices();
    await served.listen();
    return served;
  }

  /** The port that is bound. */
  port = 0;

  /** Open calls get UNAVAILABLE, which clients take as "come back"; appends that are in the log's hands are answered. */
  async close(): Promise<void> {
    this.closing ??= this.shut();
    await this.closing;
  }

  private async shut(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    for (const call of this.calls) call.shutDown();
    const patience = setTimeout(() => this.server.forceShutdown(), shutdownGraceMs);
    await ended;
    clearTimeout(patience);
  }

  private async listen(): Promise<void> {
    const { host = '127.0.0.1', port = 0, tls } = this.options;
    const credentials = tls
      ? ServerCredentials.createSsl(null, [{ cert_chain: tls.certificate, private_key: tls.key }])
      : ServerCredentials.createInsecure();
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync(address, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
  }

  private addServices(): void {
    const instanceId = randomUUID();
    this.addStreams();
    this.server.addService(featuresGrpc.ServerFeaturesService, {
      getSupportedMethods: (
        _call: ServerUnaryCall<shared.Empty, serverFeatures.SupportedMethods>,
        answer: sendUnaryData<serverFeatures.SupportedMethods>,
      ) => answer(null, supportedMethods()),
    });
    this.server.addService(gossipGrpc.GossipService, {
      read: (call: ServerUnaryCall<shared.Empty, gossip.ClusterInfo>, answer: sendUnaryData<gossip.ClusterInfo>) => {
        const { advertisedHost, host = '127.0.0.1' } = this.options;
        const address = advertisedHost ?? (isWildcard(host) ? hostOf(call.getHost()) : host);
        answer(null, clusterOfOne({ instanceId, address, port: this.port }, Date.now()));
      },
    });
    addUnsupportedServices(this.server);
  }

  private addStreams(): void {
    const { log, appendBytesMax, waitingBytesMax = waitingBytesDefault } = this.options;
    const appending = { log, appendBytesMax, room: new AppendRoom(waitingBytesMax) };
    const { read, append, batchAppend, delete: deletion, tombstone } = streamsGrpc.StreamsService;
    this.server.addService(
      {
        read: { ...read, responseSerialize: identity },
        append: { ...append, requestDeserialize: readAppendMessage },
        batchAppend: { ...batchAppend, requestDeserialize: readBatchAppendChunk, responseSerialize: identity },
        delete: { ...deletion, requestDeserialize: readDeleteRequest },
        tombstone: { ...tombstone, requestDeserialize: readDeleteRequest },
      },
      {
        read: (call: ServerWritableStream<streams.ReadReq, Buffer>) => {
          const writer = new ResponseWriter(call);
          this.follow(writer, call);
          void handleRead(log, writer, call.request);
        },
        append: (
          call: ServerReadableStream<AppendMessage, streams.AppendResp>,
          answer: sendUnaryData<streams.AppendResp>,
        ) => handleAppend(call, answer, appending),
        batchAppend: (call: ServerDuplexStream<BatchAppendChunk, Buffer>) =>
          this.follow(new BatchAppendCall(call, appending), call),
        delete: (call: ServerUnaryCall<TargetOptions, streams.DeleteResp>, answer: sendUnaryData<streams.DeleteResp>) =>
          handleDelete(log, call, answer),
        tombstone: (
          call: ServerUnaryCall<TargetOptions, streams.TombstoneResp>,
          answer: sendUnaryData<streams.TombstoneResp>,
        ) => handleTombstone(log, call, answer),
      },
    );
  }

  private follow(endless: EndlessCall, call: NodeJS.EventEmitter): void {
    this.calls.add(endless);
    call.once('close', () => this.calls.delete(endless));
    if (this.closing) endless.shutDown();
  }
}

/** Every address of the machine: none by which a client could find it. */
function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** The host by which the caller found the server: `authority` without its port. */
function hostOf(authority: string): string {
  return authority.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1');
}

/** The log's id, where our adapter looks for it: served or opened in process, it is the same log. */
async function nameTheLog(log: ServedLog): Promise<void> {
  try {
    await log.append(identityStream, [identityEvent(await log.id())], 'no_stream');
  } catch (error) {
    // It was named before, by another event id or even another id: what stands there holds.
    if (!(error instanceof WrongExpectedRevision)) throw error;
  }
}
