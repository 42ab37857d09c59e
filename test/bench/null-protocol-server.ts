// The protocol's own ceiling: a server that keeps nothing and answers at once. Appends are acknowledged unread, reads
// are one encoded event over and over. Run as a process of its own; prints READY <port>.
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { supportedMethods } from '../../src/event-log/protocol/announcements.js';
import { type BatchAppendChunk, readBatchAppendChunk } from '../../src/event-log/protocol/append/append-requests.js';
import { successAnswer } from '../../src/event-log/protocol/append/batch-answers.js';
import { eventResponse } from '../../src/event-log/protocol/read/read-response.js';
import { payload } from './protocol-payload.js';

const identity = (bytes: Buffer): Buffer => bytes;
const { read, batchAppend } = streamsGrpc.StreamsService;
const answer = eventResponse(
  { event: { ...payload(), stream: 'bench-0', revision: 1, position: 1_000_000n, recordedAt: 1_700_000_000_000 } },
  1_000_000n,
  'string',
);

const server = new Server({ 'grpc.max_receive_message_length': -1 });
server.addService(featuresGrpc.ServerFeaturesService, {
  getSupportedMethods: (_call: unknown, reply: sendUnaryData<unknown>) => reply(null, supportedMethods()),
});
server.addService(
  {
    read: { ...read, responseSerialize: identity },
    batchAppend: { ...batchAppend, requestDeserialize: readBatchAppendChunk, responseSerialize: identity },
  },
  {
    batchAppend: (call: ServerDuplexStream<BatchAppendChunk, Buffer>) => {
      call.on('error', () => undefined);
      call.on('end', () => call.end());
      call.on('data', ({ correlationId, options }: BatchAppendChunk) => {
        const streamIdentifier = options?.streamIdentifier ?? Buffer.alloc(0);
        call.write(successAnswer({ correlationId, streamIdentifier }, { revision: 1, position: 1_000_000n }));
      });
    },
    read: (call: ServerWritableStream<streams.ReadReq, Buffer>) => {
      let left = Number(call.request.getOptions()?.getCount());
      const pour = () => {
        while (left > 0) {
          left -= 1;
          if (!call.write(answer)) return;
        }
        call.off('drain', pour);
        call.end();
      };
      call.on('drain', pour);
      call.on('error', () => undefined);
      pour();
    },
  },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`READY ${port}\n`);
});
