// What the app and brands do, over HTTP: each act is recorded as the domain has it, and what is personal is unreadable
// in the log.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import { brandConversationId, directConversationId } from '../../src/kernel/ids.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { keys, RunningService, type Sent } from './running-service.js';

let service: RunningService;

beforeAll(async () => {
  service = await RunningService.start();
  await service.register('anna', 'bert', 'cleo');
  const brand = { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' };
  await service.send('POST', '/v1/brands', { key: keys.admin, body: brand });
});
afterAll(() => service.stop());

async function eventsOf(stream: string): Promise<RecordedEvent[]> {
  const found: RecordedEvent[] = [];
  for await (const page of service.parts.engines.log.readStream(stream)) found.push(...page.map(decodeHidden));
  return found;
}

/** The types of the events that a request added to a stream, and its answer. */
async function led(stream: string, method: string, path: string, sent: Sent) {
  const before = (await eventsOf(stream)).length;
  const answer = await service.send(method, path, sent);
  const added = (await eventsOf(stream)).slice(before);
  return { ...answer, types: added.map(({ type }) => type), events: added };
}

describe('members', () => {
  it('register, change what they show and what they allow', async () => {
    const profile = { displayName: 'Anna B.' };
    expect(
      (await led('member-anna', 'PATCH', '/v1/members/me/profile', { member: 'anna', body: profile })).types,
    ).toEqual(['MemberProfileChanged']);
    const settings = { allowIncoming: 'friends', readReceipts: true, discoverable: true, showSharer: false };
    const changed = await led('member-anna', 'PUT', '/v1/members/me/settings', { member: 'anna', body: settings });
    expect(changed).toMatchObject({ status: 200, types: ['PrivacySettingsChanged'], events: [{ data: { settings } }] });
    const path = '/v1/members/me/consents/brand_measurement';
    const consent = (granted: boolean) => ({ member: 'anna', body: { granted, policyVersion: '3' } });
    expect((await led('member-anna', 'PUT', path, consent(true))).types).toEqual(['ConsentGranted']);
    expect((await led('member-anna', 'PUT', path, consent(true))).types).toEqual([]);
    expect((await led('member-anna', 'PUT', path, consent(false))).types).toEqual(['ConsentWithdrawn']);
  });

  it('may be named by the server', async () => {
    const body = { handle: 'new', displayName: 'New', ageBand: 'unknown', country: 'DE' };
    const made = await service.send('POST', '/v1/members', { body, idempotencyKey: 'new-member' });
    expect(made.body).toMatchObject({ memberId: expect.stringMatching(/^[0-9a-f-]{36}$/), revision: 0 });
    expect((await service.send('POST', '/v1/members', { body, idempotencyKey: 'new-member' })).body).toEqual(made.body);
  });
});

describe('friendships', () => {
  const ask = (from: string, to: string) =>
    led('friendship-anna_bert', 'POST', '/v1/friend-requests', { member: from, body: { toMemberId: to, note: 'hi!' } });

  it('are asked for and answered; a crossed request is the acceptance', async () => {
    expect((await ask('anna', 'bert')).types).toEqual(['FriendRequestSent']);
    expect(
      (await led('friendship-anna_bert', 'POST', '/v1/friend-requests/bert/cancel', { member: 'anna' })).types,
    ).toEqual(['FriendRequestCancelled']);
    const asked = await ask('anna', 'bert');
    expect(asked).toMatchObject({ status: 201, body: { state: 'requested' } });
    const crossed = await ask('bert', 'anna');
    expect(crossed).toMatchObject({
      types: ['FriendRequestAccepted', 'FriendshipFormed'],
      body: { state: 'friends', requestId: asked.body['requestId'] },
    });
  });

  it('end by a removal or a block, which ends all at once', async () => {
    const stream = 'friendship-anna_cleo';
    await service.befriend('anna', 'cleo');
    expect((await led(stream, 'DELETE', '/v1/friends/cleo', { member: 'anna' })).types).toEqual(['FriendshipEnded']);
    await service.befriend('cleo', 'anna');
    const blocked = await led(stream, 'PUT', '/v1/blocks/anna', { member: 'cleo', body: { context: 'conversation' } });
    expect(blocked.types.toSorted()).toEqual(['FriendshipEnded', 'MemberBlocked']);
    expect((await led(stream, 'DELETE', '/v1/blocks/anna', { member: 'cleo' })).types).toEqual(['MemberUnblocked']);
    expect((await led(stream, 'DELETE', '/v1/friends/cleo', { member: 'anna' })).types).toEqual([]);
  });

  it('are declined without the asking one being told', async () => {
    const stream = 'friendship-bert_cleo';
    await service.send('POST', '/v1/friend-requests', { member: 'bert', body: { toMemberId: 'cleo' } });
    const declined = await led(stream, 'POST', '/v1/friend-requests/bert/decline', { member: 'cleo' });
    expect(declined).toMatchObject({ status: 200, types: ['FriendRequestDeclined'] });
  });
});

describe('moments', () => {
  it('are published, reacted to and deleted', async () => {
    const contentRef = { kind: 'photo', contentId: 'sunset', creatorId: 'anna' };
    const body = { momentId: 'm1', contentRef, caption: 'look at this' };
    const stream = 'moment-m1';
    const published = await led(stream, 'POST', '/v1/moments', { member: 'anna', body });
    expect(published).toMatchObject({
      types: ['MomentPublished'],
      events: [{ data: { audience: 'friends', allowReshare: true, productRefs: [], authorId: 'anna' } }],
    });
    expect(published.events[0]?.data).not.toHaveProperty('caption');
    const react = (member: string, reaction: string) =>
      led(stream, 'PUT', '/v1/moments/m1/reaction', { member, body: { reaction } });
    expect((await react('bert', '❤️')).types).toEqual(['MomentReacted']);
    expect((await react('cleo', '❤️')).body['code']).toBe('moment-not-found');
    expect((await led(stream, 'DELETE', '/v1/moments/m1/reaction', { member: 'bert' })).types).toEqual([
      'MomentReactionRemoved',
    ]);
    expect((await led(stream, 'DELETE', '/v1/moments/m1', { member: 'bert' })).body['code']).toBe('moment-not-found');
    expect((await led(stream, 'DELETE', '/v1/moments/m1', { member: 'anna' })).types).toEqual(['MomentDeleted']);
  });
});

describe('conversations', () => {
  const conversationId = directConversationId('anna', 'bert');
  const thread = `thread-${conversationId}`;
  const messages = `/v1/conversations/${conversationId}/messages`;
  const product = {
    productRef: { productId: 'sneaker', brandId: 'shoes', category: 'footwear' },
    name: 'Sneaker',
    price: { amountMinor: 9_900, currency: 'EUR' },
    available: true,
    sensitive: false,
  };

  it('between two are one for ever', async () => {
    const start = (member: string, other: string) =>
      led(`conversation-${conversationId}`, 'POST', '/v1/conversations', {
        member,
        body: { kind: 'direct', memberId: other },
      });
    expect(await start('anna', 'bert')).toMatchObject({ status: 201, types: ['ConversationStarted'] });
    expect(await start('bert', 'anna')).toMatchObject({ status: 200, types: [], body: { conversationId } });
  });

  it('carry messages in order, with a share for a card that names none', async () => {
    const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'cleo' };
    const body = { body: 'watch this', attachments: [{ kind: 'share_card', contentRef }] };
    const sent = await led(thread, 'POST', messages, { member: 'anna', body });
    const shareId = String(sent.body['shareId']);
    expect(sent.body).toMatchObject({ seq: 0, messageId: sent.body['messageId'] });
    expect(sent.events[0]?.data).toMatchObject({
      shareId,
      senderId: 'anna',
      recipientIds: ['bert'],
      bodyMeta: { words: 2, hasLink: false, mediaKinds: ['share_card'] },
    });
    const share = await eventsOf(`share-${shareId}`);
    expect(share.map(({ type }) => type)).toEqual(['ShareInitiated', 'ShareCompleted']);
    expect(share[1]?.data).toMatchObject({
      destination: 'dm',
      recipients: { conversationIds: [conversationId], memberIds: ['bert'], count: 1 },
      messageIds: [sent.body['messageId']],
    });
    const answered = await led(thread, 'POST', messages, { member: 'bert', body: { body: 'wow' } });
    expect(answered.events[0]).toMatchObject({ revision: 1, data: { answersShareId: shareId } });
  });

  it('show products at the price of the moment', async () => {
    await service.send('POST', '/v1/products', { key: keys.brand, body: product });
    const card = { kind: 'product_card', productRef: { productId: 'sneaker', brandId: 'shoes' } };
    const send = () => led(thread, 'POST', messages, { member: 'anna', body: { attachments: [card] } });
    const before = await send();
    const cheaper = { ...product, price: { amountMinor: 7_900, currency: 'EUR' }, available: false };
    await service.send('PUT', '/v1/products/sneaker', { key: keys.brand, body: cheaper });
    const after = await send();
    const attached = (events: readonly RecordedEvent[]) =>
      (events[0]?.data as { attachments: object[] } | undefined)?.attachments[0];
    expect(attached(before.events)).toMatchObject({
      priceSnapshot: { amountMinor: 9_900, currency: 'EUR' },
      availabilitySnapshot: true,
      productRef: product.productRef,
    });
    expect(attached(after.events)).toMatchObject({
      priceSnapshot: { amountMinor: 7_900 },
      availabilitySnapshot: false,
    });
    const claimed = { attachments: [{ ...card, priceSnapshot: { amountMinor: 1, currency: 'EUR' } }] };
    expect((await service.send('POST', messages, { member: 'anna', body: claimed })).body['code']).toBe(
      'unknown-field',
    );
    const unknown = { attachments: [{ ...card, productRef: { productId: 'hat', brandId: 'shoes' } }] };
    expect((await service.send('POST', messages, { member: 'anna', body: unknown })).body['code']).toBe(
      'product-not-found',
    );
  });

  it('are read up to a mark that only moves forward', async () => {
    const stream = `readmark-${conversationId}_bert`;
    const read = (seq: number) =>
      led(stream, 'POST', `/v1/conversations/${conversationId}/read`, { member: 'bert', body: { seq } });
    expect((await read(1)).types).toEqual(['ConversationReadUpTo']);
    expect(await read(0)).toMatchObject({ types: [], body: { readUpTo: 1 } });
    expect((await read(99)).body['code']).toBe('seq-not-reached');
    const path = `/v1/conversations/${conversationId}/read`;
    expect((await service.send('POST', path, { member: 'cleo', body: { seq: 0 } })).body['code']).toBe(
      'conversation-not-found',
    );
  });

  it('take nothing from outsiders, and nothing across a block', async () => {
    const say = (member: string) => service.send('POST', messages, { member, body: { body: 'hello?' } });
    expect((await say('cleo')).body['code']).toBe('conversation-not-found');
    await service.send('PUT', '/v1/blocks/bert', { member: 'anna' });
    expect((await say('bert')).body['code']).toBe('member-not-available');
    expect((await say('anna')).body['code']).toBe('member-not-available');
    await service.send('DELETE', '/v1/blocks/bert', { member: 'anna' });
  });

  it('with a brand are opened by the customer and answered by agents and bots', async () => {
    const withBrand = brandConversationId('cleo', 'shoes');
    const started = await service.send('POST', '/v1/conversations', {
      member: 'cleo',
      body: { kind: 'brand', brandId: 'shoes', origin: 'product_page' },
    });
    expect(started.body['conversationId']).toBe(withBrand);
    const answerAs = (agent: string) =>
      led(`thread-${withBrand}`, 'POST', `/v1/brands/shoes/conversations/${withBrand}/messages`, {
        key: keys.brand,
        headers: { 'homing-agent': agent },
        body: { body: 'how can we help?' },
      });
    expect((await answerAs('eva;human')).body['code']).toBe('reply-window-closed');
    await service.send('POST', `/v1/conversations/${withBrand}/messages`, {
      member: 'cleo',
      body: { body: 'size 40?' },
    });
    expect((await answerAs('helper;bot')).events[0]).toMatchObject({
      data: { side: 'brand', senderKind: 'bot', senderId: 'helper', recipientIds: ['cleo'] },
      metadata: { actor: { kind: 'bot', id: 'helper' }, source: 'partner' },
    });
    expect((await answerAs('eva;human')).types).toEqual(['MessageSent']);
    const read = { key: keys.brand, headers: { 'homing-agent': 'eva;human' }, body: { seq: 0 } };
    const path = `/v1/brands/shoes/conversations/${withBrand}/read`;
    expect((await led(`readmark-${withBrand}_shoes`, 'POST', path, read)).types).toEqual(['ConversationReadUpTo']);
    const foreign = `/v1/brands/shoes/conversations/${conversationId}/messages`;
    expect((await service.send('POST', foreign, { ...read, body: { body: 'hi' } })).body['code']).toBe(
      'conversation-not-found',
    );
  });
});

describe('what people write', () => {
  it('stands nowhere in the log in clear', async () => {
    let bytes = '';
    for await (const page of service.parts.engines.log.readAll()) {
      for (const { data, metadata } of page) bytes += Buffer.from(data).toString() + Buffer.from(metadata).toString();
    }
    expect(bytes).toContain('sunset');
    for (const text of ['Anna B.', 'hi!', 'look at this', 'watch this', 'size 40?', 'how can we help?']) {
      expect(bytes).not.toContain(text);
    }
  });
});
