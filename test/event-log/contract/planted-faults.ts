// One fault per rule of the contract: a wrapper around a sound log that breaks just that rule, as a careless adapter
// would. The rule's check must notice.
import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  AppendTooLarge,
  type EventLog,
  EventLogError,
  type ExpectedRevision,
  type LogEvent,
  LogUnavailable,
  type NewEvent,
  StreamDeleted,
  type SubscriptionPage,
  WrongExpectedRevision,
} from '../../../src/event-log/event-log.js';

export type Fault = (log: EventLog) => Partial<EventLog>;

type Pages = AsyncIterable<readonly LogEvent[]>;
type Append = EventLog['append'];

async function* mapPages(pages: Pages, change: (events: readonly LogEvent[]) => readonly LogEvent[]): Pages {
  for await (const page of pages) {
    const changed = change(page);
    if (changed.length > 0) yield changed;
  }
}

async function* mapSubscription(
  pages: AsyncIterable<SubscriptionPage>,
  change: (page: SubscriptionPage) => readonly SubscriptionPage[],
): AsyncIterable<SubscriptionPage> {
  for await (const page of pages) yield* change(page);
}

function withNewIds(events: readonly NewEvent[]): NewEvent[] {
  return events.map((event) => ({ ...event, id: randomUUID() }));
}

/** Breaks append by changing what it is asked. */
function appending(
  change: (stream: string, events: readonly NewEvent[], expected: ExpectedRevision) => Parameters<Append>,
): Fault {
  return (log) => ({ append: (...asked) => log.append(...change(...asked)) });
}

/** Breaks append by changing what it answers, success or refusal. */
function answering(change: (result: AppendResult) => AppendResult): Fault {
  return (log) => ({ append: async (...asked) => change(await log.append(...asked)) });
}

function refusing(change: (error: unknown) => unknown): Fault {
  return (log) => ({
    append: async (...asked) => {
      try {
        return await log.append(...asked);
      } catch (error) {
        throw change(error);
      }
    },
  });
}

/** Repeats are new events: only an expected revision that is past is let through to the sound log. */
const forgetsIds: Fault = appending((stream, events, expected) => [stream, withNewIds(events), expected]);

/** Calls that were refused for their revision are tried again without one. */
function insisting(when: (expected: ExpectedRevision) => boolean): Fault {
  return (log) => ({
    append: async (stream, events, expected) => {
      try {
        return await log.append(stream, events, expected);
      } catch (error) {
        if (error instanceof WrongExpectedRevision && when(expected))
          return log.append(stream, withNewIds(events), 'any');
        throw error;
      }
    },
  });
}

const revealsHidden: Fault = (log) => ({
  readStream: async function* (stream, options = {}) {
    const events: LogEvent[] = [];
    for await (const page of log.readAll()) events.push(...page.filter((event) => event.stream === stream));
    if (options.direction === 'backwards') events.reverse();
    if (events.length > 0) yield events.slice(0, options.limit);
  },
});

const deletesNothing: Fault = (log) => ({ deleteStream: async () => (await log.head()) || 1n });

const losesMetadata: Fault = (log) => ({
  setStreamMetadata: (stream, _, expected) => log.setStreamMetadata(stream, {}, expected),
});

