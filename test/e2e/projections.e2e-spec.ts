// What an operator does with the read models of a running service: looks, compares, builds again, goes back; by the API
// and by the command line, which also works on the data of a stopped service.
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { untilCaughtUp } from '../../src/cli/operations/until-caught-up.js';
import { buildsKey } from '../../src/kernel/document-keys.js';
import { HttpOperations } from '../../src/service/operations/http-operations.js';
import { eventually } from '../stores/eventually.js';
import { homing } from './homing-command.js';
import { keys, RunningService } from './running-service.js';

const parts = ['cards', 'friends', 'friend-feed', 'inbox', 'thread', 'shares', 'timers', 'facts'];

let service: RunningService;
beforeAll(async () => {
  service = await RunningService.start();
  const conversationId = await service.talkBetween('anna', 'bert');
  await service.send('POST', `/v1/conversations/${conversationId}/messages`, { member: 'anna', body: { body: 'hi' } });
  const moment = { contentRef: { kind: 'text', contentId: 'c1', creatorId: 'bert' }, caption: 'here' };
  await service.send('POST', '/v1/moments', { member: 'bert', body: moment });
  await untilCaughtUp(new HttpOperations(service.url, keys.admin));
}, 60_000);
afterAll(() => service.stop());

const onService = () => ['--url', service.url, '--key', keys.admin];

describe('over the API', () => {
  it('nobody but an admin may look', async () => {
    expect((await service.send('GET', '/v1/projections', { key: keys.analyst })).body['code']).toBe('missing-scope');
    expect((await service.send('GET', '/v1/dead-letters', { key: keys.app })).body['code']).toBe('missing-scope');
  });

  it('every read model is there, and tells where it stands', async () => {
    const { status, body } = await service.send('GET', '/v1/projections', { key: keys.admin });
    expect(status).toBe(200);
    expect(body['parts']).toEqual(parts);
    const items = body['items'] as readonly Record<string, unknown>[];
    expect(items.map(({ projection }) => projection)).toEqual(parts);
    expect(items.every(({ state }) => state === 'active')).toBe(true);
  });

  it('compares, and says that there is no such thing when there is none', async () => {
    const { body } = await service.send('POST', '/v1/projections/inbox/verify', { key: keys.admin });
    expect(body['items']).toMatchObject([{ part: 'documents inbox/0', differences: 0, told: [], parked: [] }]);
    for (const path of [
      '/v1/projections/nothing/verify',
      '/v1/projections/nothing/rebuild',
      '/v1/dead-letters/nothing/retry',
    ]) {
      expect((await service.send('POST', path, { key: keys.admin })).body['code']).toBe('not-found');
    }
    const letter = await service.send('GET', '/v1/dead-letters/inbox/123', { key: keys.admin });
    expect(letter.body['code']).toBe('not-found');
    const dropped = await service.send('POST', '/v1/dead-letters/inbox/123/drop', { key: keys.admin, body: {} });
    expect(dropped.body['code']).toBe('invalid-body');
  });

  it('answers reads with the state asked for, or says that it is not that far', async () => {
    const moment = { contentRef: { kind: 'text', contentId: 'c2', creatorId: 'bert' } };
    const { body } = await service.send('POST', '/v1/moments', { member: 'bert', body: moment });
    const headers = { 'homing-position': String(body['position']) };
    const feed = await service.send('GET', '/v1/feed', { member: 'anna', headers });
    expect(feed.body).toMatchObject({ stale: false, items: [{ moment: { contentRef: { contentId: 'c2' } } }, {}] });
    const byQuery = await service.send('GET', `/v1/feed?minPosition=${String(body['position'])}`, { member: 'anna' });
    expect(byQuery.body['stale']).toBe(false);
    for (const bad of ['nonsense', Buffer.from('x:1').toString('base64url')]) {
      const answer = await service.send('GET', `/v1/feed?minPosition=${bad}`, { member: 'anna' });
      expect(answer.body['code']).toBe('bad-position');
    }
  });
});

