// Catch-up subscriptions with the official client: to a stream and to $all, filters, checkpoints, caught-up, endings.

import { pipeline } from 'node:stream/promises';
import {
  type AllStreamSubscription,
  binaryEvent,
  END,
  type EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  type Position,
  type ResolvedEvent,
  START,
  StreamDeletedError,
  type StreamSubscription,
  streamNameFilter,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, jsonEvents, types } from './client.js';
import { type Served, serveLog } from './serve-log.js';

let served: Served;
let client: EventStoreDBClient;
beforeAll(async () => {
  served = await serveLog();
  client = connect(served.url);
  await client.appendToStream('stream_name_a', jsonEvents(4));
  await client.appendToStream('stream_name_b', jsonEvents(4));
});
afterAll(async () => {
  await client.dispose();
  await served.close();
});

interface Watched {
  readonly events: ResolvedEvent[];
  /** How many events had come at each caught-up mark. */
  readonly caughtUpAfter: number[];
  confirmations: number;
  /** Resolves at the first caught-up mark. */
  readonly live: Promise<void>;
  /** Resolves with the error, or with undefined at a clean end. */
  readonly ended: Promise<unknown>;
}

/** Collects until an event of type `finish` has come, then unsubscribes. */
function watch(subscription: StreamSubscription | AllStreamSubscription, finish = 'finish'): Watched {
  const events: ResolvedEvent[] = [];
  const caughtUpAfter: number[] = [];
  let wentLive: () => void = () => undefined;
  const watched: Watched = {
    events,
    caughtUpAfter,
    confirmations: 0,
    live: new Promise((resolve) => {
      wentLive = resolve;
    }),
    ended: new Promise((resolve) => {
      subscription.once('error', resolve);
      subscription.once('end', () => resolve(undefined));
    }),
  };
  subscription.on('confirmation', () => {
    watched.confirmations += 1;
  });
  subscription.on('caughtUp', () => {
    caughtUpAfter.push(events.length);
    wentLive();
  });
  subscription.on('data', (event: ResolvedEvent) => {
    events.push(event);
    if (event.event?.type === finish) void subscription.unsubscribe();
  });
  return watched;
}

describe('to a stream', () => {
  it.each([
    ['from its start', {}, [0, 1, 2, 3], [4]],
    ['from a revision, which is left out', { fromRevision: 2n }, [3], [1]],
    ['from its end', { fromRevision: END }, [], [0]],
  ] as const)('%s', async (name, options, before, caughtUpAfter) => {
    const stream = `stream ${name}`;
    await client.appendToStream(stream, jsonEvents(4));
    const watched = watch(client.subscribeToStream(stream, options));
    await watched.live;
    await client.appendToStream(stream, [...jsonEvents(3), ...jsonEvents(1, 'finish')]);
    expect(await watched.ended).toBeUndefined();
    expect(watched.events.map(({ event }) => Number(event?.revision))).toEqual([...before, 4, 5, 6, 7]);
    expect(watched.caughtUpAfter).toEqual(caughtUpAfter);
    expect(watched.confirmations).toBe(1);
  });

  it('that is not there yet waits for it', async () => {
    const watched = watch(client.subscribeToStream('to come'));
    await watched.live;
    await client.appendToStream('to come', jsonEvents(1, 'finish'));
    expect(await watched.ended).toBeUndefined();
    expect(types(watched.events)).toEqual(['finish']);
  });

  it('that is tombstoned meanwhile gives the tombstone and fails', async () => {
    await client.appendToStream('ending', jsonEvents(2));
    const watched = watch(client.subscribeToStream('ending'));
    await watched.live;
    await client.tombstoneStream('ending');
    expect(await watched.ended).toBeInstanceOf(StreamDeletedError);
    expect(types(watched.events)).toEqual(['test', 'test', '$streamDeleted']);
    expect(await watch(client.subscribeToStream('ending')).ended).toBeInstanceOf(StreamDeletedError);
  });

  it('resolves links', async () => {
    await client.appendToStream('linked', binaryEvent({ type: '$>', data: Buffer.from('1@stream_name_a') }));
    for await (const { event, link } of client.subscribeToStream('linked', { resolveLinkTos: true })) {
      expect([event?.streamId, event?.revision, link?.streamId]).toEqual(['stream_name_a', 1n, 'linked']);
      break;
    }
  });

  it('can be read as a stream, through a pipeline', async () => {
    await client.appendToStream('piped', [...jsonEvents(8), ...jsonEvents(1, 'finish')]);
    const subscription = client.subscribeToStream('piped');
    const ids: string[] = [];
    await pipeline(subscription, async (events: AsyncIterable<ResolvedEvent>) => {
      for await (const { event } of events) {
        ids.push(event?.id ?? '');
        if (event?.type === 'finish') await subscription.unsubscribe();
      }
    });
    expect(new Set(ids).size).toBe(9);
  });

  it('waits for a consumer that is slower than the writers, and gives it everything in order', async () => {
    await client.appendToStream('slow', jsonEvents(500));
    let writing = Promise.resolve<unknown>(undefined);
    let expected = 0n;
    for await (const { event } of client.subscribeToStream('slow')) {
      expect(event?.revision).toBe(expected++);
      if (expected % 100n === 0n) await new Promise((resolve) => setImmediate(resolve));
      if (expected === 200n) writing = client.appendToStream('slow', [...jsonEvents(500), ...jsonEvents(1, 'finish')]);
      if (event?.type === 'finish') break;
    }
    await writing;
    expect(expected).toBe(1_001n);
  });
});

