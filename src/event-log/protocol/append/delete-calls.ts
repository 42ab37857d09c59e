// Delete (the stream's events are hidden, it can be revived) and Tombstone (it is gone for ever).
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { sendUnaryData } from '@grpc/grpc-js';
import { ProtobufReader } from '../../protobuf/reader.js';
import { toServiceError } from '../exceptions.js';
import { readTargetOptions, requireExpected, streamNameOf, type TargetOptions } from '../request-fields.js';
import type { ServedLog } from '../served-log.js';

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

export function handleDelete(
  log: Pick<ServedLog, 'deleteStream'>,
  options: TargetOptions,
  answer: sendUnaryData<streams.DeleteResp>,
): void {
  answerWith(
    async () => log.deleteStream(streamNameOf(options.nameBytes), requireExpected(options.expected)),
    (position) => {
      const at = new streams.DeleteResp.Position();
      at.setCommitPosition(position.toString());
      at.setPreparePosition(position.toString());
      const response = new streams.DeleteResp();
      if (position > 0n) response.setPosition(at);
      else response.setNoPosition(new shared.Empty());
      return response;
    },
    answer,
  );
}

export function handleTombstone(
  log: Pick<ServedLog, 'tombstoneStream'>,
  options: TargetOptions,
  answer: sendUnaryData<streams.TombstoneResp>,
): void {
  answerWith(
    async () => log.tombstoneStream(streamNameOf(options.nameBytes), requireExpected(options.expected)),
    (position) => {
      const at = new streams.TombstoneResp.Position();
      at.setCommitPosition(position.toString());
      at.setPreparePosition(position.toString());
      const response = new streams.TombstoneResp();
      response.setPosition(at);
      return response;
    },
    answer,
  );
}

function answerWith<Response>(
  act: () => Promise<bigint>,
  respond: (position: bigint) => Response,
  answer: sendUnaryData<Response>,
): void {
  act().then(
    (position) => answer(null, respond(position)),
    (error: unknown) => answer(toServiceError(error, 'Delete')),
  );
}
