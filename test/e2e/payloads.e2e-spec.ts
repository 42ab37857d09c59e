// What an app may say beside the least it must: it is recorded as it was said, and what it promises is kept.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { type Answer, keys, RunningService } from './running-service.js';

let service: RunningService;
let conversationId: string;

beforeAll(async () => {
  service = await RunningService.start();
  conversationId = await service.talkBetween('ann', 'bob');
  await service.register('cid', 'dan');
});
afterAll(() => service.stop());

async function as(member: string, method: string, path: string, body?: object, headers = {}): Promise<Answer> {
  const answer = await service.send(method, path, { member, headers, ...(body ? { body } : {}) });
  if (answer.status > 201) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer;
}
/** The newest event of this type. */
async function newest(type: string): Promise<RecordedEvent> {
  let found: RecordedEvent | undefined;
  for await (const page of service.parts.engines.log.readAll()) {
    found =
      page
        .filter((event) => event.type === type)
        .map(decodeHidden)
        .at(-1) ?? found;
  }
  if (!found) throw new Error(`no ${type}`);
  return found;
}

describe('what is said is recorded', () => {
  it('of a friend request: the suggestion or the invitation; of a block: the report', async () => {
    const led = { origin: 'suggestion', suggestionId: 'suggestion-1', shareLinkId: 'link-1' };
    await as('cid', 'POST', '/v1/friend-requests', { toMemberId: 'dan', ...led });
    expect((await newest('FriendRequestSent')).data).toMatchObject(led);
    const block = { context: 'conversation', reportId: 'report-1' };
    await as('cid', 'PUT', '/v1/blocks/dan', block);
    expect((await newest('MemberBlocked')).data).toMatchObject(block);
  });

  it('of a message: whom it names, among those who take part, and its language', async () => {
    const path = `/v1/conversations/${conversationId}/messages`;
    await as('ann', 'POST', path, { body: 'hallo Bob', lang: 'de-AT', mentions: ['bob', 'bob'] });
    const bodyMeta = { graphemes: 9, words: 2, hasLink: false, mediaKinds: [], lang: 'de-AT' };
    expect((await newest('MessageSent')).data).toMatchObject({ mentions: ['bob'], bodyMeta });
    const other = await service.send('POST', path, { member: 'ann', body: { body: 'x', mentions: ['cid'] } });
    expect([other.status, other.body['code']]).toEqual([422, 'unknown-mention']);
  });

  it('of a conversation: what it began with', async () => {
    const start = { kind: 'direct', memberId: 'bob', origin: 'share', originRef: 'share-1' };
    await as('cid', 'POST', '/v1/conversations', start);
    expect((await newest('ConversationStarted')).data).toMatchObject({ originRef: 'share-1' });
  });

  it('of settings: group invitations and presence, also alone', async () => {
    const settings = { allowIncoming: 'everyone', readReceipts: true, discoverable: true, showSharer: false };
    const more = { ...settings, allowGroupInvites: 'friends', presence: false };
    await as('ann', 'PUT', '/v1/members/me/settings', more);
    expect((await newest('PrivacySettingsChanged')).data).toMatchObject({ settings: more });
    await as('ann', 'PUT', '/v1/members/me/settings', settings);
    expect((await newest('PrivacySettingsChanged')).data).toEqual({ memberId: 'ann', settings });
  });

  it('of an order: whether it is the first; of it and of what is given back: the sum in the currency of the reports', async () => {
    await service.send('POST', '/v1/brands', {
      key: keys.admin,
      body: { brandId: 'shoes', name: 'S', timeZone: 'UTC' },
    });
    const productRef = { productId: 'boot', brandId: 'shoes' };
    const price = { amountMinor: 100, currency: 'EUR' };
    const product = { productRef, name: 'Boot', price, available: true, sensitive: false };
    await service.send('POST', '/v1/products', { key: keys.admin, body: product });
    const items = [{ productRef, quantity: 1, unitPriceMinor: 100 }];
    const more = { isFirstOrder: true, reporting: { amountMinor: 108, currency: 'USD', rate: 1.08 } };
    const order = await as('ann', 'POST', '/v1/orders', { brandId: 'shoes', currency: 'EUR', items, ...more });
    expect((await newest('PurchaseCompleted')).data).toMatchObject(more);
    const back = { items: [{ productRef, quantity: 1, amountMinor: 100 }] };
    const reporting = { amountMinor: 110, currency: 'USD', rate: 1.1 };
    await as('ann', 'POST', `/v1/orders/${String(order.body['orderId'])}/refunds`, { ...back, reporting });
    expect((await newest('PurchaseRefunded')).data).toMatchObject({ amountMinor: 100, reporting });
  });

  it('of a session: its own device before the batch’s', async () => {
    const data = { sessionId: 's1', memberId: 'ann', entry: 'organic' };
    const event = {
      specversion: '1.0',
      id: 'e1',
      source: 'gateway',
      type: 'SessionStarted',
      time: new Date().toISOString(),
    };
    const device = { platform: 'android', appVersion: '4.5', country: 'CH' };
    const items = [{ ...event, data: { ...data, ...device } }];
    const headers = { 'homing-platform': 'server', 'homing-country': 'US', 'homing-locale': 'de-CH' };
    await service.send('POST', '/v1/events', { body: items, headers });
    const { data: recorded, metadata } = await newest('SessionStarted');
    expect(recorded).toEqual({ ...data, ...device });
    expect(metadata).toMatchObject({ ...device, locale: 'de-CH' });
  });

  it('of the circumstances: surface, time zone, experiments, and the policy that was last chosen under', async () => {
    await as('bob', 'PUT', '/v1/members/me/consents/partner_sharing', { granted: true, policyVersion: '2026-02' });
    const headers = {
      'homing-surface': 'conversation',
      'homing-tz-offset': '-300',
      'homing-experiments': 'inbox=b,ranking=control',
    };
    await as('bob', 'POST', `/v1/conversations/${conversationId}/messages`, { body: 'hi' }, headers);
    expect((await newest('MessageSent')).metadata).toMatchObject({
      surface: 'conversation',
      tzOffsetMin: -300,
      experimentArms: [
        { experimentId: 'inbox', arm: 'b' },
        { experimentId: 'ranking', arm: 'control' },
      ],
      consent: { product_analytics: true, brand_measurement: false, partner_sharing: true, policyVersion: '2026-02' },
    });
    const bad = await service.send('GET', '/v1/unread', { member: 'bob', headers: { 'homing-experiments': 'inbox' } });
    expect([bad.status, bad.body['code']]).toEqual([400, 'invalid-header']);
  });
});