describe('to $all', () => {
  it('from the start has everything, system events too, and is live once', async () => {
    const watched = watch(client.subscribeToAll(), 'finish from start');
    await watched.live;
    await client.appendToStream('stream_name_a', [...jsonEvents(3), ...jsonEvents(1, 'finish from start')]);
    expect(await watched.ended).toBeUndefined();
    const users = watched.events.filter(({ event }) => !event?.type.startsWith('$'));
    expect(watched.events.length).toBeGreaterThan(users.length);
    expect(users.slice(0, 4).every(({ event }) => event?.streamId === 'stream_name_a')).toBe(true);
    expect(watched.caughtUpAfter).toEqual([watched.events.length - 4]);
    expect(watched.confirmations).toBe(1);
  });

  it('from a position leaves that position out, from the end begins with what comes', async () => {
    const { position } = await client.appendToStream('stream_name_b', jsonEvents(1, 'marker'));
    await client.appendToStream('stream_name_a', jsonEvents(3, 'after'));
    const after = watch(client.subscribeToAll({ fromPosition: position as Position }));
    const end = watch(client.subscribeToAll({ fromPosition: END }));
    await Promise.all([after.live, end.live]);
    await client.appendToStream('stream_name_a', [...jsonEvents(1, 'new'), ...jsonEvents(1, 'finish')]);
    await Promise.all([after.ended, end.ended]);
    expect(types(after.events)).toEqual(['after', 'after', 'after', 'new', 'finish']);
    expect(types(end.events)).toEqual(['new', 'finish']);
  });
});

it('a subscription to $all from beyond the end leaves out what is written up to there', async () => {
  const head = await served.log.head();
  const fromPosition = { commit: head + 1_000n, prepare: head + 1_000n };
  const subscription = client.subscribeToAll({ fromPosition });
  const watched = watch(subscription);
  await watched.live;
  for (let i = 0; i < 30; i++) await client.appendToStream('beyond', jsonEvents(1));
  await client.appendToStream('beyond', jsonEvents(1, 'finish'));
  await watched.ended;
  const positions = watched.events.map(({ event }) => event?.position?.commit ?? 0n);
  expect(positions.every((position) => position > fromPosition.commit)).toBe(true);
  const written: bigint[] = [];
  for await (const page of served.log.readStream('beyond')) written.push(...page.map(({ position }) => position));
  expect(positions).toEqual(written.filter((position) => position > fromPosition.commit));
  expect(written.length).toBeGreaterThan(positions.length);
});

describe('filters', () => {
  it.each([
    [
      'a prefix of the stream',
      streamNameFilter({ prefixes: ['nothing', 'prefix_'] }),
      ['prefix_one', 'prefix_two'],
      'test',
    ],
    [
      'an expression on the stream',
      streamNameFilter({ regex: '^[0-9]*_regex_' }),
      ['12_regex_one', '7_regex_two'],
      'test',
    ],
    ['a prefix of the type', eventTypeFilter({ prefixes: ['kind-'] }), ['by_type_one', 'by_type_two'], 'kind-a'],
    [
      'an expression on the type',
      eventTypeFilter({ regex: '^[0-9]*_kind_[A-z]*$' }),
      ['by_re_one', 'by_re_two'],
      '45_kind_b',
    ],
  ])('%s', async (_, filter, streams, type) => {
    const [one = '', two = ''] = streams;
    await client.appendToStream(one, jsonEvents(3, type));
    await client.appendToStream('stream_name_a', jsonEvents(3));
    await client.appendToStream(two, jsonEvents(3, type));
    const seen: string[] = [];
    for await (const { event } of client.subscribeToAll({ fromPosition: START, filter })) {
      seen.push(event?.streamId ?? '');
      if (seen.length === 6) break;
    }
    expect(seen).toEqual([one, one, one, two, two, two]);
  });

  it('an expression that is none is refused', async () => {
    const watched = watch(client.subscribeToAll({ filter: eventTypeFilter({ regex: '(' }) }));
    expect(String(await watched.ended)).toMatch(/is not a regular expression/);
  });

  it('links are filtered as links', async () => {
    await client.appendToStream('filtered_links', binaryEvent({ type: '$>', data: Buffer.from('1@stream_name_a') }));
    const filter = eventTypeFilter({ prefixes: ['$>'] });
    for await (const { event, link } of client.subscribeToAll({ filter, resolveLinkTos: true })) {
      expect([event?.type, link?.type]).toEqual(['test', '$>']);
      break;
    }
  });
});

