// Catch-up subscriptions: one loop pulls the log's pages and never has a second, live path, so that nothing can be
// skipped, repeated or reordered between the two, and no consumer can be too slow for it.
import type streams from '@eventstore/db-client/generated/streams_pb.js';
import { StreamDeleted } from '../../event-log.js';
import { streamNameOf } from '../request-fields.js';
import type { EventFilter } from './event-filter.js';
import { type ReadContext, sendEvent, sendEvents } from './read-context.js';
import { caughtUpResponse, checkpointResponse, confirmationResponse } from './read-response.js';

/** Starts are exclusive: after a revision. */
export async function subscribeToStream(
  context: ReadContext,
  target: streams.ReadReq.Options.StreamOptions,
): Promise<void> {
  const { log, writer } = context;
  const stream = streamNameOf(target.getStreamIdentifier()?.getStreamName_asU8());
  const info = log.streamInfo(stream);
  if (info.status === 'tombstoned') throw new StreamDeleted(stream);
  const after = target.hasRevision() ? Number(target.getRevision()) : target.hasEnd() ? info.lastRevision : -1;
  await writer.write(confirmationResponse(writer.subscriptionId));
  let caughtUp = false;
  try {
    const start = after >= 0 ? { after } : {};
    for await (const page of log.subscribeStream(stream, { ...start, signal: writer.signal })) {
      if (page.kind === 'events') await sendEvents(context, page.events);
      else if (!caughtUp) {
        caughtUp = true;
        await writer.write(caughtUpResponse());
      }
      if (writer.signal.aborted) return;
    }
  } catch (error) {
    // Whoever watched the stream end sees its last event, then the failure.
    const last = error instanceof StreamDeleted ? log.tombstone(stream) : undefined;
    if (last) await sendEvent(context, last);
    throw error;
  }
}

/** Starts are exclusive: after a position. */
export async function subscribeToAll(
  context: ReadContext,
  target: streams.ReadReq.Options.AllOptions,
  filter: EventFilter | undefined,
): Promise<void> {
  const { log, writer } = context;
  const position = target.getPosition();
  const after = position ? BigInt(position.getCommitPosition()) : target.hasEnd() ? await log.head() : undefined;
  await writer.write(confirmationResponse(writer.subscriptionId));
  const checkpoints = filter && new Checkpoints(context, filter.checkpointInterval);
  let caughtUp = false;
  const start = after === undefined ? {} : { after };
  for await (const page of log.subscribeEverything({ ...start, signal: writer.signal })) {
    if (page.kind === 'events') {
      for (const event of page.events) {
        const full = !filter || filter.accepts(event) ? sendEvent(context, event) : undefined;
        if (full) await full;
        if (writer.signal.aborted) return;
        if (checkpoints?.considered(event.position)) await checkpoints.send();
      }
    } else if (!caughtUp) {
      caughtUp = true;
      // Beside the interval: the counting goes on.
      await checkpoints?.send();
      await writer.write(caughtUpResponse());
    }
    if (writer.signal.aborted) return;
  }
}

/** A checkpoint each time so many events were considered, and one when catching up ends; never twice the same. */
class Checkpoints {
  private sinceLast = 0;
  private lastConsidered = 0n;
  private lastSent = 0n;

  constructor(
    private readonly context: ReadContext,
    private readonly interval: number,
  ) {}

  /** True when one is due. */
  considered(position: bigint): boolean {
    this.lastConsidered = position;
    this.sinceLast += 1;
    if (this.sinceLast < this.interval) return false;
    this.sinceLast = 0;
    return true;
  }

  async send(): Promise<void> {
    if (this.lastConsidered === this.lastSent) return;
    this.lastSent = this.lastConsidered;
    await this.context.writer.write(checkpointResponse(this.lastConsidered));
  }
}
