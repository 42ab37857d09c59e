// Reading with the official client: a stream and $all, both directions, limits, links, misses.

import {
  BACKWARDS,
  binaryEvent,
  END,
  type EventStoreDBClient,
  jsonEvent,
  START,
  StreamDeletedError,
  StreamNotFoundError,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { binaryEvents, collect, connect, jsonEvents, rejection, types } from './client.js';
import { type Served, serveLog } from './serve-log.js';

let served: Served;
let client: EventStoreDBClient;
beforeAll(async () => {
  served = await serveLog();
  client = connect(served.url);
  await client.appendToStream('a', [...jsonEvents(4, 'json'), ...binaryEvents(4, 'binary')]);
  await client.appendToStream('b', jsonEvents(4, 'other'));
});
afterAll(async () => {
  await client.dispose();
  await served.close();
});

const revisions = (events: readonly { readonly event?: { readonly revision: bigint } | undefined }[]) =>
  events.map(({ event }) => Number(event?.revision));

describe('a stream', () => {
  it.each([
    ['from the start', {}, [0, 1, 2, 3, 4, 5, 6, 7]],
    ['from a revision, which is included', { fromRevision: 5n }, [5, 6, 7]],
    ['no more than asked', { maxCount: 3 }, [0, 1, 2]],
    ['from a revision, no more than asked', { fromRevision: 2n, maxCount: 2 }, [2, 3]],
    ['from beyond its end', { fromRevision: 20n }, []],
    ['from its end', { fromRevision: END }, []],
    ['backwards from its end', { direction: BACKWARDS, fromRevision: END }, [7, 6, 5, 4, 3, 2, 1, 0]],
    ['backwards from a revision, which is included', { direction: BACKWARDS, fromRevision: 1n }, [1, 0]],
    ['backwards from its start', { direction: BACKWARDS, fromRevision: START }, [0]],
    ['backwards from beyond its end', { direction: BACKWARDS, fromRevision: 99n, maxCount: 2 }, [7, 6]],
    ['the last one', { direction: BACKWARDS, fromRevision: END, maxCount: 1 }, [7]],
  ] as const)('%s', async (_, options, expected) => {
    expect(revisions(await collect(client.readStream('a', options)))).toEqual(expected);
  });

  it('that is not there is not found', async () => {
    const error = await rejection(collect(client.readStream('nobody wrote this')));
    expect(error).toBeInstanceOf(StreamNotFoundError);
    expect(error).toMatchObject({ streamName: 'nobody wrote this' });
    expect(await rejection(collect(client.readStream('größe')))).toMatchObject({ streamName: 'größe' });
  });

  it('that was tombstoned is deleted', async () => {
    await client.appendToStream('gone', jsonEvents(2));
    await client.tombstoneStream('gone');
    const error = await rejection(collect(client.readStream('gone')));
    expect(error).toBeInstanceOf(StreamDeletedError);
    expect(error).toMatchObject({ streamName: 'gone' });
  });

  it('of more than one page comes whole and in order', async () => {
    await client.appendToStream('long', jsonEvents(3_000));
    expect(revisions(await collect(client.readStream('long')))).toEqual(Array.from({ length: 3_000 }, (_, i) => i));
    const backwards = await collect(client.readStream('long', { direction: BACKWARDS, fromRevision: END }));
    expect(revisions(backwards)).toEqual(Array.from({ length: 3_000 }, (_, i) => 2_999 - i));
  });

  it('ends although it is written to all the while', async () => {
    await client.appendToStream('endless', jsonEvents(1_000));
    let seen = 0;
    for await (const { event } of client.readStream('endless')) {
      expect(Number(event?.revision)).toBe(seen++);
      if (seen % 10 === 0) await client.appendToStream('endless', jsonEvents(10));
    }
    expect(seen).toBe(1_000);
  });

  it('can be left in the middle, and the next read works', async () => {
    for (let i = 0; i < 5; i++) {
      for await (const { event } of client.readStream('long')) if (event?.revision === 5n) break;
    }
    expect(await collect(client.readStream('a'))).toHaveLength(8);
  });
});

describe('links', () => {
  beforeAll(async () => {
    const link = (to: string) => binaryEvent({ type: '$>', data: Buffer.from(to), metadata: { $causedBy: 'x' } });
    await client.appendToStream('links', [
      link('2@a'),
      link('99@a'),
      link('0@nowhere'),
      link('no link'),
      ...jsonEvents(1),
    ]);
  });

  it('are resolved where that is asked for', async () => {
    const [target] = await collect(client.readStream('a', { fromRevision: 2n, maxCount: 1 }));
    const read = await collect(client.readStream('links', { resolveLinkTos: true }));
    expect(read[0]?.event).toEqual(target?.event);
    expect(read[0]?.link).toMatchObject({ type: '$>', streamId: 'links', revision: 0n });
    expect(read.map(({ event, link }) => [event?.type, link?.type])).toEqual([
      ['json', '$>'],
      [undefined, '$>'],
      [undefined, '$>'],
      [undefined, '$>'],
      ['test', undefined],
    ]);
  });

  it('are events like others where it is not', async () => {
    expect(types(await collect(client.readStream('links')))).toEqual(['$>', '$>', '$>', '$>', 'test']);
  });

  it('have the commit position of the link when they are read resolved from $all', async () => {
    const all = await collect(client.readAll({ resolveLinkTos: true }));
    const [resolved] = all.filter(({ link }) => link?.streamId === 'links');
    expect(resolved?.event?.streamId).toBe('a');
    expect(resolved?.commitPosition).toBe(resolved?.link?.position?.commit);
    expect(Number(resolved?.commitPosition)).toBeGreaterThan(Number(resolved?.event?.position?.commit));
  });
});

describe('$all', () => {
  it('has every event of every stream, system events too, in the order in which they were written', async () => {
    const all = await collect(client.readAll());
    const positions = all.map(({ event }) => event?.position.commit ?? 0n);
    expect(positions).toEqual(positions.toSorted((a, b) => (a < b ? -1 : 1)));
    expect(new Set(positions).size).toBe(positions.length);
    expect(all.every(({ event }) => event?.position.commit === event?.position.prepare)).toBe(true);
    const users = all.filter(({ event }) => event && !event.streamId.startsWith('$'));
    expect(all.length).toBeGreaterThan(users.length);
    expect(users.slice(0, 12).map(({ event }) => event?.streamId)).toEqual([
      ...Array(8).fill('a'),
      ...Array(4).fill('b'),
    ]);
    const backwards = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END }));
    expect(backwards).toEqual(all.toReversed());
  });

  it('is read forwards from a position with it, backwards without it', async () => {
    const all = await collect(client.readAll());
    const at = all[5]?.event?.position;
    if (!at) throw new Error('five events were written');
    expect(await collect(client.readAll({ fromPosition: at, maxCount: 2 }))).toEqual(all.slice(5, 7));
    const before = await collect(client.readAll({ direction: BACKWARDS, fromPosition: at, maxCount: 3 }));
    expect(before).toEqual(all.slice(2, 5).toReversed());
    expect(await collect(client.readAll({ direction: BACKWARDS, fromPosition: START }))).toEqual([]);
    expect(await collect(client.readAll({ fromPosition: END }))).toEqual([]);
    expect(await collect(client.readAll({ maxCount: 2 }))).toEqual(all.slice(0, 2));
  });
});

it('an event as large as an append may be comes back', async () => {
  const data = { text: 'e'.repeat(1_000_000) };
  await client.appendToStream('large', jsonEvent({ type: 'large', data }));
  expect((await collect(client.readStream('large')))[0]?.event?.data).toEqual(data);
});
