// Appending with the official client, in both ways that it has: batch append, and the classic append that it uses when a
// call brings credentials of its own.

import {
  ANY,
  DeadlineExceededError,
  type EventStoreDBClient,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  STREAM_EXISTS,
  StreamDeletedError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { binaryEvents, collect, connect, jsonEvents, rejection } from './client.js';
import { type Served, serveLog } from './serve-log.js';

let served: Served;
let client: EventStoreDBClient;
beforeAll(async () => {
  served = await serveLog();
  client = connect(served.url);
});
afterAll(async () => {
  await client.dispose();
  await served.close();
});

const ways = [
  ['batch append', {}],
  ['classic append', { credentials: { username: 'admin', password: 'changeit' } }],
] as const;

describe.each(ways)('%s', (way, call) => {
  const name = (text: string) => `${way} ${text}`;

  it('takes JSON and binary events with their metadata and gives them back', async () => {
    const events = [
      jsonEvent({ type: 'json', data: { text: 'größe 😾', n: 1.5 }, metadata: { how: 'json' } }),
      jsonEvent({ type: 'json', data: 'CC ‐ 1830', metadata: Buffer.from('how: bytes') }),
      ...binaryEvents(1, 'binary'),
    ];
    const result = await client.appendToStream(name('kinds'), events, call);
    expect(result).toMatchObject({ success: true, nextExpectedRevision: 2n });
    const read = await collect(client.readStream(name('kinds')));
    expect(read.map(({ event }) => [event?.id, event?.type, event?.isJson, event?.data])).toEqual([
      [events[0]?.id, 'json', true, { text: 'größe 😾', n: 1.5 }],
      [events[1]?.id, 'json', true, 'CC ‐ 1830'],
      [events[2]?.id, 'binary', false, Uint8Array.from(Buffer.from('hello: 0'))],
    ]);
    expect(read[0]?.event?.metadata).toEqual({ how: 'json' });
    expect(Buffer.from(read[1]?.event?.metadata as Uint8Array).toString()).toBe('how: bytes');
    expect(read[2]?.event?.metadata).toBeUndefined();
    expect(read[2]?.event?.position).toEqual(result.position);
    expect(Math.abs(Date.now() - Number(read[0]?.event?.created))).toBeLessThan(60_000);
  });

  it('keeps every expected revision', async () => {
    const stream = name('expected');
    const append = (expectedRevision: bigint | typeof ANY | typeof NO_STREAM | typeof STREAM_EXISTS) =>
      client.appendToStream(stream, jsonEvents(1), { expectedRevision, ...call });
    expect(await rejection(append(STREAM_EXISTS))).toMatchObject({
      expectedVersion: STREAM_EXISTS,
      actualVersion: NO_STREAM,
    });
    expect(await rejection(append(1n))).toMatchObject({ expectedVersion: 1n, actualVersion: NO_STREAM });
    expect(await append(NO_STREAM)).toMatchObject({ nextExpectedRevision: 0n });
    const refused = await rejection(append(NO_STREAM));
    expect(refused).toBeInstanceOf(WrongExpectedVersionError);
    expect(refused).toMatchObject({ streamName: stream, expectedVersion: NO_STREAM, actualVersion: 0n });
    expect(await append(0n)).toMatchObject({ nextExpectedRevision: 1n });
    expect(await append(STREAM_EXISTS)).toMatchObject({ nextExpectedRevision: 2n });
    expect(await append(ANY)).toMatchObject({ nextExpectedRevision: 3n });
    expect(await rejection(append(9n))).toMatchObject({ expectedVersion: 9n, actualVersion: 3n });
    expect(await rejection(append(1n))).toMatchObject({ expectedVersion: 1n, actualVersion: 3n });
    expect(await collect(client.readStream(stream))).toHaveLength(4);
  });

  it('answers a repeated append as it answered the first, and appends nothing', async () => {
    const stream = name('idempotent');
    const events = jsonEvents(3);
    const first = await client.appendToStream(stream, events, { expectedRevision: NO_STREAM, ...call });
    await client.appendToStream(stream, jsonEvents(1), { expectedRevision: 2n, ...call });
    expect(await client.appendToStream(stream, events, { expectedRevision: NO_STREAM, ...call })).toEqual(first);
    expect(await client.appendToStream(stream, events, { expectedRevision: ANY, ...call })).toEqual(first);
    expect(await collect(client.readStream(stream))).toHaveLength(4);
  });

  it('writes all of an append or none of it', async () => {
    const stream = name('atomic');
    await client.appendToStream(stream, jsonEvents(1), call);
    await rejection(client.appendToStream(stream, jsonEvents(5), { expectedRevision: 7n, ...call }));
    expect(await collect(client.readStream(stream))).toHaveLength(1);
    await client.appendToStream(stream, jsonEvents(1_500), { expectedRevision: 0n, batchAppendSize: 1024, ...call });
    const read = await collect(client.readStream(stream));
    expect(read.map(({ event }) => event?.revision)).toEqual(Array.from({ length: 1_501 }, (_, i) => BigInt(i)));
  });

  it('appends nothing at all successfully', async () => {
    expect(await client.appendToStream(name('known'), jsonEvents(2), call)).toMatchObject({ nextExpectedRevision: 1n });
    expect(await client.appendToStream(name('known'), [], call)).toMatchObject({
      success: true,
      nextExpectedRevision: 1n,
    });
  });

  it('refuses an append over the limit by name, and the stream is as it was', async () => {
    const stream = name('too many');
    const refused = await rejection(client.appendToStream(stream, binaryEvents(1_100, 'x'.repeat(500)), call));
    expect(refused).toBeInstanceOf(MaxAppendSizeExceededError);
    expect(refused).toMatchObject({ maxAppendSize: 1024 * 1024 });
    const half = Buffer.alloc(600_000, 'x').toString();
    const several = Array.from({ length: 12 }, () => jsonEvent({ type: 'large', data: half }));
    expect(await rejection(client.appendToStream(stream, several, call))).toBeInstanceOf(MaxAppendSizeExceededError);
    expect(await rejection(collect(client.readStream(stream)))).toMatchObject({ type: 'stream-not-found' });
    expect(await client.appendToStream(stream, jsonEvents(1), call)).toMatchObject({ nextExpectedRevision: 0n });
  });

  it('refuses an append to a tombstoned stream', async () => {
    const stream = name('deleted');
    await client.appendToStream(stream, jsonEvents(1), call);
    await client.tombstoneStream(stream);
    const refused = await rejection(client.appendToStream(stream, jsonEvents(1), call));
    expect(refused).toBeInstanceOf(StreamDeletedError);
    expect(refused).toMatchObject({ streamName: stream });
  });

  it('a revision beyond all numbers is a wrong one and comes back as it was sent; a tombstone stands before it', async () => {
    const stream = name('far');
    await client.appendToStream(stream, jsonEvents(1), call);
    for (const expectedRevision of [2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
      const refused = await rejection(client.appendToStream(stream, jsonEvents(1), { expectedRevision, ...call }));
      expect(refused).toBeInstanceOf(WrongExpectedVersionError);
      expect(refused).toMatchObject({ expectedVersion: expectedRevision, actualVersion: 0n });
      for (const remove of ['deleteStream', 'tombstoneStream'] as const) {
        const kept = await rejection(client[remove](stream, { expectedRevision }));
        expect(kept).toMatchObject({ type: 'wrong-expected-version', expectedVersion: expectedRevision });
      }
    }
    await client.tombstoneStream(stream, { expectedRevision: 0n });
    const head = await served.log.head();
    for (const expectedRevision of [2n ** 53n - 1n, 2n ** 63n - 1n]) {
      const append = client.appendToStream(stream, jsonEvents(1), { expectedRevision, ...call });
      expect(await rejection(append)).toBeInstanceOf(StreamDeletedError);
      expect(await rejection(client.tombstoneStream(stream, { expectedRevision }))).toBeInstanceOf(StreamDeletedError);
      expect(await rejection(client.deleteStream(stream, { expectedRevision }))).toBeInstanceOf(StreamDeletedError);
    }
    expect(await served.log.head()).toBe(head);
  });

  it('what can be no append is an invalid argument, and those beside it are written', async () => {
    const long = 'ü'.repeat(1_025);
    const beside = Array.from({ length: 5 }, (_, i) => client.appendToStream(name(`beside ${i}`), jsonEvents(1), call));
    for (const [stream, events] of [
      [long, jsonEvents(1)],
      ['$$', jsonEvents(1)],
      [name('no type'), jsonEvents(1, '')],
    ] as const) {
      const refused = await rejection(client.appendToStream(stream, events, call));
      expect(String(refused)).toMatch(/over 2048 bytes|needs a name|event type/);
    }
    for (const remove of [client.deleteStream(long), client.tombstoneStream(long)]) {
      expect(String(await rejection(remove))).toMatch(/3 INVALID_ARGUMENT: ü.*over 2048 bytes/);
    }
    for (const { success } of await Promise.all(beside)) expect(success).toBe(true);
  });

  it('times out an append that comes too late', async () => {
    const late = client.appendToStream(name('late'), jsonEvents(30_000), { deadline: 1, ...call });
    expect(await rejection(late)).toBeInstanceOf(DeadlineExceededError);
  });
});

it('five thousand appends in one turn are all written', async () => {
  const data = { value: 'A'.repeat(904) };
  const other = connect(served.url);
  const before = (await other.appendToStream('flood', jsonEvents(1))).nextExpectedRevision;
  const results = await Promise.all(
    Array.from({ length: 5_000 }, () => other.appendToStream('flood', jsonEvent({ type: 'flood', data }))),
  );
  const revisions = results.map((result) => Number(result.nextExpectedRevision)).toSorted((a, b) => a - b);
  expect(revisions).toEqual(Array.from({ length: 5_000 }, (_, i) => i + 1 + Number(before)));
  await other.dispose();
});

it('a client that does not throw is told of a wrong version', async () => {
  const quiet = connect(`${served.url}&throwOnAppendFailure=false`);
  await quiet.appendToStream('quiet', jsonEvents(4));
  const result = await quiet.appendToStream('quiet', jsonEvents(1), { expectedRevision: NO_STREAM });
  expect(result.success).toBe(false);
  await quiet.dispose();
});

it('a disposed client appends again', async () => {
  await client.appendToStream('disposed', jsonEvents(1));
  await client.dispose();
  expect(await client.appendToStream('disposed', jsonEvents(1))).toMatchObject({ nextExpectedRevision: 1n });
});

it('clients that send more than the server may hold are slowed down, not refused', async () => {
  const small = await serveLog({ queueBytesMax: 400_000, server: { waitingBytesMax: 200_000 } });
  const clients = [connect(small.url), connect(small.url)];
  const appends = clients.flatMap((one, i) =>
    Array.from({ length: 150 }, (_, n) =>
      one.appendToStream(`slow ${i} ${n % 3}`, binaryEvents(4, 'x'.repeat(2_000)), n % 5 === 0 ? ways[1][1] : {}),
    ),
  );
  for (const result of await Promise.all(appends)) expect(result.success).toBe(true);
  for (const stream of ['slow 0 0', 'slow 1 2']) {
    expect(small.log.streamInfo(stream).lastRevision).toBe(199);
  }
  await Promise.all(clients.map((one) => one.dispose()));
  await small.close();
});
