// The service on a Redis Cluster of three servers: documents, queues and limits.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addMs, dayMs } from '../../src/kernel/clock.js';
import { serversOf } from '../../src/stores/redis/redis-endpoint.js';
import { RedisCluster } from '../projector/redis-cluster.js';
import { hasRedisServer } from '../projector/redis-kinds.js';
import { keys, RunningService } from './running-service.js';

const t0 = '2026-03-02T10:00:00.000Z';

(hasRedisServer ? describe : describe.skip)('a service on a Redis Cluster', () => {
  let cluster: RedisCluster;
  let service: RunningService;
  beforeAll(async () => {
    cluster = await RedisCluster.start();
    service = await RunningService.start({
      HOMING_REDIS: cluster.url,
      HOMING_PROJECTION_SHARDS: '8',
      HOMING_CLOCK: 'import',
    });
  });
  afterAll(async () => {
    await service.stop();
    await cluster.close();
  });

  async function at(now: string, method: string, path: string, member?: string, body?: unknown) {
    const who = member === undefined ? {} : { member };
    const answer = await service.send(method, path, { key: keys.import, ...who, headers: { 'homing-now': now }, body });
    expect(answer.status).toBeLessThan(300);
    return answer.body;
  }

  it('shows what was written, and acts on what is due', async () => {
    for (const memberId of ['anna', 'bert']) {
      const facts = { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
      await at(t0, 'POST', '/v1/members', undefined, facts);
    }
    const { position } = await at(t0, 'POST', '/v1/friend-requests', 'anna', { toMemberId: 'bert' });
    const headers = { 'homing-position': String(position) };
    const asked = await service.send('GET', '/v1/friend-requests', { member: 'bert', headers });
    expect(asked.body).toMatchObject({ stale: false, items: [{ member: { memberId: 'anna' } }] });
    // Ninety days later nobody has answered: the queue's worker says so.
    const later = addMs(t0, 91 * dayMs);
    await at(later, 'POST', '/v1/clock', undefined, { now: later, waitForTimers: true });
    const types: string[] = [];
    for await (const page of service.parts.engines.log.readAll()) types.push(...page.map(({ type }) => type));
    expect(types).toContain('FriendRequestExpired');
    const sizes = await Promise.all(serversOf(service.parts.engines.redis.client).map((server) => server.dbsize()));
    expect(sizes.every((size) => size > 0)).toBe(true);
  });
});
