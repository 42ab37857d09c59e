// Who does the work when there are several: processes share the shards, one that dies is replaced, two that both believe
// in themselves count nothing twice, and an engine that goes away comes back to the same documents.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inbox } from '../../projections/inbox.document.js';
import { documentProjections } from '../../projections/index.js';
import { RedisSink } from '../../src/projector/sinks/redis-sink.js';
import { SocialHistory } from '../projections/social-history.js';
import { hasRedisServer, Setup } from './engine-setup.js';
import { RedisCluster } from './redis-cluster.js';
import { sinkContract } from './sink.contract.js';

/** One that dies is replaced within this. */
const replacedMsMax = 10_000;
const withServer = hasRedisServer ? describe : describe.skip;
if (!hasRedisServer) process.stdout.write('no redis-server on PATH: several owners and the cluster are not tested\n');

withServer('several projectors', () => {
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.open();
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
    const end = performance.now() + 3 * replacedMsMax;
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
    setup.start([inbox], { holder: 'a', redis: lost });
    await setup.settled([inbox], await setup.append(events.slice(0, 300)));
    setup.start([inbox], { holder: 'b' });
    lost.disconnect();
    const began = performance.now();
    await setup.settled([inbox], await setup.append(events.slice(300)));
    expect(performance.now() - began).toBeLessThan(replacedMsMax);
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

  it('a Redis that is killed comes back to the same documents', async () => {
    setup.start(documentProjections);
    await setup.settled(documentProjections, await setup.append(events.slice(0, 400)));
    const killed = setup.store.pid() ?? 0;
    process.kill(killed, 'SIGKILL');
    const position = await setup.append(events.slice(400));
    await setup.settled(documentProjections, position);
    expect(setup.store.pid()).not.toBe(killed);
    for (const projection of documentProjections) {
      expect(await setup.verify(projection)).toMatchObject({ differences: 0 });
    }
  });
});

withServer('on a Redis Cluster of three nodes', () => {
  let cluster: RedisCluster;
  let setup: Setup;
  beforeEach(async () => {
    cluster = await RedisCluster.start();
    setup = await Setup.open('redis-server', cluster.client);
  });
  afterEach(async () => {
    await setup.close();
    await cluster.close();
  });

  it('every shard is whole on its node', async () => {
    const { events } = new SocialHistory(62, 8, 600);
    setup.start(documentProjections, { shards: 8 });
    await setup.settled(documentProjections, await setup.append(events), 8);
    for (const projection of documentProjections) {
      for (let shard = 0; shard < 8; shard += 1) {
        expect(await setup.verify(projection, shard, 8)).toMatchObject({ differences: 0 });
      }
    }
    const sizes = await Promise.all(cluster.client.nodes('master').map((node) => node.dbsize()));
    expect(sizes.every((size) => size > 0)).toBe(true);
  });

  describe('a shard', () => {
    sinkContract('a cluster', async () => new RedisSink(cluster.client, { projection: 'p', shard: 5, shards: 8 }, 1));
  });
});
