// The requests of Streams/Read. Links are never resolved: a link is an event like any other.
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';

/** More than any stream has; what the official client sends for "all". */
const countMax = Number.MAX_SAFE_INTEGER;

export interface StreamRange {
  readonly stream: string;
  readonly direction: 'forwards' | 'backwards';
  /** Inclusive; undefined: the start, or backwards the end. */
  readonly from?: number | undefined;
  readonly limit?: number | undefined;
}

export interface AllRange {
  readonly direction: 'forwards' | 'backwards';
  /** Forwards inclusive, backwards exclusive; undefined: the start, or backwards the end. */
  readonly from?: bigint | undefined;
  readonly limit?: number | undefined;
}

export function streamIdentifier(stream: string): shared.StreamIdentifier {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(new Uint8Array(Buffer.from(stream, 'utf8')));
  return identifier;
}

function options(): streams.ReadReq.Options {
  const ids = new streams.ReadReq.Options.UUIDOption();
  ids.setString(new shared.Empty());
  const result = new streams.ReadReq.Options();
  result.setUuidOption(ids);
  result.setNoFilter(new shared.Empty());
  return result;
}

function request(result: streams.ReadReq.Options): streams.ReadReq {
  const read = new streams.ReadReq();
  read.setOptions(result);
  return read;
}

function streamTarget(stream: string, from: number | undefined, atEnd: boolean): streams.ReadReq.Options.StreamOptions {
  const target = new streams.ReadReq.Options.StreamOptions();
  target.setStreamIdentifier(streamIdentifier(stream));
  if (from !== undefined) target.setRevision(String(from));
  else if (atEnd) target.setEnd(new shared.Empty());
  else target.setStart(new shared.Empty());
  return target;
}

function allTarget(from: bigint | undefined, atEnd: boolean): streams.ReadReq.Options.AllOptions {
  const target = new streams.ReadReq.Options.AllOptions();
  if (from !== undefined) {
    const position = new streams.ReadReq.Options.Position();
    position.setCommitPosition(from.toString());
    position.setPreparePosition(from.toString());
    target.setPosition(position);
  } else if (atEnd) target.setEnd(new shared.Empty());
  else target.setStart(new shared.Empty());
  return target;
}

function bounded(result: streams.ReadReq.Options, range: Pick<AllRange, 'direction' | 'limit'>): streams.ReadReq {
  const { FORWARDS, BACKWARDS } = streams.ReadReq.Options.ReadDirection;
  result.setReadDirection(range.direction === 'forwards' ? FORWARDS : BACKWARDS);
  result.setCount(String(Math.min(range.limit ?? countMax, countMax)));
  return request(result);
}

export function readStreamRequest(range: StreamRange): streams.ReadReq {
  const result = options();
  result.setStream(streamTarget(range.stream, range.from, range.direction === 'backwards'));
  return bounded(result, range);
}

export function readAllRequest(range: AllRange): streams.ReadReq {
  const result = options();
  result.setAll(allTarget(range.from, range.direction === 'backwards'));
  return bounded(result, range);
}

/** Everything after a revision, for ever. */
export function subscribeStreamRequest(stream: string, after: number | undefined): streams.ReadReq {
  const result = options();
  result.setStream(streamTarget(stream, after, false));
  result.setSubscription(new streams.ReadReq.Options.SubscriptionOptions());
  return request(result);
}

/** Everything after a position, for ever, unfiltered: each event's own position then says how far was considered. */
export function subscribeAllRequest(after: bigint | undefined): streams.ReadReq {
  const result = options();
  result.setAll(allTarget(after, false));
  result.setSubscription(new streams.ReadReq.Options.SubscriptionOptions());
  return request(result);
}