describe('a moment kept from some', () => {
  const contentRef = { kind: 'photo', contentId: 'sunset', creatorId: 'ann' };

  it('is in nobody’s feed but theirs who may see it, and tells nobody whom it is kept from', async () => {
    await service.befriend('ann', 'cid');
    const kept = { mentions: ['bob'], exceptMemberIds: ['cid'], allowComments: false };
    const expiresAt = '2999-01-01T00:00:00.000Z';
    const moment = { momentId: 'm1', contentRef, ...kept, expiresAt };
    const { body } = await as('ann', 'POST', '/v1/moments', moment);
    const seenBy = async (member: string) => {
      const answer = await as(member, 'GET', `/v1/feed?minPosition=${String(body['position'])}`);
      return (answer.body['items'] as { moment: Record<string, unknown> }[]).map((item) => item.moment);
    };
    expect(await seenBy('cid')).toEqual([]);
    expect(await seenBy('ann')).toMatchObject([{ momentId: 'm1', expiresAt, ...kept }]);
    const [shown] = await seenBy('bob');
    expect(shown).toMatchObject({ momentId: 'm1', mentions: ['bob'], allowComments: false });
    expect(shown).not.toHaveProperty('exceptMemberIds');
    const reaction = { member: 'cid', body: { reaction: '👍' } };
    expect((await service.send('PUT', '/v1/moments/m1/reaction', reaction)).body['code']).toBe('moment-not-found');
  });

  it('cannot expire before it is there', async () => {
    const moment = { contentRef, expiresAt: '2020-01-01T00:00:00.000Z' };
    const refused = await service.send('POST', '/v1/moments', { member: 'ann', body: moment });
    expect([refused.status, refused.body['code']]).toEqual([422, 'expiry-passed']);
  });

  it('takes one emoji as a reaction, and no other text', async () => {
    for (const reaction of ['nice', '😂😂', '']) {
      const { status } = await service.send('PUT', '/v1/moments/m1/reaction', { member: 'bob', body: { reaction } });
      expect([reaction, status]).toEqual([reaction, 400]);
    }
    await as('bob', 'PUT', '/v1/moments/m1/reaction', { reaction: '👨🏻‍👩🏻‍👧🏻‍👦🏻' });
  });
});
