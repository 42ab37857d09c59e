// Two API processes on one log, reached as EventStoreDB is: what one writes the other decides on, and a command sent to
// both at the same time is carried out once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendBytesMaxDefault, EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { ProtocolServer } from '../../src/event-log/protocol/protocol-server.js';
import { eventually } from '../stores/eventually.js';
import { keys, RunningService } from './running-service.js';

let directory: string;
let log: EmbeddedEventLog;
let server: ProtocolServer;
let one: RunningService;
let two: RunningService;
let conversationId: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-shared-'));
  log = await EmbeddedEventLog.open(join(directory, 'log'));
  server = await ProtocolServer.start({ log, host: '127.0.0.1', port: 0, appendBytesMax: appendBytesMaxDefault });
  const environment = {
    HOMING_ROLE: 'api',
    HOMING_EVENT_LOG: `esdb://127.0.0.1:${server.port}?tls=false`,
    HOMING_MASTER_KEY: Buffer.alloc(32, 5).toString('base64'),
  };
  one = await RunningService.start(environment);
  two = await RunningService.start(environment);
  // Without a projector nobody can count friends, and so nobody becomes friends; strangers may talk once that is accepted.
  await one.register('anna', 'bert');
  const start = { kind: 'direct', memberId: 'bert' };
  conversationId = String(
    (await one.send('POST', '/v1/conversations', { member: 'anna', body: start })).body['conversationId'],
  );
  await one.send('POST', `/v1/conversations/${conversationId}/accept`, { member: 'bert' });
}, 60_000);
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await server.close();
  await log.close();
  rmSync(directory, { recursive: true, force: true });
});

const path = () => `/v1/conversations/${conversationId}/messages`;

describe('two API processes on one log', () => {
  it('carry out a command once that is sent to both at the same time', async () => {
    const before = await one.countEvents();
    const sent = { member: 'anna', body: { body: 'to both' }, idempotencyKey: 'both' };
    const answers = await Promise.all([one, two, one, two].map((service) => service.send('POST', path(), sent)));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ body }) => JSON.stringify([body['messageId'], body['seq']]))).size).toBe(1);
    expect(await one.countEvents()).toBe(before + 1);
  });

  it('number the messages of one thread without a gap or a double, whoever sends them', async () => {
    const before = Number((await one.send('POST', path(), { member: 'anna', body: { body: 'first' } })).body['seq']);
    // Each writes one after the other; both at the same time, so that they meet.
    const sendTen = async (service: RunningService, member: string) => {
      const seqs: number[] = [];
      for (let n = 0; n < 10; n += 1) {
        const sent = { member, body: { body: `${n}` }, idempotencyKey: `${member}-${n}` };
        let answer = await service.send('POST', path(), sent);
        // Asked to come again: the same command, the same key.
        while (answer.status === 503) answer = await service.send('POST', path(), sent);
        seqs.push(Number(answer.body['seq']));
      }
      return seqs;
    };
    const seqs = (await Promise.all([sendTen(one, 'anna'), sendTen(two, 'bert')])).flat();
    expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => before + 1 + n));
  });

  it('see at once what the other has written: a block holds', async () => {
    await one.send('PUT', '/v1/blocks/bert', { member: 'anna' });
    const refused = await two.send('POST', path(), { member: 'bert', body: { body: 'hello?' } });
    expect(refused.body['code']).toBe('member-not-available');
    await two.send('DELETE', '/v1/blocks/bert', { member: 'anna' });
    expect((await one.send('POST', path(), { member: 'bert', body: { body: 'hello' } })).status).toBe(201);
  });

  it('count an observation once that both are sent', async () => {
    const data = { sessionId: 's', memberId: 'anna', entry: 'organic' };
    const time = new Date().toISOString();
    const item = { specversion: '1.0', id: 'o1', source: 'device', type: 'SessionStarted', time, data };
    const before = await one.countEvents();
    const answers = await Promise.all(
      [one, two].map((service) => service.send('POST', '/v1/events', { body: [item] })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    // Both may say "accepted": the log takes the same event with the same id at the same place for one append.
    expect(await one.countEvents()).toBe(before + 1);
    expect((await two.send('POST', '/v1/events', { body: [item] })).body).toMatchObject({ duplicates: 1 });
  });

  it('both refuse a key that one was told to end', async () => {
    const made = await one.send('POST', '/v1/keys', { key: keys.admin, body: { name: 'short', scopes: ['admin'] } });
    const key = String(made.body['token']);
    const asked = async () => (await two.send('GET', '/v1/keys', { key })).status;
    await eventually(async () => (await asked()) === 200);
    await one.send('DELETE', `/v1/keys/${String(made.body['id'])}`, { key: keys.admin });
    await eventually(async () => (await asked()) === 401);
    expect(await asked()).toBe(401);
  });
});
