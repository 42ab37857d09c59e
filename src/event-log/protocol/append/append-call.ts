// Append: one client stream carries one append, its options first and then its events. A wrong expected version is an
// answer here, not a failure; everything else that goes wrong travels in the trailers.

import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerReadableStream, sendUnaryData } from '@grpc/grpc-js';
import { type AppendResult, type ExpectedRevision, WrongExpectedRevision } from '../../event-log.js';
import { invalidArgument, toServiceError } from '../exceptions.js';
import { requireExpected, streamNameOf, type TargetOptions } from '../request-fields.js';
import type { ServedLog } from '../served-log.js';
import { type AppendMessage, ProposedAppend } from './append-requests.js';
import type { AppendRoom } from './append-room.js';
import { writeTimeoutMs } from './batch-append.js';
import { givenUp } from './given-up.js';

export interface AppendCallOptions {
  readonly log: Pick<ServedLog, 'append'>;
  readonly appendBytesMax: number;
  /** Shared by all calls. */
  readonly room: AppendRoom;
}

type Call = ServerReadableStream<AppendMessage, streams.AppendResp>;

interface Target {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly sentRevision: bigint | undefined;
  readonly proposed: ProposedAppend;
}

/** Takes the whole append in, then writes it. The first fault answers the call; what comes after it is not kept. */
export function handleAppend(call: Call, answer: sendUnaryData<streams.AppendResp>, options: AppendCallOptions): void {
  let target: Target | undefined;
  let answered = false;
  const fail = (error: unknown) => {
    if (answered) return;
    answered = true;
    answer(toServiceError(error instanceof RangeError ? invalidArgument(error.message) : error, 'Append'));
  };
  call.on('data', (message: AppendMessage) => {
    if (answered) return;
    try {
      if (message.options) target = targetOf(message.options, options.appendBytesMax);
      else if (message.proposed && target) target.proposed.add(message.proposed);
      else throw invalidArgument('an append begins with its options');
    } catch (error) {
      fail(error);
    }
  });
  call.on('error', () => {
    answered = true;
  });
  call.on('end', () => {
    if (answered || call.cancelled) return;
    if (target) write(call, target, options).then((response) => answer(null, response), fail);
    else fail(invalidArgument('an append begins with its options'));
  });
}

function targetOf(options: TargetOptions, appendBytesMax: number): Target {
  const stream = streamNameOf(options.nameBytes);
  return {
    stream,
    expected: requireExpected(options.expected),
    sentRevision: options.sentRevision,
    proposed: new ProposedAppend(stream, appendBytesMax),
  };
}

async function write(call: Call, target: Target, { log, room }: AppendCallOptions): Promise<streams.AppendResp> {
  const { stream, expected, sentRevision, proposed } = target;
  const signal = givenUp(call);
  try {
    const result = await room.write(proposed.heldBytes, Date.now() + writeTimeoutMs, () =>
      log.append(stream, proposed.events, expected, { signal }),
    );
    return successResponse(result);
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return wrongVersionResponse(error, sentRevision);
    throw error;
  }
}

function successResponse(result: AppendResult): streams.AppendResp {
  const success = new streams.AppendResp.Success();
  if (result.revision < 0) {
    success.setNoStream(new shared.Empty());
    success.setNoPosition(new shared.Empty());
  } else {
    success.setCurrentRevision(String(result.revision));
    const position = new streams.AppendResp.Position();
    position.setCommitPosition(result.position.toString());
    position.setPreparePosition(result.position.toString());
    success.setPosition(position);
  }
  const response = new streams.AppendResp();
  response.setSuccess(success);
  return response;
}

function wrongVersionResponse(error: WrongExpectedRevision, sentRevision: bigint | undefined): streams.AppendResp {
  const wrong = new streams.AppendResp.WrongExpectedVersion();
  if (error.actual < 0) wrong.setCurrentNoStream(new shared.Empty());
  else wrong.setCurrentRevision(String(error.actual));
  if (error.expected === 'any') wrong.setExpectedAny(new shared.Empty());
  else if (error.expected === 'stream_exists') wrong.setExpectedStreamExists(new shared.Empty());
  else if (error.expected === 'no_stream') wrong.setExpectedNoStream(new shared.Empty());
  else wrong.setExpectedRevision(String(sentRevision ?? error.expected));
  const response = new streams.AppendResp();
  response.setWrongExpectedVersion(wrong);
  return response;
}