export const faults: Readonly<Record<string, Fault>> = {
  'numbers the events of a stream from 0 and answers with the last number and its position': answering((result) => ({
    ...result,
    revision: result.revision + 1,
  })),
  'takes an exact revision only when it is the actual one, and names the actual one otherwise': refusing((error) =>
    error instanceof WrongExpectedRevision ? new WrongExpectedRevision(error.stream, error.expected, -1) : error,
  ),
  'takes no_stream only for a stream without events': insisting((expected) => expected === 'no_stream'),
  'takes stream_exists for a stream with events or with metadata alone, and for no other': insisting(
    (expected) => expected === 'stream_exists',
  ),
  'takes any, whether the stream exists or not': appending((stream, events, expected) => [
    stream,
    events,
    expected === 'any' ? 'stream_exists' : expected,
  ]),
  'writes nothing of a refused append': (log) => ({
    append: async (stream, events, expected) => {
      try {
        return await log.append(stream, events, expected);
      } catch (error) {
        await log.append(stream, events.slice(0, 1), 'any');
        throw error;
      }
    },
  }),
  'keeps the events of one append together and in order, however many write at once': (log) => ({
    append: async (stream, events, expected) => {
      if (expected !== 'any') return log.append(stream, events, expected);
      let result: AppendResult = { revision: -1, position: 0n };
      for (const event of events) result = await log.append(stream, [event], 'any');
      return result;
    },
  }),
  'takes an append without events: nothing is written, the expected revision still counts': (log) => ({
    append: async (stream, events, expected) =>
      events.length === 0 ? { revision: -1, position: 0n } : log.append(stream, events, expected),
  }),
  'appends to many streams in one call and answers in the order asked': (log) => ({
    appendMany: async (appends) => (await log.appendMany(appends)).toReversed(),
  }),
  'where all appends of one call are one commit, a refused one takes the others with it': (log) => ({
    appendMany: (appends) => Promise.all(appends.map((one) => log.append(one.stream, one.events, one.expected))),
  }),
  'gives back what it was given: id, type, content type, data and metadata, JSON and bytes': appending(
    (stream, events, expected) => [
      stream,
      events.map((event) => ({ ...event, data: Buffer.from(Buffer.from(event.data).toString('utf8')) })),
      expected,
    ],
  ),
  'takes an append at the size limit and refuses one a byte over it': (log) => ({
    append: async (stream, events, expected) => {
      const bytes = events.reduce((sum, event) => sum + event.data.byteLength, 0);
      if (bytes > 200_000) throw new AppendTooLarge(200_000, bytes);
      return log.append(stream, events, expected);
    },
  }),
  'refuses at once what can be no append, and the appends beside it are written all the same': refusing((error) =>
    error instanceof EventLogError && error.code === 'invalid-append' ? new LogUnavailable(error.message) : error,
  ),
  'lets exactly one of many writers have a revision': insisting((expected) => typeof expected === 'number'),
  'answers a repeated append with an expected revision as it did the first time, and writes nothing': forgetsIds,
  'refuses another first event at a revision that is past': insisting((expected) => expected === 0),
  'refuses an append whose later events are not the ones that stand there': (log) => ({
    append: (stream, events, expected) =>
      log.append(stream, events, expected).catch((error: unknown) => {
        if (!(error instanceof WrongExpectedRevision)) throw error;
        return log.append(stream, events.slice(0, 1), expected);
      }),
  }),
  'answers a repeated append without an expected revision as it did the first time': appending(
    (stream, events, expected) => [stream, typeof expected === 'string' ? withNewIds(events) : events, expected],
  ),
  'refuses an append without an expected revision that is known only in part': insisting(
    (expected) => expected === 'any',
  ),
  'takes the same id in another stream for another event': (log) => {
    const known = new Map<string, AppendResult>();
    return {
      append: async (stream, events, expected) => {
        const key = events.map((event) => event.id).join();
        const result = known.get(key) ?? (await log.append(stream, events, expected));
        known.set(key, result);
        return result;
      },
    };
  },
  'writes one event for many writers that send the same one at once': forgetsIds,
  'remembers across a restart what stands at a revision': forgetsIds,
  'reads a stream forwards from any revision, that one included, up to a limit': (log) => ({
    readStream: (stream, options) =>
      log.readStream(stream, options?.from === undefined ? options : { ...options, from: options.from + 1 }),
  }),
  'reads a stream backwards from any revision, that one included, up to a limit': (log) => ({
    readStream: (stream, options) =>
      log.readStream(stream, options?.from === undefined ? options : { ...options, from: options.from - 1 }),
  }),
  'reads a stream longer than any page whole, both ways': (log) => ({
    readStream: async function* (stream, options) {
      for await (const page of log.readStream(stream, options)) {
        yield page;
        return;
      }
    },
  }),
  'gives no page for a stream that does not exist': (log) => ({
    readStream: async function* (stream, options) {
      let pages = 0;
      for await (const page of log.readStream(stream, options)) {
        pages += 1;
        yield page;
      }
      if (pages === 0) yield [];
    },
  }),
  'reads everything in the order it was written, from after any position, up to a limit': (log) => ({
    readAll: (options = {}) =>
      log.readAll(options.after === undefined ? options : { ...options, after: options.after - 1n }),
  }),
  'reads everything backwards, from before any position, up to a limit': (log) => ({
    readAll: (options = {}) =>
      log.readAll(
        options.direction === 'backwards' && options.after ? { ...options, after: options.after + 1n } : options,
      ),
  }),
  'leaves system events out of what it reads of everything': (log) => ({
    readAll: (options) =>
      mapPages(log.readAll(options), (events) => events.flatMap((event) => [event, { ...event, type: '$metadata' }])),
  }),
  'ends a read at the end as it was when the read began, however fast others write': (log) => ({
    readStream: async function* (stream, options = {}) {
      let from = options.from ?? 0;
      for (;;) {
        const before = from;
        for await (const page of log.readStream(stream, {
          ...options,
          ...(options.direction !== 'backwards' && { from }),
        })) {
          yield page;
          from += page.length;
        }
        if (from === before || options.direction === 'backwards') return;
      }
    },
  }),
  'fails a read whose signal aborts, so that a part is never taken for the whole': (log) => ({
    readStream: async function* (stream, options) {
      try {
        yield* log.readStream(stream, options);
      } catch {}
    },
  }),
  'orders positions totally and keeps the head at the last of them': (log) => ({
    head: async () => (await log.head()) - 1n,
  }),
  'has everything after a restart as it was before it: events, positions, id, head': () => {
    const id = randomUUID();
    return { id: async () => id };
  },
  'gives everything after a position, then what is appended, in order and once': (log) => ({
    subscribeAll: (options) => {
      let live = false;
      return mapSubscription(log.subscribeAll(options), (page) => {
        live ||= page.kind === 'caught-up';
        return live && page.kind === 'events' ? [page, page] : [page];
      });
    },
  }),
  'begins at the start when no position is given': (log) => ({
    subscribeAll: async function* (options) {
      yield* log.subscribeAll({ ...options, after: await log.head() });
    },
  }),
  'says each time that it has caught up with the head, and up to where': (log) => ({
    subscribeAll: (options) => {
      let marks = 0;
      return mapSubscription(log.subscribeAll(options), (page) => {
        if (page.kind === 'caught-up') marks += 1;
        return page.kind === 'caught-up' && marks > 1 ? [] : [page];
      });
    },
  }),
  'leaves system events out of a subscription to everything': (log) => ({
    subscribeAll: (options) =>
      mapSubscription(log.subscribeAll(options), (page) =>
        page.kind === 'events'
          ? [{ kind: 'events', events: page.events.flatMap((event) => [event, { ...event, type: '$metadata' }]) }]
          : [page],
      ),
  }),
  'waits for a slow consumer: it gets every event, in order, while others write': (log) => ({
    // A buffer that drops what does not fit.
    subscribeAll: (options) =>
      mapSubscription(log.subscribeAll(options), (page) =>
        page.kind === 'events' ? [{ kind: 'events', events: page.events.slice(0, 40) }] : [page],
      ),
  }),
  'ends when its signal aborts, also while it waits': (log) => ({
    subscribeAll: async function* (options) {
      yield* log.subscribeAll(options);
      await new Promise(() => {});
    },
  }),
  'follows one stream from after a revision, then live': (log) => ({
    subscribeStream: (stream, options) =>
      log.subscribeStream(stream, options.after === undefined ? options : { ...options, after: options.after - 1 }),
  }),
  'waits for a stream that does not exist yet': (log) => ({
    subscribeStream: async function* (stream, options) {
      let events = 0;
      for await (const page of log.subscribeStream(stream, options)) {
        yield page;
        events += page.kind === 'events' ? page.events.length : 0;
        if (page.kind === 'caught-up' && events === 0) throw new Error(`${stream} not found`);
      }
    },
  }),
  'fails a subscription to a stream that is tombstoned': (log) => ({
    subscribeStream: async function* (stream, options) {
      try {
        yield* log.subscribeStream(stream, options);
      } catch (error) {
        if (!(error instanceof StreamDeleted)) throw error;
      }
    },
  }),
  'keeps the metadata of a stream and replaces it whole': (log) => ({
    setStreamMetadata: async (stream, metadata, expected) =>
      log.setStreamMetadata(stream, { ...(await log.getStreamMetadata(stream)), ...metadata }, expected),
  }),
  'checks the expected revision of metadata, and shows only its newest version': (log) => ({
    setStreamMetadata: (stream, metadata) => log.setStreamMetadata(stream, metadata, 'any'),
  }),
  'shows only the last events of a stream with a max count': losesMetadata,
  'hides the events before the truncation mark': losesMetadata,
  'hides the events over the max age, as soon as they are': losesMetadata,
  'hides nothing from what it reads of everything': (log) => ({
    readAll: (options) => mapPages(log.readAll(options), (events) => events.filter((event) => event.revision >= 3)),
  }),
  'gives a subscription to a stream only what is visible': losesMetadata,
  'soft-deletes: nothing is read, an append revives the stream and goes on counting': revealsHidden,
  'revives a soft-deleted stream with the truncation mark at its first new event and all else as it was':
    deletesNothing,
  'soft-deletes only what exists, at the expected revision': deletesNothing,
  'refuses stream_exists for a soft-deleted stream': (log) => ({
    append: (stream, events, expected) => log.append(stream, events, expected === 'stream_exists' ? 'any' : expected),
  }),
  'tombstones for ever: no append, no read, no metadata, no second delete': (log) => ({
    tombstoneStream: (stream, expected) => log.deleteStream(stream, expected),
  }),
  'tombstones a stream that never was': (log) => ({
    tombstoneStream: (stream, expected) => log.deleteStream(stream, expected),
  }),
  'remembers metadata, soft deletes and tombstones across a restart': losesMetadata,
};
