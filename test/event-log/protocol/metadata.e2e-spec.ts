// Stream metadata, deleting and tombstoning with the official client.

import {
  type EventStoreDBClient,
  NO_STREAM,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { collect, connect, jsonEvents, rejection, types } from './client.js';
import { type Served, serveLog } from './serve-log.js';

let served: Served;
let client: EventStoreDBClient;
let now = Date.now();
beforeAll(async () => {
  served = await serveLog({ now: () => now });
  client = connect(served.url);
});
afterAll(async () => {
  await client.dispose();
  await served.close();
});

const revisions = async (stream: string) =>
  (await collect(client.readStream(stream))).map(({ event }) => Number(event?.revision));

describe('metadata', () => {
  it('comes back whole, unknown keys too, the newest version only', async () => {
    const roles = ['admin'];
    const metadata = {
      maxAge: 2,
      cacheControl: 15,
      truncateBefore: 1,
      maxCount: 12,
      kitten: '😾',
      acl: { readRoles: roles, writeRoles: roles, deleteRoles: roles, metaReadRoles: roles, metaWriteRoles: roles },
    };
    await client.setStreamMetadata('meta', { maxCount: 3 });
    await client.setStreamMetadata('meta', metadata, { expectedRevision: 0n });
    expect(await client.getStreamMetadata('meta')).toMatchObject({ streamName: 'meta', metadata });
    expect(await revisions('$$meta')).toEqual([1]);
    const wrong = await rejection(client.setStreamMetadata('meta', {}, { expectedRevision: NO_STREAM }));
    expect(wrong).toBeInstanceOf(WrongExpectedVersionError);
  });

  it('of a stream that has none is absent', async () => {
    await client.appendToStream('plain', jsonEvents(1));
    expect(await client.getStreamMetadata('plain')).toEqual({ streamName: 'plain' });
    expect(await client.getStreamMetadata('not there')).toEqual({ streamName: 'not there' });
  });

  it('max count shows the last ones only', async () => {
    await client.setStreamMetadata('counted', { maxCount: 2 });
    await client.appendToStream('counted', jsonEvents(20));
    expect(await revisions('counted')).toEqual([18, 19]);
  });

  it('truncate before hides the first ones, from the stream and not from $all', async () => {
    await client.appendToStream('truncated', jsonEvents(5, 'in truncated'));
    await client.setStreamMetadata('truncated', { truncateBefore: 3 });
    expect(await revisions('truncated')).toEqual([3, 4]);
    const all = types(await collect(client.readAll())).filter((type) => type === 'in truncated');
    expect(all).toHaveLength(5);
    await client.setStreamMetadata('truncated', { truncateBefore: 5 });
    expect(await revisions('truncated')).toEqual([]);
  });

  it('max age hides what is older when it is read', async () => {
    await client.setStreamMetadata('aged', { maxAge: 60 });
    await client.appendToStream('aged', jsonEvents(2));
    now += 50_000;
    await client.appendToStream('aged', jsonEvents(1));
    expect(await revisions('aged')).toEqual([0, 1, 2]);
    now += 20_000;
    expect(await revisions('aged')).toEqual([2]);
  });
});

describe('delete', () => {
  it('hides the stream; an append revives it and the numbers go on', async () => {
    await client.setStreamMetadata('revived', { kitten: 'kept' });
    await client.appendToStream('revived', jsonEvents(3));
    const { position } = await client.deleteStream('revived');
    expect(position?.commit).toBeGreaterThan(0n);
    expect(await rejection(collect(client.readStream('revived')))).toBeInstanceOf(StreamNotFoundError);
    const result = await client.appendToStream('revived', jsonEvents(2), { expectedRevision: NO_STREAM });
    expect(result.nextExpectedRevision).toBe(4n);
    expect(await revisions('revived')).toEqual([3, 4]);
    expect((await client.getStreamMetadata('revived')).metadata).toMatchObject({ truncateBefore: 3 });
  });

  it('an append of nothing revives the stream, too, and shows nothing of it', async () => {
    await client.appendToStream('revived empty', jsonEvents(3));
    await client.deleteStream('revived empty');
    expect(await client.appendToStream('revived empty', [])).toMatchObject({ nextExpectedRevision: 2n });
    expect(await revisions('revived empty')).toEqual([]);
    expect((await client.getStreamMetadata('revived empty')).metadata).toEqual({ truncateBefore: 3 });
    expect(await client.appendToStream('revived empty', jsonEvents(1), { expectedRevision: 2n })).toMatchObject({
      nextExpectedRevision: 3n,
    });
    expect(await revisions('revived empty')).toEqual([3]);
  });

  it('keeps the expected revision', async () => {
    await client.appendToStream('exact', jsonEvents(4));
    const wrong = await rejection(client.deleteStream('exact', { expectedRevision: 2n }));
    expect(wrong).toBeInstanceOf(WrongExpectedVersionError);
    expect(wrong).toMatchObject({ streamName: 'exact', expectedVersion: 2n, actualVersion: 3n });
    expect(await rejection(client.deleteStream('exact', { expectedRevision: NO_STREAM }))).toMatchObject({
      streamName: 'exact',
      expectedVersion: -1n,
    });
    expect(await client.deleteStream('exact', { expectedRevision: 3n })).toHaveProperty('position');
  });

  it('of a stream that never was is a wrong version, of one with metadata only it is not', async () => {
    const wrong = await rejection(client.deleteStream('never was'));
    expect(wrong).toBeInstanceOf(WrongExpectedVersionError);
    expect(wrong).toMatchObject({ streamName: 'never was', actualVersion: expect.anything() });
    expect(await rejection(client.deleteStream('never was', { expectedRevision: NO_STREAM }))).toBeInstanceOf(
      WrongExpectedVersionError,
    );
    await client.setStreamMetadata('implicit', { cacheControl: 10 });
    expect(await client.deleteStream('implicit', { expectedRevision: NO_STREAM })).toHaveProperty('position');
  });
});

describe('tombstone', () => {
  it('is for ever, and may stand where no stream was', async () => {
    await client.appendToStream('ended', jsonEvents(4));
    expect(await rejection(client.tombstoneStream('ended', { expectedRevision: 2n }))).toMatchObject({
      type: 'wrong-expected-version',
      expectedVersion: 2n,
    });
    expect(await client.tombstoneStream('ended', { expectedRevision: 3n })).toHaveProperty('position');
    expect(await rejection(client.tombstoneStream('ended'))).toBeInstanceOf(StreamDeletedError);
    expect(await rejection(client.deleteStream('ended'))).toBeInstanceOf(StreamDeletedError);
    expect(await rejection(client.appendToStream('ended', jsonEvents(1)))).toBeInstanceOf(StreamDeletedError);
    await client.tombstoneStream('never began', { expectedRevision: NO_STREAM });
    expect(await rejection(collect(client.readStream('never began')))).toBeInstanceOf(StreamDeletedError);
    const [last] = (await collect(client.readAll())).slice(-1);
    expect(last?.event).toMatchObject({ streamId: 'never began', type: '$streamDeleted', revision: 2n ** 63n - 1n });
    expect(last?.event).toMatchObject({ isJson: false, data: new Uint8Array(0) });
  });
});
