// A Redis that stands still keeps its connections open and answers nothing: writes need none of it and go on, and what
// they led to is read as soon as it moves again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { openRedis, type RedisStore } from '../../src/stores/redis/open-redis.js';
import { RunningService } from './running-service.js';

let directory: string;
let redis: RedisStore;
let service: RunningService;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-redis-'));
  redis = await openRedis({ url: undefined, directory });
  // One that is shared: the rates of all processes are counted in it.
  service = await RunningService.start({ HOMING_REDIS: redis.url, HOMING_READ_WAIT_MS_MAX: '30000' });
});
afterAll(async () => {
  await service.stop();
  await redis.close();
  rmSync(directory, { recursive: true, force: true });
});

it('takes writes while Redis stands still, and reads them when it goes on', async () => {
  const conversationId = await service.talkBetween('anna', 'bert');
  const path = `/v1/conversations/${conversationId}/messages`;
  const pid = redis.pid() as number;
  let position = '';
  process.kill(pid, 'SIGSTOP');
  try {
    for (let number = 0; number < 20; number += 1) {
      const answer = await service.send('POST', path, { member: 'anna', body: { body: `message ${number}` } });
      expect(answer.status).toBe(201);
      position = String(answer.body['position']);
    }
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const { body } = await service.send('GET', `${path}?limit=50&minPosition=${position}`, { member: 'bert' });
  expect(body).toMatchObject({ stale: false });
  expect(body['items']).toHaveLength(20);
});
