// The limits of friendship over HTTP: counted by the read model of friends, enforced where the request is decided.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { requestsPerDayNewMax } from '../../src/domain/friendship/friendship.decider.js';
import { keys, RunningService } from './running-service.js';

let service: RunningService;
const others = Array.from({ length: requestsPerDayNewMax + 2 }, (_, index) => `other${index}`);
const day = (number: number) => ({ 'homing-now': `2026-03-0${number}T12:00:00.000Z` });

beforeAll(async () => {
  service = await RunningService.start({ HOMING_CLOCK: 'import' });
});
afterAll(() => service.stop());

function send(path: string, member: string | undefined, body: object, number: number, idempotencyKey?: string) {
  return service.send('POST', path, {
    key: keys.import,
    ...(member === undefined ? {} : { member }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    body,
    headers: day(number),
  });
}

async function register(memberId: string): Promise<void> {
  const registration = { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
  const { status, body } = await send('/v1/members', undefined, registration, 1);
  if (status !== 201) throw new Error(JSON.stringify(body));
}

/** Asks, and waits until the read model has it. */
async function ask(member: string, toMemberId: string, number: number): Promise<void> {
  const { status, body } = await send('/v1/friend-requests', member, { toMemberId }, number, `${member}-${toMemberId}`);
  expect([status, body['code']]).toEqual([201, undefined]);
  const path = `/v1/friend-requests?direction=out&limit=1&minPosition=${String(body['position'])}`;
  expect((await service.send('GET', path, { member })).body['stale']).toBe(false);
}

describe('a new account', () => {
  it('asks so many people a day and no more; a repeated request is answered, the next day begins anew', async () => {
    for (const memberId of ['ann', ...others]) await register(memberId);
    const [last = '', ...within] = others.toReversed().slice(1);
    for (const other of within) await ask('ann', other, 1);
    const refused = await send('/v1/friend-requests', 'ann', { toMemberId: last }, 1);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({ code: 'request-limit-reached', limit: 20, current: 20 });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Taking one back does not make room: it was sent.
    expect((await send(`/v1/friend-requests/${within[0]}/cancel`, 'ann', {}, 1)).status).toBe(200);
    expect((await send('/v1/friend-requests', 'ann', { toMemberId: last }, 1)).status).toBe(429);
    const again = await send('/v1/friend-requests', 'ann', { toMemberId: within[1] }, 1, `ann-${within[1]}`);
    expect([again.status, again.body['state']]).toEqual([201, 'requested']);
    // Others have their own count, and an acceptance is no request.
    expect((await send('/v1/friend-requests/ann/accept', within[2], {}, 1)).status).toBe(200);
    await ask('ann', last, 2);
  });

  it('is not held up while the read model is being built', async () => {
    await register('bob');
    await register('cid');
    const { client } = service.parts.engines.redis;
    const active = 'friends:{00-01}:active';
    const build = await client.get(active);
    expect(build).not.toBeNull();
    await client.del(active);
    const { status } = await send('/v1/friend-requests', 'bob', { toMemberId: 'cid' }, 2);
    await client.set(active, String(build));
    expect(status).toBe(201);
  });
});