describe('checkpoints', () => {
  it('come every window times interval of considered events, never twice the same, and hold no event back', async () => {
    const { position } = await client.appendToStream('stream_name_b', jsonEvents(1, 'marker'));
    await client.appendToStream('stream_name_a', jsonEvents(8));
    const checkpoints: bigint[] = [];
    let seenAt = 0n;
    let handling = false;
    const subscription = client.subscribeToAll({
      fromPosition: position as Position,
      filter: excludeSystemEvents({
        checkpointInterval: 2,
        checkpointReached: async (_, at) => {
          checkpoints.push(at.commit);
          handling = true;
          await new Promise((resolve) => setTimeout(resolve, 5));
          handling = false;
        },
      }),
    });
    subscription.on('data', ({ event }: ResolvedEvent) => {
      expect(handling).toBe(false);
      seenAt = event?.position?.commit ?? 0n;
    });
    const watched = watch(subscription);
    for (let i = 0; i < 18; i++) await client.appendToStream('stream_name_a', jsonEvents(20));
    await client.appendToStream('stream_name_a', [...jsonEvents(15), ...jsonEvents(1, 'finish')]);
    await watched.ended;
    expect(watched.events.length).toBe(384);
    // 384 / (32 * 2) = 6, and one more when catching up ended.
    expect(checkpoints.length).toBeGreaterThanOrEqual(6);
    expect(checkpoints.length).toBeLessThanOrEqual(7);
    expect(checkpoints).toEqual([...new Set(checkpoints)].toSorted((a, b) => (a < b ? -1 : 1)));
    expect(checkpoints.every((at) => at <= seenAt)).toBe(true);
  });

  it('are counted over events that the filter leaves out, and resuming at one loses nothing', async () => {
    const type = 'rare';
    await client.appendToStream('common', jsonEvents(300));
    const at = await new Promise<Position>((resolve, reject) => {
      const filter = eventTypeFilter({ prefixes: [type], checkpointReached: (_, position) => resolve(position) });
      const subscription = client.subscribeToAll({ filter });
      subscription.on('error', reject);
      subscription.once('caughtUp', () => void subscription.unsubscribe());
      subscription.resume();
    });
    await client.appendToStream('common', jsonEvents(1, type));
    for await (const { event } of client.subscribeToAll({
      fromPosition: at,
      filter: eventTypeFilter({ prefixes: [type] }),
    })) {
      expect(event?.type).toBe(type);
      break;
    }
  });
});

it('ends every subscription when the client is disposed, without an error', async () => {
  const other = connect(served.url);
  const watched = [
    watch(other.subscribeToStream('stream_name_a'), 'never'),
    watch(other.subscribeToStream('nobody writes this')),
    watch(other.subscribeToAll(), 'never'),
  ];
  await Promise.all(watched.map(({ live }) => live));
  await other.dispose();
  expect(await Promise.all(watched.map(({ ended }) => ended))).toEqual([undefined, undefined, undefined]);
});

it('eighty subscriptions one after the other with classic appends in between', async () => {
  const credentials = { username: 'admin', password: 'changeit' };
  for (let i = 0; i < 80; i++) {
    const stream = `many_${i}`;
    await client.appendToStream(stream, jsonEvents(3), { credentials });
    const watched = watch(client.subscribeToStream(stream));
    await watched.live;
    await client.appendToStream(stream, [...jsonEvents(2), ...jsonEvents(1, 'finish')], {
      expectedRevision: 2n,
      credentials,
    });
    expect(await watched.ended).toBeUndefined();
    expect(watched.events.length).toBe(6);
  }
});
