// A Redis that stands still keeps its connections open and answers nothing: writes need none of it and go on, who reads is
// told in time to come again, and what the writes led to is read as soon as it moves again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openRedis, type RedisStore } from '../../src/stores/redis/open-redis.js';
import { eventually } from '../stores/eventually.js';
import { type Answer, keys, RunningService } from './running-service.js';

let directory: string;
let redis: RedisStore;
let service: RunningService;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-redis-'));
  redis = await openRedis({ url: undefined, directory });
  // One that is shared: the rates of all processes are counted in it.
  service = await RunningService.start({
    HOMING_REDIS: redis.url,
    HOMING_READ_WAIT_MS_MAX: '30000',
    HOMING_REDIS_READ_MS_MAX: '300',
  });
});
afterAll(async () => {
  await service.stop();
  await redis.close();
  rmSync(directory, { recursive: true, force: true });
});

/** It ends before the test does only if nobody waits for the Redis that stands. */
async function whileRedisStands(work: () => Promise<void>): Promise<void> {
  const pid = redis.pid() as number;
  process.kill(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/** Asks as a client should: again, when it is told to. */
function comeAgain(path: string, member: string): Promise<Answer> {
  return eventually(async () => {
    const answer = await service.send('GET', path, { member });
    return answer.status === 503 ? undefined : answer;
  });
}

it('takes writes while Redis stands still, tells readers to come again, and shows them all when it goes on', async () => {
  const conversationId = await service.talkBetween('anna', 'bert');
  const path = `/v1/conversations/${conversationId}/messages`;
  let position = '';
  await whileRedisStands(async () => {
    for (let number = 0; number < 20; number += 1) {
      const answer = await service.send('POST', path, { member: 'anna', body: { body: `message ${number}` } });
      expect(answer.status).toBe(201);
      position = String(answer.body['position']);
    }
    // Some wait for what was never answered, some for a connection, and the last for a connection that is made anew.
    for (let round = 0; round < 3; round += 1) {
      const reads = [path, '/v1/feed', '/v1/inbox', '/v1/friends', '/v1/unread'];
      for (const answer of await Promise.all(reads.map((one) => service.send('GET', one, { member: 'bert' })))) {
        expect([answer.status, answer.body['code']]).toEqual([503, 'store-unavailable']);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
    }
  });
  const { body } = await comeAgain(`${path}?limit=50&minPosition=${position}`, 'bert');
  expect(body).toMatchObject({ stale: false });
  expect(body['items']).toHaveLength(20);
});

it('tells an operator in time that it stands still', async () => {
  await whileRedisStands(async () => {
    const builds = await service.send('GET', '/v1/projections', { key: keys.admin });
    expect([builds.status, builds.body['code']]).toEqual([503, 'store-unavailable']);
    const { status, body } = await service.send('GET', '/health/ready', {});
    expect(status).toBe(503);
    expect(body).toMatchObject({ parts: { redis: { status: 'down' }, 'event-log': { status: 'up' } } });
    const figures = await service.send('GET', '/metrics', {});
    expect(figures.body['text']).toContain('\nhoming_projection_status_known 0\n');
  });
});
