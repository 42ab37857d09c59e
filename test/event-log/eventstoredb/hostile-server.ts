// A server that speaks EventStoreDB's protocol and breaks its promises, one at a time.
import { randomUUID } from 'node:crypto';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import rpcStatus from '@eventstore/db-client/generated/status_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { supportedMethods } from '../../../src/event-log/protocol/announcements.js';

export type BatchCall = ServerDuplexStream<streams.BatchAppendReq, streams.BatchAppendResp>;
export type ReadCall = ServerWritableStream<streams.ReadReq, streams.ReadResp>;
type UnaryCall = ServerUnaryCall<streams.TombstoneReq, streams.TombstoneResp>;

export interface Misbehaviour {
  /** Called with each chunk of each call. */
  readonly onChunk?: (call: BatchCall, chunk: streams.BatchAppendReq) => void;
  readonly onRead?: (call: ReadCall) => void;
  readonly onTombstone?: (call: UnaryCall, answer: sendUnaryData<streams.TombstoneResp>) => void;
}

export interface HostileServer {
  readonly port: number;
  readonly url: string;
  close(): void;
}

export async function startHostileServer(misbehaviour: Misbehaviour): Promise<HostileServer> {
  const server = new Server();
  server.addService(featuresGrpc.ServerFeaturesService, {
    getSupportedMethods: (_call: unknown, answer: sendUnaryData<unknown>) => answer(null, supportedMethods()),
  });
  server.addService(streamsGrpc.StreamsService, {
    batchAppend: (call: BatchCall) => {
      call.on('data', (chunk: streams.BatchAppendReq) => misbehaviour.onChunk?.(call, chunk));
      call.on('error', () => undefined);
    },
    read: (call: ReadCall) => {
      call.on('error', () => undefined);
      if (misbehaviour.onRead) misbehaviour.onRead(call);
      else call.end();
    },
    tombstone: (call: UnaryCall, answer: sendUnaryData<streams.TombstoneResp>) =>
      misbehaviour.onTombstone?.(call, answer),
    append: (_call: unknown, answer: sendUnaryData<unknown>) => answer(failure(status.UNIMPLEMENTED)),
    delete: (_call: unknown, answer: sendUnaryData<unknown>) => answer(failure(status.UNIMPLEMENTED)),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port, url: `esdb://127.0.0.1:${port}?tls=false`, close: () => server.forceShutdown() };
}

export function failure(code: status, trailers: Readonly<Record<string, string>> = {}, details = 'as planned') {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

/** The answer that an honest server would give to a chunk. */
export function success(chunk: streams.BatchAppendReq, revision = 0): streams.BatchAppendResp {
  const position = new shared.AllStreamPosition();
  position.setCommitPosition('100');
  position.setPreparePosition('100');
  const done = new streams.BatchAppendResp.Success();
  done.setCurrentRevision(String(revision));
  done.setPosition(position);
  const answer = new streams.BatchAppendResp();
  answer.setCorrelationId(chunk.getCorrelationId());
  answer.setStreamIdentifier(chunk.getOptions()?.getStreamIdentifier());
  answer.setSuccess(done);
  return answer;
}

/** A refusal without the stream's name. `detail` is the Any's type, its content `value`. */
export function namelessError(
  chunk: streams.BatchAppendReq,
  detail: string,
  value = new Uint8Array(),
): streams.BatchAppendResp {
  // The package that has the class of the field is not ours to import; an empty one comes out of a parsed message.
  const sample = rpcStatus.Status.deserializeBinary(Uint8Array.from([0x1a, 0x00]));
  sample.getDetails()?.pack(value, detail);
  const answer = new streams.BatchAppendResp();
  answer.setCorrelationId(chunk.getCorrelationId());
  answer.setError(sample);
  return answer;
}

export function recordedEvent(
  revision: number,
  fields: { readonly id?: boolean; readonly stream?: boolean } = {},
): streams.ReadResp {
  const id = new shared.UUID();
  id.setString(randomUUID());
  const name = new shared.StreamIdentifier();
  name.setStreamName(new Uint8Array(Buffer.from('s')));
  const event = new streams.ReadResp.ReadEvent.RecordedEvent();
  if (fields.id !== false) event.setId(id);
  if (fields.stream !== false) event.setStreamIdentifier(name);
  event.setStreamRevision(String(revision));
  event.setCommitPosition(String(100 + revision));
  event.setPreparePosition(String(100 + revision));
  event.getMetadataMap().set('type', 'Tested');
  event.getMetadataMap().set('content-type', 'application/json');
  event.getMetadataMap().set('created', '17000000000000000');
  const read = new streams.ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(String(100 + revision));
  const answer = new streams.ReadResp();
  answer.setEvent(read);
  return answer;
}

export function confirmation(): streams.ReadResp {
  const confirmed = new streams.ReadResp.SubscriptionConfirmation();
  confirmed.setSubscriptionId(randomUUID());
  const answer = new streams.ReadResp();
  answer.setConfirmation(confirmed);
  return answer;
}
