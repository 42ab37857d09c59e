// Strangers who write: a list of their own, little to say, and an answer that lets them in; with the members' settings kept.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, RunningService } from './running-service.js';

let service: RunningService;
const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'ann' };

beforeAll(async () => {
  service = await RunningService.start();
  await service.register('ann', 'bob', 'cid', 'dan', 'eve');
});
afterAll(() => service.stop());

function as(member: string, path: string, body: object = {}, idempotencyKey?: string): Promise<Answer> {
  return service.send('POST', path, { member, body, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });
}
async function begin(from: string, memberId: string): Promise<string> {
  const { status, body } = await as(from, '/v1/conversations', { kind: 'direct', memberId });
  expect(status).toBe(201);
  return `/v1/conversations/${String(body['conversationId'])}`;
}
const say = (from: string, talk: string, body = 'hello') => as(from, `${talk}/messages`, { body });

/** Ids of the other side, as the lists are once they have all of `written`. */
async function listed(member: string, filter: string, written: Answer): Promise<string[]> {
  const path = `/v1/inbox?filter=${filter}&minPosition=${String(written.body['position'])}`;
  const { body } = await service.send('GET', path, { member });
  expect(body['stale']).toBe(false);
  return (body['items'] as { member: { memberId: string } }[]).map((item) => item.member.memberId);
}

describe('a stranger who writes', () => {
  it('waits among the requests, makes no badge, and is let in by the answer', async () => {
    const talk = await begin('ann', 'bob');
    const first = await say('ann', talk);
    expect(await listed('bob', 'requests', first)).toEqual(['ann']);
    expect(await listed('bob', 'accepted', first)).toEqual([]);
    expect(await listed('ann', 'accepted', first)).toEqual(['bob']);
    const unread = await service.send('GET', '/v1/unread', { member: 'bob' });
    expect(unread.body).toMatchObject({ conversations: 0, messages: 0, conversationRequests: 1 });
    const attachments = [{ kind: 'share_card', contentRef }];
    const carded = await as('ann', `${talk}/messages`, { attachments });
    expect([carded.status, carded.body['code']]).toEqual([422, 'text-only-before-acceptance']);
    expect((await say('ann', talk, 'www.example.org')).body['code']).toBe('text-only-before-acceptance');
    await say('ann', talk);
    await say('ann', talk);
    const fourth = await say('ann', talk);
    expect([fourth.status, fourth.body['code'], fourth.body['limit']]).toEqual([409, 'acceptance-awaited', 3]);
    const answer = await as('bob', `${talk}/messages`, { body: 'hi!' }, 'answer');
    expect(await listed('bob', 'accepted', answer)).toEqual(['ann']);
    expect(await listed('bob', 'requests', answer)).toEqual([]);
    expect((await as('bob', `${talk}/messages`, { body: 'hi!' }, 'answer')).body).toEqual(answer.body);
    expect((await as('ann', `${talk}/messages`, { attachments })).status).toBe(201);
  });

  it('may be accepted without a word', async () => {
    const talk = await begin('ann', 'cid');
    await say('ann', talk);
    expect((await as('ann', `${talk}/accept`)).body['code']).toBe('no-open-request');
    const accepted = await as('cid', `${talk}/accept`);
    expect(accepted.status).toBe(200);
    expect(await listed('cid', 'accepted', accepted)).toEqual(['ann']);
    for (let count = 0; count < 5; count += 1) expect((await say('ann', talk)).status).toBe(201);
  });

  it('who is declined finds nobody there, and is in no list; a word to them is a change of mind', async () => {
    const talk = await begin('ann', 'dan');
    await say('ann', talk);
    const declined = await as('dan', `${talk}/decline`);
    expect(await listed('dan', 'requests', declined)).toEqual([]);
    expect(await listed('dan', 'accepted', declined)).toEqual([]);
    expect((await say('ann', talk)).body['code']).toBe('member-not-available');
    const answer = await say('dan', talk);
    expect(await listed('dan', 'accepted', answer)).toEqual(['ann']);
    expect((await say('ann', talk)).status).toBe(201);
  });

  it('is none any more once the two are friends', async () => {
    const talk = await begin('ann', 'eve');
    const card = { attachments: [{ kind: 'share_card', contentRef }] };
    expect((await as('ann', `${talk}/messages`, card)).status).toBe(422);
    await service.befriend('ann', 'eve');
    const sent = await as('ann', `${talk}/messages`, card);
    expect(sent.status).toBe(201);
    expect(await listed('eve', 'accepted', sent)).toEqual(['ann']);
    expect(await listed('eve', 'requests', sent)).toEqual([]);
  });

  it('does not reach who takes messages of friends only', async () => {
    await service.register('fay');
    const settings = { allowIncoming: 'friends', readReceipts: true, discoverable: true, showSharer: false };
    await service.send('PUT', '/v1/members/me/settings', { member: 'fay', body: settings });
    const refused = await as('ann', '/v1/conversations', { kind: 'direct', memberId: 'fay' });
    expect([refused.status, refused.body['code']]).toEqual([404, 'member-not-available']);
  });
});

describe('how people stand to each other', () => {
  const bands = { kid: '13_15', teen: '16_17', old: '18_plus' };
  const everyone = { allowIncoming: 'everyone', readReceipts: false, discoverable: true, showSharer: false };

  it('promises no more than the commands keep, whatever their ages', async () => {
    for (const [memberId, ageBand] of Object.entries(bands)) {
      const registration = { memberId, handle: memberId, displayName: memberId, ageBand, country: 'AT' };
      await service.send('POST', '/v1/members', { body: registration });
      await service.send('PUT', '/v1/members/me/settings', { member: memberId, body: everyone });
    }
    const { body: last } = await service.send('PUT', '/v1/members/me/settings', { member: 'old', body: everyone });
    const promised: string[] = [];
    for (const member of Object.keys(bands)) {
      const path = `/v1/relationships?ids=kid,teen,old&minPosition=${String(last['position'])}`;
      const { body } = await service.send('GET', path, { member });
      for (const other of body['items'] as { memberId: string; canMessage: boolean; canRequest: boolean }[]) {
        const { memberId, canMessage, canRequest } = other;
        if (memberId === member) continue;
        if (canMessage) promised.push(`${member} writes to ${memberId}`);
        if (canRequest) promised.push(`${member} asks ${memberId}`);
      }
    }
    const kept: string[] = [];
    for (const member of Object.keys(bands)) {
      for (const other of Object.keys(bands).filter((id) => id !== member)) {
        const talk = await as(member, '/v1/conversations', { kind: 'direct', memberId: other });
        if (talk.status < 300) kept.push(`${member} writes to ${other}`);
        const request = await as(member, '/v1/friend-requests', { toMemberId: other });
        if (request.status < 300) {
          kept.push(`${member} asks ${other}`);
          await as(member, `/v1/friend-requests/${other}/cancel`);
        }
      }
    }
    expect(promised.toSorted()).toEqual(kept.toSorted());
    expect(kept).not.toContain('old asks kid');
    expect(kept).toContain('kid asks old');
  });
});
