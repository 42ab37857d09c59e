// Delete (the stream's events are hidden, it can be revived) and Tombstone (it is gone for ever). One whose caller has
// given up before its turn to be written came is never written.
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { ProtobufReader } from '../../protobuf/reader.js';
import { toServiceError } from '../exceptions.js';
import { readTargetOptions, requireExpected, streamNameOf, type TargetOptions } from '../request-fields.js';
import type { ServedLog } from '../served-log.js';
import { givenUp } from './given-up.js';

/** Both requests hold nothing but their options. */
export function readDeleteRequest(bytes: Buffer): TargetOptions {
  const request = new ProtobufReader(bytes);
  let options = readTargetOptions(new ProtobufReader(Buffer.alloc(0)));
  while (request.next()) {
    if (request.field === 1) options = readTargetOptions(request.message());
    else request.skip();
  }
  return options;
}

type Call<Response> = ServerUnaryCall<TargetOptions, Response>;

export function handleDelete(
  log: Pick<ServedLog, 'deleteStream'>,
  call: Call<streams.DeleteResp>,
  answer: sendUnaryData<streams.DeleteResp>,
): void {
  answerWith(call, answer, {
    act: (stream, expected) => log.deleteStream(stream, expected, { signal: givenUp(call) }),
    respond: (position) => {
      const at = new streams.DeleteResp.Position();
      at.setCommitPosition(position.toString());
      at.setPreparePosition(position.toString());
      const response = new streams.DeleteResp();
      if (position > 0n) response.setPosition(at);
      else response.setNoPosition(new shared.Empty());
      return response;
    },
  });
}

export function handleTombstone(
  log: Pick<ServedLog, 'tombstoneStream'>,
  call: Call<streams.TombstoneResp>,
  answer: sendUnaryData<streams.TombstoneResp>,
): void {
  answerWith(call, answer, {
    act: (stream, expected) => log.tombstoneStream(stream, expected, { signal: givenUp(call) }),
    respond: (position) => {
      const at = new streams.TombstoneResp.Position();
      at.setCommitPosition(position.toString());
      at.setPreparePosition(position.toString());
      const response = new streams.TombstoneResp();
      response.setPosition(at);
      return response;
    },
  });
}

interface Deletion<Response> {
  readonly act: ServedLog['deleteStream'];
  readonly respond: (position: bigint) => Response;
}

function answerWith<Response>(
  call: Call<Response>,
  answer: sendUnaryData<Response>,
  { act, respond }: Deletion<Response>,
): void {
  const { nameBytes, expected, sentRevision } = call.request;
  const done = async () => act(streamNameOf(nameBytes), requireExpected(expected));
  done().then(
    (position) => answer(null, respond(position)),
    (error: unknown) => answer(toServiceError(error, 'Delete', sentRevision)),
  );
}
