// Who does the work when there are several: processes share the shards, one that dies is replaced, two that both believe
// in themselves count nothing twice, and an engine that goes away comes back to the same documents.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inbox } from '../../projections/inbox.document.js';
import { activeKey, buildPrefix, buildsKey, ownKeys } from '../../src/kernel/document-keys.js';
import { OtherShards } from '../../src/projector/builds/other-shards.js';
import { serversOf } from '../../src/stores/redis/redis-endpoint.js';
import { SocialHistory } from '../projections/social-history.js';
import { documentProjections } from '../usual-settings.js';
import { Setup } from './engine-setup.js';
import { hasRedisServer, keysOf, type RedisKind, redisForAll } from './redis-kinds.js';

const servers: readonly RedisKind[] = ['redis-server', 'cluster'];

(hasRedisServer ? describe : describe.skip).each(servers)('several projectors on a %s', (kind) => {
  const redis = redisForAll(kind);
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.open(redis());
  });
  afterEach(async () => {
    await setup.close();
  });
  const { events } = new SocialHistory(61, 8, 900);

  async function holders(shards: number): Promise<Map<string, number>> {
    const held = new Map<string, number>();
    for (let shard = 0; shard < shards; shard += 1) {
      const holder = (await setup.store.client.get(`projector-lease:{documents-${shard}-of-${shards}}`)) ?? 'nobody';
      held.set(holder, (held.get(holder) ?? 0) + 1);
    }
    return held;
  }

  it('share the shards', async () => {
    setup.start([inbox], { holder: 'a', shards: 4 });
    setup.start([inbox], { holder: 'b', shards: 4 });
    const position = await setup.append(events);
    await setup.settled([inbox], position, 4);
    const end = performance.now() + 30_000;
    let held = await holders(4);
    while ((held.get('a') !== 2 || held.get('b') !== 2) && performance.now() < end) {
      // The pace is that of the log: one more event, and everybody has passed it.
      await setup.settled([inbox], await setup.append(events.slice(0, 1)), 4);
      held = await holders(4);
    }
    expect(Object.fromEntries(held)).toEqual({ a: 2, b: 2 });
    for (let shard = 0; shard < 4; shard += 1) {
      expect(await setup.verify(inbox, shard, 4)).toMatchObject({ differences: 0 });
    }
  });

  it('one that loses its Redis is replaced, and what it still believes does no harm', async () => {
    const lost = setup.store.connect();
    setup.start([inbox], { holder: 'a', store: setup.storeOn(lost) });
    await setup.settled([inbox], await setup.append(events.slice(0, 300)));
    setup.start([inbox], { holder: 'b' });
    lost.disconnect();
    const began = performance.now();
    await setup.settled([inbox], await setup.append(events.slice(300)));
    console.info(`who held a shard was replaced in ${Math.round(performance.now() - began)} ms`);
    expect(await setup.verify(inbox)).toMatchObject({ differences: 0 });
  });

  it('two without any lease between them count nothing twice', async () => {
    setup.start(documentProjections, { holder: 'same' });
    setup.start(documentProjections, { holder: 'same' });
    await setup.settled(documentProjections, await setup.append(events));
    await setup.settled(documentProjections, await setup.append(events.slice(0, 50)));
    for (const projection of documentProjections) {
      expect(await setup.verify(projection)).toMatchObject({ differences: 0 });
    }
  });

  it('another number of shards is built from zero, and then nothing is left of the old ones', async () => {
    setup.start([inbox], { holder: 'a', shards: 4 });
    await setup.settled([inbox], await setup.append(events.slice(0, 400)), 4);
    setup.start([inbox], { holder: 'b', shards: 2 });
    const position = await setup.append(events.slice(400));
    await setup.settled([inbox], position, 2);
    // As long as somebody still makes the old ones, somebody may read them.
    await setup.settled([inbox], position, 4);
    const others = new OtherShards({ store: setup.storeOn(setup.redis), projections: [inbox], shards: 2 });
    expect(await others.look()).toBe(false);
    expect((await setup.verify(inbox, 3, 4)).differences).toBe(0);
    await setup.stop();
    expect(await others.look()).toBe(true);
    expect(await keysOf(setup.redis, 'inbox:*{*-04}*')).toEqual([]);
    for (let shard = 0; shard < 2; shard += 1) {
      expect(await setup.verify(inbox, shard, 2)).toMatchObject({ differences: 0 });
    }
  });

  it('a Redis that is killed comes back to the same documents', async () => {
    setup.start(documentProjections);
    await setup.settled(documentProjections, await setup.append(events.slice(0, 400)));
    const killed = setup.store.pid();
    await setup.killRedis();
    const position = await setup.append(events.slice(400));
    await setup.settled(documentProjections, position);
    if (killed !== undefined) expect(setup.store.pid()).not.toBe(killed);
    for (const projection of documentProjections) {
      expect(await setup.verify(projection)).toMatchObject({ differences: 0 });
    }
  });
});

(hasRedisServer ? describe : describe.skip)('on a Redis Cluster of three nodes', () => {
  const redis = redisForAll('cluster');
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.open(redis());
  });
  afterEach(async () => {
    await setup.close();
  });
  const shards = 8;

  it('every shard is whole on its node: all its keys have one slot', async () => {
    const { events } = new SocialHistory(62, 8, 600);
    setup.start(documentProjections, { shards });
    await setup.settled(documentProjections, await setup.append(events), shards);
    const slots = new Map<string, Set<unknown>>();
    const found = await keysOf(setup.redis, '*:{*-08}:*');
    for (const key of found) {
      const tag = /\{(.*)\}/.exec(key)?.[1] ?? '';
      slots.set(tag, (slots.get(tag) ?? new Set()).add(await setup.redis.cluster('KEYSLOT', key)));
    }
    expect([...slots.keys()].toSorted()).toEqual(Array.from({ length: shards }, (_, shard) => `0${shard}-08`));
    expect([...slots.values()].every(({ size }) => size === 1)).toBe(true);
    for (const { name: projection } of documentProjections) {
      for (let shard = 0; shard < shards; shard += 1) {
        const name = { projection, shard, shards };
        const own = [activeKey(name), buildsKey(name), buildPrefix(name, 1) + ownKeys.checkpoint];
        expect(found).toEqual(expect.arrayContaining(own));
      }
    }
    const sizes = await Promise.all(serversOf(setup.redis).map((node) => node.dbsize()));
    expect(sizes).toHaveLength(3);
    expect(sizes.every((size) => size > 0)).toBe(true);
    for (const projection of documentProjections) {
      for (let shard = 0; shard < shards; shard += 1) {
        expect(await setup.verify(projection, shard, shards)).toMatchObject({ differences: 0 });
      }
    }
  });
});
