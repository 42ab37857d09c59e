// Streams/Read: which of its six forms a request asks for, and the four that end by themselves.
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type { StreamInfo } from '../../embedded/reading/stream-reader.js';
import { StreamDeleted } from '../../event-log.js';
import { invalidArgument } from '../exceptions.js';
import { streamNameOf } from '../request-fields.js';
import type { ServedLog } from '../served-log.js';
import { type EventFilter, readFilter } from './event-filter.js';
import { type ReadContext, sendEvents } from './read-context.js';
import { firstStreamPositionResponse, lastStreamPositionResponse, streamNotFoundResponse } from './read-response.js';
import type { ResponseWriter } from './response-writer.js';
import { subscribeToAll, subscribeToStream } from './subscriptions.js';

type Options = streams.ReadReq.Options;

export async function handleRead(log: ServedLog, writer: ResponseWriter, request: streams.ReadReq): Promise<void> {
  try {
    await answer(log, writer, request.getOptions());
    writer.end();
  } catch (error) {
    writer.fail(error);
  }
}

async function answer(log: ServedLog, writer: ResponseWriter, options: Options | undefined): Promise<void> {
  if (!options) throw invalidArgument('Required field Options not set.');
  const context: ReadContext = {
    log,
    writer,
    idFormat: options.getUuidOption()?.hasString() ? 'string' : 'structured',
    resolveLinks: options.getResolveLinks(),
  };
  const stream = options.getStream();
  const all = options.getAll();
  if (options.hasSubscription()) {
    if (options.getReadDirection() !== 0) throw invalidArgument('a subscription reads forwards');
    if (stream) return subscribeToStream(context, stream);
    if (all) return subscribeToAll(context, all, subscriptionFilterOf(options));
  } else if (options.hasCount()) {
    if (stream) return readStream(context, stream, options);
    if (all) return readAll(context, all, options);
  }
  throw invalidArgument('a read needs a stream or $all, and a count or a subscription');
}

function subscriptionFilterOf(options: Options): EventFilter | undefined {
  if (options.getFilter()?.getCheckpointintervalmultiplier() === 0) {
    throw invalidArgument('the checkpoint interval multiplier of a filter must be greater than 0');
  }
  return filterOf(options);
}

function filterOf(options: Options): EventFilter | undefined {
  const filter = options.getFilter();
  return filter && readFilter(filter);
}

async function readStream(
  context: ReadContext,
  target: streams.ReadReq.Options.StreamOptions,
  options: Options,
): Promise<void> {
  const { log, writer } = context;
  const stream = streamNameOf(target.getStreamIdentifier()?.getStreamName_asU8());
  const limit = Number(options.getCount());
  if (limit === 0) throw invalidArgument('the count of a read must be greater than 0');
  const info = log.streamInfo(stream);
  if (info.status === 'tombstoned') throw new StreamDeleted(stream);
  if (info.status !== 'live') {
    await writer.write(streamNotFoundResponse(stream));
    return;
  }
  const forwards = options.getReadDirection() === 0;
  const from = target.hasRevision() ? Number(target.getRevision()) : target.hasEnd() ? undefined : 0;
  const compatible = (options.getControlOption()?.getCompatibility() ?? 0) >= 1;
  if (compatible && forwards && from !== undefined) {
    const first = firstStreamPosition(from, limit, info);
    if (first !== undefined) await writer.write(firstStreamPositionResponse(first));
  }
  // Forwards from the end there is nothing; backwards it is where reading begins.
  if (!(forwards && from === undefined)) {
    const direction = forwards ? 'forwards' : 'backwards';
    const pages = log.readStream(stream, {
      direction,
      limit,
      signal: writer.signal,
      ...(from !== undefined && { from }),
    });
    for await (const events of pages) {
      await sendEvents(context, events);
      if (writer.signal.aborted) return;
    }
  }
  if (compatible) await writer.write(lastStreamPositionResponse(info.lastRevision));
}

/** The real server reads in pages of this many events. */
const pageEvents = 32;

/** Where reading goes on when the first page of the real server is empty: at what is not truncated, or after the end. */
export function firstStreamPosition(
  from: number,
  limit: number,
  { firstRevision, lastRevision }: Pick<StreamInfo, 'firstRevision' | 'lastRevision'>,
): number | undefined {
  const isBeforeFirst = from + Math.min(limit, pageEvents) - 1 < firstRevision;
  const isPastLast = from > lastRevision || firstRevision > lastRevision;
  const next = isBeforeFirst ? firstRevision : isPastLast ? lastRevision + 1 : from;
  return next === from ? undefined : next;
}

async function readAll(
  context: ReadContext,
  target: streams.ReadReq.Options.AllOptions,
  options: Options,
): Promise<void> {
  const { log, writer } = context;
  const forwards = options.getReadDirection() === 0;
  const filter = filterOf(options);
  let left = Number(options.getCount());
  // Forwards from the end, and backwards from the start, there is nothing.
  if (left === 0 || (forwards ? target.hasEnd() : target.hasStart())) return;
  const position = target.getPosition();
  const pages = log.readEverything({
    direction: forwards ? 'forwards' : 'backwards',
    signal: writer.signal,
    ...(position && { from: BigInt(position.getCommitPosition()) }),
    ...(!filter && { limit: left }),
  });
  for await (const page of pages) {
    const events = filter ? page.filter(filter.accepts).slice(0, left) : page;
    await sendEvents(context, events);
    left -= events.length;
    if (left <= 0 || writer.signal.aborted) return;
  }
}
