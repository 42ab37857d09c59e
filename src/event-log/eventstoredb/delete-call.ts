// Delete and Tombstone, each tried again until the server has answered.

import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, Metadata, ServiceError } from '@grpc/grpc-js';
import { type ExpectedRevision, LogUnavailable, StreamDeleted } from '../event-log.js';
import { BackOff } from './back-off.js';
import type { Connection, StreamsClient } from './connection.js';
import { toLogError } from './errors.js';
import { streamIdentifier } from './read/read-request.js';
import type { EventStoreDbSettings } from './settings.js';

export interface DeleteContext {
  readonly connection: Connection;
  readonly settings: EventStoreDbSettings;
  readonly closed: AbortSignal;
  readonly head: () => Promise<bigint>;
}

interface Positioned {
  getPosition(): { getCommitPosition(): string } | undefined;
}
type Answer = (error: ServiceError | null, response: Positioned | undefined) => void;

function expect(
  options: streams.DeleteReq.Options | streams.TombstoneReq.Options,
  stream: string,
  expected: ExpectedRevision,
): void {
  options.setStreamIdentifier(streamIdentifier(stream));
  if (expected === 'any') options.setAny(new shared.Empty());
  else if (expected === 'no_stream') options.setNoStream(new shared.Empty());
  else if (expected === 'stream_exists') options.setStreamExists(new shared.Empty());
  else options.setRevision(String(expected));
}

export function deleteStream(context: DeleteContext, stream: string, expected: ExpectedRevision): Promise<bigint> {
  const options = new streams.DeleteReq.Options();
  expect(options, stream, expected);
  const request = new streams.DeleteReq();
  request.setOptions(options);
  return untilAnswered(context, { stream, expected }, (client, metadata, callOptions, answer) =>
    client.delete(request, metadata, callOptions, answer),
  );
}

export async function tombstoneStream(
  context: DeleteContext,
  stream: string,
  expected: ExpectedRevision,
): Promise<bigint> {
  const options = new streams.TombstoneReq.Options();
  expect(options, stream, expected);
  const request = new streams.TombstoneReq();
  request.setOptions(options);
  return untilAnswered(context, { stream, expected }, (client, metadata, callOptions, answer) =>
    client.tombstone(request, metadata, callOptions, answer),
  );
}

async function untilAnswered(
  context: DeleteContext,
  subject: { readonly stream: string; readonly expected: ExpectedRevision },
  call: (client: StreamsClient, metadata: Metadata, options: CallOptions, answer: Answer) => void,
): Promise<bigint> {
  const { connection, settings, closed } = context;
  const startedAt = Date.now();
  const backOff = new BackOff(settings);
  for (let tries = 1; ; tries++) {
    let client: StreamsClient | undefined;
    try {
      client = await connection.streams();
      return await once(client, (connected, answer) => {
        call(connected, ...connection.arguments(settings.attemptTimeoutMs), answer);
      });
    } catch (thrown) {
      const error = toLogError(thrown, subject);
      // A tombstone whose answer got lost stands now; its position is no longer to be had, the head is not before it.
      if (tries > 1 && error instanceof StreamDeleted) return context.head();
      if (client && error instanceof LogUnavailable) await connection.gaveUp(client, thrown);
      if (!error.retryable || closed.aborted || Date.now() - startedAt >= settings.giveUpAfterMs) throw error;
      await backOff.pause(closed);
    }
  }
}

function once(client: StreamsClient, call: (client: StreamsClient, answer: Answer) => void): Promise<bigint> {
  return new Promise((resolve, reject) => {
    call(client, (error, response) => {
      if (error) reject(error);
      else resolve(BigInt(response?.getPosition()?.getCommitPosition() ?? 0));
    });
  });
}
