// The limits of friendship over HTTP: counted by the read model of friends, enforced where the request is decided.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { friendKeys } from '../../projections/friends.document.js';
import { friendsMax, requestsPerDayNewMax } from '../../src/domain/friendship/friendship.decider.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import { buildPrefix } from '../../src/kernel/document-keys.js';
import { keys, RunningService } from './running-service.js';

let service: RunningService;
const others = Array.from({ length: requestsPerDayNewMax + 2 }, (_, index) => `other${index}`);
const active = 'friends:{00-01}:active';
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

/** So many more friends, put straight into the read model: nobody makes thousands by hand. */
async function plantFriends(memberId: string, howMany: number): Promise<void> {
  const { client } = service.parts.engines.redis;
  const build = Number(await client.get(active));
  const key = buildPrefix({ projection: 'friends', shard: 0, shards: 1 }, build) + friendKeys.friends(memberId);
  const members = Array.from({ length: howMany }, (_, index) => [index, `planted${index}`]).flat();
  await client.zadd(key, ...members);
}

async function mutualAtFormation(stream: string): Promise<unknown> {
  for await (const page of service.parts.engines.log.readStream(stream)) {
    for (const event of page.map(decodeHidden)) {
      if (event.type === 'FriendshipFormed') return (event.data as Record<string, unknown>)['mutualFriendsAtFormation'];
    }
  }
  throw new Error(`${stream}: no friendship`);
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
});

describe('friends that cannot be counted', () => {
  it('are not made: 503 with a code and a time to come again, and then the same request is taken', async () => {
    for (const memberId of ['bob', 'cid', 'dan']) await register(memberId);
    await ask('dan', 'bob', 2);
    const { client } = service.parts.engines.redis;
    const build = String(await client.get(active));
    await client.del(active);
    const asked = await send('/v1/friend-requests', 'bob', { toMemberId: 'cid' }, 2, 'bob-cid');
    const accepted = await send('/v1/friend-requests/dan/accept', 'bob', {}, 2, 'bob-dan');
    // What needs no count is not held up.
    const repeated = await send('/v1/friend-requests', 'dan', { toMemberId: 'bob' }, 2, 'dan-bob');
    await client.set(active, build);
    for (const { status, body, headers } of [asked, accepted]) {
      expect([status, body['code'], headers.get('retry-after')]).toEqual([503, 'friend-limits-unknown', '1']);
    }
    expect(repeated.status).toBe(201);
    expect((await send('/v1/friend-requests', 'bob', { toMemberId: 'cid' }, 2, 'bob-cid')).status).toBe(201);
    expect((await send('/v1/friend-requests/dan/accept', 'bob', {}, 2, 'bob-dan')).status).toBe(200);
  });
});

describe('the friend limit', () => {
  it('holds for acceptances one after the other, however late the read model is', async () => {
    const askers = ['eva', 'flo', 'gus', 'hal'];
    for (const memberId of ['pop', ...askers]) await register(memberId);
    for (const asker of askers) await ask(asker, 'pop', 2);
    await plantFriends('pop', friendsMax - 2);
    const answers: [number, unknown][] = [];
    for (const asker of askers) {
      const { status, body } = await send(`/v1/friend-requests/${asker}/accept`, 'pop', {}, 2);
      answers.push([status, body['code']]);
    }
    const refused = [409, 'friend-limit-reached'];
    expect(answers).toEqual([[200, undefined], [200, undefined], refused, refused]);
  });
});

describe('a friendship', () => {
  it('is recorded with how many friends the two had in common at that moment', async () => {
    for (const memberId of ['ida', 'jan', 'kim', 'leo']) await register(memberId);
    for (const [a, b] of [
      ['ida', 'kim'],
      ['jan', 'kim'],
      ['ida', 'leo'],
      ['jan', 'leo'],
      ['ida', 'jan'],
    ] as const) {
      await ask(a, b, 3);
      const { body } = await send(`/v1/friend-requests/${a}/accept`, b, {}, 3);
      await service.send('GET', `/v1/friends?limit=1&minPosition=${String(body['position'])}`, { member: a });
    }
    expect(await mutualAtFormation('friendship-ida_kim')).toBe(0);
    expect(await mutualAtFormation('friendship-ida_jan')).toBe(2);
  });
});
