// Keys: made once and shown once, known by their hash, ended everywhere; and a member's own token.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readConfig } from '../../src/config.js';
import { startService } from '../../src/service/service.js';
import { keys, RunningService } from './running-service.js';

let service: RunningService;
beforeAll(async () => {
  service = await RunningService.start();
  await service.register('anna', 'bert');
});
afterAll(() => service.stop());

const moment = { contentRef: { kind: 'text', contentId: 'c', creatorId: 'anna' } };
const publish = (key: string, member?: string) =>
  service.send('POST', '/v1/moments', { key, body: moment, ...(member === undefined ? {} : { member }) });

describe('API keys', () => {
  it('are made, listed without secrets, and revoked, also over a restart', async () => {
    const body = { name: 'second app', scopes: ['app', 'brand:shoes'] };
    const made = await service.send('POST', '/v1/keys', { key: keys.admin, body });
    const token = String(made.body['token']);
    expect((await publish(token, 'anna')).status).toBe(201);
    const listed = await service.send('GET', '/v1/keys', { key: keys.admin });
    expect(listed.body['items']).toContainEqual({
      id: made.body['id'],
      name: 'second app',
      scopes: ['app', 'brand:shoes'],
      createdAt: expect.any(String),
    });
    expect(JSON.stringify(listed.body)).not.toContain(token.split('_')[2]);
    await service.restart();
    expect((await publish(token, 'anna')).status).toBe(201);
    expect((await service.send('DELETE', `/v1/keys/${String(made.body['id'])}`, { key: keys.admin })).status).toBe(204);
    expect((await publish(token, 'anna')).body['code']).toBe('wrong-key');
    await service.restart();
    expect((await publish(token, 'anna')).body['code']).toBe('wrong-key');
    expect((await service.send('DELETE', '/v1/keys/nothing', { key: keys.admin })).body['code']).toBe('key-not-found');
  });

  it('lie in the log as hashes', async () => {
    let bytes = '';
    for await (const page of service.parts.engines.log.readStream('apikeys-all')) {
      for (const { data } of page) bytes += Buffer.from(data).toString();
    }
    expect(bytes).toContain('"keyId":"app"');
    for (const token of Object.values(keys)) expect(bytes).not.toContain(token.split('_')[2]);
  });

  it('are made at the first start of an empty log, and not again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'homing-keys-'));
    const config = readConfig({ HOMING_DATA_DIR: directory, PORT: '0', HOMING_LOG_LEVEL: 'fatal' });
    const first = await startService(config);
    expect(first.madeKeys.map(({ scopes }) => scopes[0])).toEqual(['app', 'analyst', 'import', 'admin']);
    await first.close();
    const second = await startService(config);
    expect(second.madeKeys).toEqual([]);
    await second.close();
    rmSync(directory, { recursive: true, force: true });
  });
});

describe("a member's token", () => {
  it('speaks for that member alone, and ends with its key', async () => {
    const made = await service.send('POST', '/v1/keys', { key: keys.admin, body: { name: 'app', scopes: ['app'] } });
    const key = String(made.body['token']);
    const issued = await service.send('POST', '/v1/member-tokens', { key, body: { memberId: 'anna' } });
    const token = String(issued.body['token']);
    expect((await publish(token)).status).toBe(201);
    expect((await publish(token, 'anna')).status).toBe(201);
    expect((await publish(token, 'bert')).body['code']).toBe('missing-scope');
    expect((await service.send('POST', '/v1/members', { key: token, body: {} })).body['code']).toBe('missing-scope');
    const again = await service.send('POST', '/v1/member-tokens', { key: token, body: { memberId: 'bert' } });
    expect(again.body['code']).toBe('missing-scope');
    await service.send('DELETE', `/v1/keys/${String(made.body['id'])}`, { key: keys.admin });
    expect((await publish(token)).body['code']).toBe('wrong-key');
  });
});
