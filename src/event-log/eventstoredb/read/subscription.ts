// Subscriptions that come back by themselves: whatever ends a call, the next one begins after the last event that was
// considered, and an event that is not beyond it is never handed out again.
import { type LogEvent, LogUnavailable, type SubscriptionPage } from '../../event-log.js';
import { BackOff } from '../back-off.js';
import type { Connection } from '../connection.js';
import { toLogError } from '../errors.js';
import type { EventStoreDbSettings } from '../settings.js';
import { AnswerStream } from './answer-stream.js';
import type { ReadAnswer } from './read-answer.js';
import { subscribeAllRequest, subscribeStreamRequest } from './read-request.js';

/** Where a subscription stands: numbers that only grow, positions of `$all` or revisions of a stream. */
interface Course {
  readonly subject: string;
  readonly request: () => ReturnType<typeof subscribeAllRequest>;
  /** Marks the event as considered; false when it was before. */
  readonly advance: (event: LogEvent) => boolean;
  /** Whether the server has something beyond; asked when nothing came for long. */
  readonly isBehind: () => Promise<boolean>;
  readonly wanted: (event: LogEvent) => boolean;
  /** A position that is certainly considered once the first call has caught up. */
  readonly startingAt: () => Promise<bigint>;
}

export interface SubscriptionOptions {
  readonly connection: Connection;
  readonly settings: EventStoreDbSettings;
  /** Aborted when the adapter is closed. */
  readonly closed: AbortSignal;
  /** The last event of a stream, or of the whole log, as the server sees it now. */
  readonly lastOf: (stream: string | undefined) => Promise<LogEvent | undefined>;
}

export function subscribeAll(
  options: SubscriptionOptions,
  after: bigint | undefined,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionPage> {
  let considered = after !== undefined && after > 0n ? after : undefined;
  return follow(options, signal, {
    subject: '$all',
    request: () => subscribeAllRequest(considered),
    advance: (event) => {
      if (considered !== undefined && event.position <= considered) return false;
      considered = event.position;
      return true;
    },
    isBehind: async () => ((await options.lastOf(undefined))?.position ?? 0n) > (considered ?? 0n),
    wanted: (event) => !event.type.startsWith('$'),
    startingAt: async () => considered ?? 0n,
  });
}

export function subscribeStream(
  options: SubscriptionOptions,
  stream: string,
  after: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionPage> {
  let considered = after ?? -1;
  return follow(options, signal, {
    subject: stream,
    request: () => subscribeStreamRequest(stream, considered < 0 ? undefined : considered),
    advance: (event) => {
      if (event.revision <= considered) return false;
      considered = event.revision;
      return true;
    },
    isBehind: async () => ((await options.lastOf(stream))?.revision ?? -1) > considered,
    wanted: () => true,
    startingAt: async () => (await options.lastOf(undefined))?.position ?? 0n,
  });
}

async function* follow(
  options: SubscriptionOptions,
  signal: AbortSignal,
  course: Course,
): AsyncGenerator<SubscriptionPage> {
  const backOff = new BackOff(options.settings);
  const either = AbortSignal.any([signal, options.closed]);
  let position: bigint | undefined;
  while (!either.aborted) {
    try {
      position ??= await course.startingAt();
      for await (const page of oneCall(options, either, course, position)) {
        position = page.kind === 'caught-up' ? page.position : (page.events.at(-1)?.position ?? position);
        backOff.reset();
        yield page;
        if (either.aborted) break;
      }
    } catch (thrown) {
      if (either.aborted) break;
      const error = toLogError(thrown, { stream: course.subject });
      if (!error.retryable) throw error;
      await backOff.pause(either);
    }
  }
  if (!signal.aborted) throw new LogUnavailable(`${course.subject}: the event log was closed`);
}

/** One call, until it fails, is taken for stalled or is not wanted any more. */
async function* oneCall(
  options: SubscriptionOptions,
  signal: AbortSignal,
  course: Course,
  positionBefore: bigint,
): AsyncGenerator<SubscriptionPage> {
  const client = await options.connection.streams();
  const call = new AnswerStream(options.connection, client, course.request());
  const stop = () => call.cancel();
  signal.addEventListener('abort', stop, { once: true });
  let position = positionBefore;
  let live = false;
  let confirmed = false;
  try {
    while (!signal.aborted) {
      const { attemptTimeoutMs, idleCheckMs } = options.settings;
      const answers = await call.next(confirmed ? idleCheckMs : attemptTimeoutMs);
      if (answers === undefined) throw new LogUnavailable(`${course.subject}: the server ended the subscription`);
      if (answers.length === 0) {
        if (!confirmed || (await course.isBehind())) {
          // Something may have come while that was asked.
          if (!call.hasMore) throw new LogUnavailable(`${course.subject}: the subscription has stalled`);
        }
        continue;
      }
      confirmed = true;
      for (const page of pagesOf(answers, course)) {
        if (page.caughtUp) live = true;
        position = page.last ?? position;
        if (page.events.length > 0) yield { kind: 'events', events: page.events };
        if (page.caughtUp) yield { kind: 'caught-up', position };
      }
      // Once live, an empty buffer means that everything the server sent has been handed out.
      if (live && !call.hasMore && answers.at(-1)?.kind === 'event') yield { kind: 'caught-up', position };
    }
  } catch (error) {
    if (!signal.aborted) await options.connection.gaveUp(client, error);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    call.cancel();
  }
}

interface Stretch {
  readonly events: readonly LogEvent[];
  /** Position of the last event considered, wanted or not. */
  readonly last: bigint | undefined;
  readonly caughtUp: boolean;
}

/** The answers cut at each caught-up mark. */
function* pagesOf(answers: readonly ReadAnswer[], course: Course): Generator<Stretch> {
  let events: LogEvent[] = [];
  let last: bigint | undefined;
  for (const answer of answers) {
    if (answer.kind === 'event') {
      if (!course.advance(answer.event)) continue;
      last = answer.event.position;
      if (course.wanted(answer.event)) events.push(answer.event);
    } else if (answer.kind === 'caught-up') {
      yield { events, last, caughtUp: true };
      events = [];
      last = undefined;
    }
  }
  if (events.length > 0 || last !== undefined) yield { events, last, caughtUp: false };
}