describe('by the command line, on a running service', () => {
  it('tells the lag', async () => {
    // What was written last may be on its way into the facts.
    await eventually(async () => {
      const { code, out } = await homing(['lag', ...onService()]);
      expect(code).toBe(0);
      for (const part of parts) expect(out).toMatch(new RegExp(`^${part} +0 +1 +active +0 `, 'm'));
      return true;
    });
  });

  it('builds again, goes back, and still equals the log', async () => {
    expect(await homing(['rebuild', 'inbox', 'friend-feed', ...onService()])).toMatchObject({
      code: 0,
      out: 'read from now on: inbox, friend-feed\n',
    });
    expect((await homing(['lag', ...onService()])).out).toMatch(/^inbox +0 +2 +active/m);
    expect(await homing(['rebuild', 'inbox', '--rollback', ...onService()])).toMatchObject({ code: 0 });
    expect((await homing(['lag', ...onService()])).out).toMatch(/^inbox +0 +1 +active/m);
    const { code, out } = await homing(['verify', ...onService()]);
    expect({ code, differs: out.includes('differences') }).toEqual({ code: 0, differs: false });
    expect(out).toMatch(/^documents friend-feed\/0: \d+ compared at position \d+, equals the log$/m);
    expect(out).toMatch(/^facts event_facts_v\d+: \d+ compared/m);
  }, 120_000);

  it('interrupted while it goes back, leaves what is read and what is kept as they were', async () => {
    const { client } = service.parts.engines.redis;
    const builds = buildsKey({ projection: 'inbox', shard: 0, shards: 1 });
    const before = await client.hgetall(builds);
    // Another projector that holds the shard and does nothing: the old build does not catch up.
    const lease = 'projector-lease:{documents-0-of-1}';
    await client.set(lease, 'somebody else');
    for (let stale = false; !stale; ) {
      const moment = { contentRef: { kind: 'text', contentId: 'c3', creatorId: 'bert' } };
      const { body } = await service.send('POST', '/v1/moments', { member: 'bert', body: moment });
      const inbox = await service.send('GET', `/v1/inbox?minPosition=${String(body['position'])}`, { member: 'anna' });
      stale = inbox.body['stale'] === true;
    }
    let program: ChildProcess | undefined;
    const asked = homing(['rebuild', 'inbox', '--rollback', ...onService()], {}, (child) => {
      program = child;
    });
    await eventually(async () => Object.values(await client.hgetall(builds)).includes('returning'));
    program?.kill('SIGINT');
    expect(await asked).toMatchObject({ code: 130, out: '', error: expect.stringContaining('not going back') });
    expect(await client.hgetall(builds)).toEqual(before);
    await client.del(lease);
  }, 60_000);

  it('says the same of documents and facts when no earlier build was kept', async () => {
    for (const [name, why] of [
      ['thread', 'thread/0: no earlier build was kept'],
      ['facts', 'facts: no earlier build was kept'],
    ]) {
      const { status, body } = await service.send('POST', `/v1/projections/${name}/rollback`, { key: keys.admin });
      expect([status, body['code'], body['detail']]).toEqual([409, 'no-earlier-build', why]);
    }
    const stopped = mkdtempSync(join(tmpdir(), 'homing-e2e-'));
    const { code, error } = await homing(['rebuild', 'facts', '--rollback'], { HOMING_DATA_DIR: stopped });
    rmSync(stopped, { recursive: true, force: true });
    expect([code, error]).toEqual([1, expect.stringContaining('no-earlier-build: facts: no earlier build was kept')]);
  }, 60_000);

  it('goes back to no build of other code, and says so', async () => {
    const { client } = service.parts.engines.redis;
    const asked = ['rebuild', 'inbox', '--rollback', ...onService()];
    const marker = 'inbox:v2:{00-01}:$marker';
    const made = JSON.parse((await client.get(marker)) ?? '') as object;
    await client.set(marker, JSON.stringify({ ...made, version: 99 }));
    const refused = await homing(asked);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.error).toContain('no-earlier-build: inbox/0: build 2 was made by another version of the code');
    await client.set(marker, JSON.stringify(made));
    expect(await homing(asked)).toMatchObject({ code: 0, out: 'read from now on: inbox\n' });
    expect((await homing(['lag', ...onService()])).out).toMatch(/^inbox +0 +2 +active/m);
  });

  it('says what to do when it is asked for the impossible', async () => {
    expect(await homing(['rebuild', 'nothing', ...onService()])).toMatchObject({ code: 1 });
    expect((await homing(['rebuild', ...onService()])).error).toContain('name read models, or say --all');
    const held = await homing(['verify'], { HOMING_DATA_DIR: service.directory });
    expect(held).toMatchObject({ code: 1, error: expect.stringContaining('--url') });
    expect((await homing(['dead-letters', 'list', ...onService()])).out).toBe('nothing is parked\n');
    const missing = await homing(['dead-letters', 'retry', 'inbox', '1', ...onService()]);
    expect(missing).toMatchObject({ code: 1, error: expect.stringContaining('no event is parked at position 1') });
  });

  it('ends with 1 and names the row when something differs', async () => {
    const { client } = service.parts.engines.redis;
    const [key = ''] = await client.keys('cards:v*:member:anna');
    await client.set(key, '{"memberId":"anna","displayName":"somebody else"}');
    const { code, out } = await homing(['verify', 'cards', ...onService()]);
    expect(code).toBe(1);
    expect(out).toContain('1 differences');
    expect(out).toContain('member:anna: expected {');
    expect(await homing(['rebuild', 'cards', ...onService()])).toMatchObject({ code: 0 });
    expect((await homing(['verify', 'cards', ...onService()])).code).toBe(0);
  });
});
