// Delete and Tombstone, each tried again until the server has answered. Neither carries an id by which the server would know
// it again, so before another try the stream is looked at: it may have been deleted, and even written to since.
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { CallOptions, Metadata, ServiceError } from '@grpc/grpc-js';
import { type ExpectedRevision, type LogEvent, StreamDeleted } from '../event-log.js';
import { metastreamOf, retentionOf } from '../stream-metadata.js';
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
  readonly lastOf: (stream: string) => Promise<LogEvent | undefined>;
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

export async function deleteStream(
  context: DeleteContext,
  stream: string,
  expected: ExpectedRevision,
): Promise<bigint> {
  const options = new streams.DeleteReq.Options();
  expect(options, stream, expected);
  const request = new streams.DeleteReq();
  request.setOptions(options);
  const before = await standing(context, stream);
  return untilAnswered(context, {
    subject: { stream, expected },
    call: (client, metadata, callOptions, answer) => client.delete(request, metadata, callOptions, answer),
    written: () => deletedSince(context, stream, before),
    isForEver: false,
  });
}

/**
 * The last revisions of a stream and of its metadata; undefined when they may not be read.
 * @throws StreamDeleted for one that is deleted for ever: a later try could not tell whether it was this call that did it
 */
interface Standing {
  readonly events: number;
  readonly metadata: number;
}

async function standing({ lastOf }: DeleteContext, stream: string): Promise<Standing | undefined> {
  try {
    const [events, metadata] = await Promise.all([lastOf(stream), lastOf(metastreamOf(stream))]);
    return { events: events?.revision ?? -1, metadata: metadata?.revision ?? -1 };
  } catch (error) {
    if (error instanceof StreamDeleted) throw new StreamDeleted(stream);
    if (toLogError(error, { stream }).retryable) throw error;
    return undefined;
  }
}

/** Position of metadata that hides all that was there before; an append since has set it to its own first event. */
async function deletedSince(
  { lastOf }: DeleteContext,
  stream: string,
  before: Standing | undefined,
): Promise<bigint | undefined> {
  const metadata = before && (await lastOf(metastreamOf(stream)));
  if (!metadata || metadata.revision <= before.metadata) return undefined;
  const { softDeleted, truncateBefore = 0 } = retentionOf(metadata);
  return softDeleted || truncateBefore > before.events ? metadata.position : undefined;
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
  await standing(context, stream);
  return untilAnswered(context, {
    subject: { stream, expected },
    call: (client, metadata, callOptions, answer) => client.tombstone(request, metadata, callOptions, answer),
    written: async () => undefined,
    isForEver: true,
  });
}

interface Deletion {
  readonly subject: { readonly stream: string; readonly expected: ExpectedRevision };
  readonly call: (client: StreamsClient, metadata: Metadata, options: CallOptions, answer: Answer) => void;
  /** Position of what a try without an answer has written all the same. */
  readonly written: () => Promise<bigint | undefined>;
  /** A tombstone: when another try finds the stream deleted for ever, the first one did it. */
  readonly isForEver: boolean;
}

async function untilAnswered(context: DeleteContext, { subject, call, written, isForEver }: Deletion): Promise<bigint> {
  const { connection, settings, closed } = context;
  const startedAt = Date.now();
  const backOff = new BackOff(settings);
  for (let tries = 1; ; tries++) {
    let client: StreamsClient | undefined;
    try {
      const position = tries > 1 ? await written() : undefined;
      if (position !== undefined) return position;
      client = await connection.streams();
      return await once(client, (connected, answer) => {
        call(connected, ...connection.arguments(settings.attemptTimeoutMs), answer);
      });
    } catch (thrown) {
      const error = toLogError(thrown, subject);
      // A tombstone whose answer got lost stands now; its position is no longer to be had, the head is not before it.
      if (isForEver && tries > 1 && error instanceof StreamDeleted) return context.head();
      if (client && error.retryable) await connection.gaveUp(client, thrown);
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
