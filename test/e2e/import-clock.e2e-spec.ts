// A history that is imported: its own time, its timers, its visitors; kept over a restart, and never backwards.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { keys, RunningService, type Sent } from './running-service.js';

let service: RunningService;
beforeAll(async () => {
  service = await RunningService.start({ HOMING_CLOCK: 'import' });
});
afterAll(() => service.stop());

function at(now: string, sent: Sent = {}): Sent {
  return { key: keys.import, ...sent, headers: { 'homing-now': now, ...sent.headers } };
}
function registration(memberId: string) {
  return { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
}
async function newestOf(stream: string): Promise<RecordedEvent | undefined> {
  for await (const page of service.parts.engines.log.readStream(stream, { direction: 'backwards', limit: 1 })) {
    return page.map(decodeHidden)[0];
  }
  return undefined;
}

describe('a service on the import clock', () => {
  it('takes nothing before somebody says what time it is', async () => {
    const answer = await service.send('POST', '/v1/members', { key: keys.import, body: registration('early') });
    expect(answer.body).toMatchObject({ status: 409, code: 'clock-not-set' });
  });

  it('records what happens at the time that the importer says', async () => {
    const sent = at('2025-03-01T10:00:00.000Z', { body: registration('anna') });
    expect((await service.send('POST', '/v1/members', sent)).status).toBe(201);
    expect((await newestOf('member-anna'))?.metadata).toMatchObject({
      occurredAt: '2025-03-01T10:00:00.000Z',
      receivedAt: '2025-03-01T10:00:00.000Z',
      source: 'import',
    });
  });

  it('lets commands in flight have a time of their own, a day ahead at most', async () => {
    const ahead = (occurredAt: string, memberId: string) =>
      service.send(
        'POST',
        '/v1/members',
        at('2025-03-01T10:00:00.000Z', {
          body: registration(memberId),
          headers: { 'homing-occurred-at': occurredAt },
        }),
      );
    expect((await ahead('2025-03-02T10:00:00.000Z', 'bert')).status).toBe(201);
    expect((await newestOf('member-bert'))?.metadata.receivedAt).toBe('2025-03-02T10:00:00.000Z');
    expect((await ahead('2025-03-02T10:00:00.001Z', 'cleo')).body['code']).toBe('occurred-at-too-far');
    const clock = await service.send('POST', '/v1/clock', { key: keys.import, body: { now: '2025-03-01T10:00:00Z' } });
    expect(clock.body).toEqual({ now: '2025-03-01T10:00:00.000Z' });
  });

  it('never goes back, and goes on after a restart', async () => {
    const set = (now: string) => service.send('POST', '/v1/clock', { key: keys.import, body: { now } });
    expect((await set('2025-03-05T00:00:00Z')).body).toEqual({ now: '2025-03-05T00:00:00.000Z' });
    expect((await set('2025-03-04T00:00:00Z')).body).toEqual({ now: '2025-03-05T00:00:00.000Z' });
    await service.restart();
    expect((await set('2025-03-01T00:00:00Z')).body).toEqual({ now: '2025-03-05T00:00:00.000Z' });
  });

  it('counts limits, windows and what is late by that clock', async () => {
    const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'bert' };
    const data = { viewId: 'v', memberId: 'anna', contentRef, surface: 'feed', dwellMs: 1_000 };
    const view = (id: string, time: string) => ({
      specversion: '1.0',
      id,
      source: 's',
      type: 'ContentViewed',
      time,
      data,
    });
    const body = [view('in-time', '2025-03-04T12:00:00Z'), view('late', '2025-02-20T12:00:00Z')];
    const answer = await service.send('POST', '/v1/events', at('2025-03-05T12:00:00Z', { body }));
    expect(answer.body['items']).toMatchObject([{ status: 'accepted' }, { status: 'rejected', code: 'too-late' }]);
  });

  it('refuses a time that is none', async () => {
    const answer = await service.send('POST', '/v1/members', at('yesterday', { body: registration('dora') }));
    expect(answer.body['code']).toBe('invalid-header');
  });
});
