// What `npm start` runs, built, on a machine that has Node and nothing else: up, healthy as far as it can be, taking and
// answering, and stopped as it was told.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { send } from '../e2e/running-service.js';
import { keyOf, type ServiceChild, startChild } from '../e2e/service-child.js';

const entry = fileURLToPath(new URL('../../dist/src/main.js', import.meta.url));
const isBuilt = existsSync(entry);
if (!isBuilt) process.stdout.write('nothing is built (npm run build): the built service is not tested\n');
if (!isBuilt && process.env['CI']) throw new Error('CI must have built the service');

(isBuilt ? describe : describe.skip)('the built service with Node alone', () => {
  let directory: string;
  let child: ServiceChild;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'homing-alone-'));
    // A PATH on which there is nothing: no redis-server, no browser.
    child = await startChild({ HOMING_DATA_DIR: join(directory, 'data'), PATH: directory }, [
      '--enable-source-maps',
      entry,
    ]);
  });
  afterAll(() => {
    child?.process.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  it('is ready, and says that its Redis is the one in memory', async () => {
    const { status, body } = await send(child.url, 'GET', '/health/ready');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded' });
    expect(JSON.stringify(body)).toContain('javascript');
  });

  it('takes a command and answers with what it led to', async () => {
    const key = keyOf(child, 'app');
    const anna = { memberId: 'anna', handle: 'anna', displayName: 'Anna', ageBand: '18_plus', country: 'AT' };
    const written = await send(child.url, 'POST', '/v1/members', { key, body: anna });
    expect(written.status).toBe(201);
    const headers = { 'homing-position': String(written.body['position']) };
    const feed = await send(child.url, 'GET', '/v1/feed', { key, member: 'anna', headers });
    expect(feed).toMatchObject({ status: 200, body: { items: [], stale: false } });
  });

  it('ends when it is told to', async () => {
    child.process.kill('SIGTERM');
    expect(await child.ended).toBe(0);
  });
});
