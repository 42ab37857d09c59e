// A share over HTTP: where it went, what carried it, and what came back through its link.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { decodePositionToken } from '../../src/kernel/position-token.js';
import { keys, RunningService } from './running-service.js';

const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' };
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Safari/604.1';

let service: RunningService;
let talks: string[];

beforeAll(async () => {
  service = await RunningService.start();
  talks = [await service.talkBetween('ann', 'bob'), await service.talkBetween('ann2', 'cid')];
  await service.befriend('ann', 'cid');
  const direct = { kind: 'direct', memberId: 'cid', origin: 'profile' };
  talks[1] = String((await ask('ann', '/v1/conversations', direct)).body['conversationId']);
});
afterAll(() => service.stop());

const ask = (member: string, path: string, body?: unknown, idempotencyKey?: string, headers = {}) =>
  service.send('POST', path, { member, body, headers, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });

async function shareOf(member: string, more: object = {}): Promise<string> {
  const { status, body } = await ask(member, '/v1/shares', { contentRef, surface: 'feed', ...more });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return String(body['shareId']);
}

async function eventsAbout(id: string, ...types: string[]): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of service.parts.engines.log.readAll()) {
    for (const event of page) if (types.includes(event.type)) events.push(decodeHidden(event));
  }
  return events.filter(({ data }) => JSON.stringify(data).includes(`"${id}"`));
}

describe('a share inside the app', () => {
  it('is carried by one message per conversation, each with the share, and completed once', async () => {
    const shareId = await shareOf('ann');
    const body = { destinationClass: 'in_app', destination: 'dm', conversationIds: talks, body: 'look at this' };
    const path = `/v1/shares/${shareId}/complete`;
    const answers = await Promise.all([
      ask('ann', path, body, 'same-key'),
      ask('ann', path, body, 'same-key'),
      ask('ann', path, body, 'another-key'),
    ]);
    for (const { status, body: answer } of [...answers, await ask('ann', path, body, 'same-key')]) {
      expect(status).toBe(200);
      expect(answer).toMatchObject({
        shareId,
        messageIds: answers[0]?.body['messageIds'],
        recipients: { conversationIds: talks, memberIds: ['bob', 'cid'], count: 2 },
      });
    }
    const messages = await eventsAbout(shareId, 'MessageSent');
    expect(messages.map(({ stream }) => stream)).toEqual(talks.map((id) => `thread-${id}`));
    expect(messages[0]?.data).toMatchObject({ shareId, attachments: [{ kind: 'share_card', shareId, contentRef }] });
    const [completed, ...more] = await eventsAbout(shareId, 'ShareCompleted');
    expect(more).toEqual([]);
    expect(completed?.data).toMatchObject({ messageIds: answers[0]?.body['messageIds'], lateCompletion: false });
  });

  it('is talked back to by the next message of a recipient', async () => {
    const shareId = await shareOf('ann');
    const body = { destinationClass: 'in_app', destination: 'dm', conversationIds: [talks[0]] };
    await ask('ann', `/v1/shares/${shareId}/complete`, body);
    await ask('bob', `/v1/conversations/${talks[0]}/messages`, { body: 'nice' });
    const [, answer] = await eventsAbout(shareId, 'MessageSent');
    expect(answer?.data).toMatchObject({ senderId: 'bob', answersShareId: shareId });
  });

  it('is made by the server for a bare product card, one per message, and talked back to', async () => {
    const brand = { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' };
    await service.send('POST', '/v1/brands', { key: keys.admin, body: brand });
    for (const productId of ['boot', 'clog']) {
      const productRef = { productId, brandId: 'shoes', category: 'footwear' };
      const price = { amountMinor: 9_900, currency: 'EUR' };
      const body = { productRef, name: productId, price, available: true, sensitive: false };
      const listed = await service.send('POST', '/v1/products', { key: keys.brand, body });
      expect(listed).toMatchObject({ status: 201 });
    }
    const attachments = ['boot', 'clog'].map((productId) => ({
      kind: 'product_card',
      productRef: { productId, brandId: 'shoes' },
    }));
    const message = { messageId: 'two-cards', attachments };
    const path = `/v1/conversations/${talks[0]}/messages`;
    const first = await ask('ann', path, message, 'cards');
    const again = await ask('ann', path, message, 'cards-again');
    const shareId = String(first.body['shareId']);
    expect([again.status, again.body['shareId']]).toEqual([201, shareId]);
    const [completed, ...more] = await eventsAbout(shareId, 'ShareCompleted');
    expect(more).toEqual([]);
    expect(completed?.data).toMatchObject({
      sharerId: 'ann',
      contentRef: { kind: 'product', contentId: 'boot', creatorId: 'shoes', category: 'footwear' },
      productRefs: [{ productId: 'boot' }, { productId: 'clog' }],
      destination: 'dm',
      recipients: { memberIds: ['bob'], count: 1 },
      messageIds: ['two-cards'],
    });
    await ask('bob', path, { body: 'the left ones' });
    const [, answer] = await eventsAbout(shareId, 'MessageSent');
    expect(answer?.data).toMatchObject({ senderId: 'bob', answersShareId: shareId });
  });

  it('reposted is a moment of friends that names its share', async () => {
    const shareId = await shareOf('ann');
    const body = { destinationClass: 'in_app', destination: 'feed_repost', caption: 'see' };
    const { body: answer } = await ask('ann', `/v1/shares/${shareId}/complete`, body);
    const [moment] = await eventsAbout(shareId, 'MomentPublished');
    expect(moment?.data).toMatchObject({
      momentId: answer['momentId'],
      authorId: 'ann',
      contentRef: { ...contentRef, kind: 'repost' },
      audience: 'friends',
    });
    const elsewhere = { destinationClass: 'off_platform', destination: 'x', channelEvidence: 'declared' };
    expect((await ask('ann', `/v1/shares/${shareId}/complete`, elsewhere)).body['code']).toBe(
      'share-already-completed',
    );
  });

  it.each<[string, object, number, string]>([
    ['to a conversation of others', { destination: 'dm', conversationIds: ['nowhere'] }, 404, 'conversation-not-found'],
    ['to a direct talk as if to a brand', { destination: 'brand_conversation' }, 422, 'share-mismatch'],
    ['with a field of another destination', { destination: 'feed_repost' }, 400, 'unknown-field'],
    [
      'to a group, which nobody can have',
      { destination: 'group', conversationIds: undefined },
      422,
      'destination-unavailable',
    ],
    ['to a destination nobody knows', { destination: 'moon' }, 400, 'invalid-body'],
  ])('%s is refused, and still open', async (_, change, status, code) => {
    const shareId = await shareOf('ann');
    const body = { destinationClass: 'in_app', conversationIds: [talks[0]], ...change };
    const answer = await ask('ann', `/v1/shares/${shareId}/complete`, body);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
    expect(await eventsAbout(shareId, 'ShareCompleted', 'MessageSent')).toEqual([]);
  });
});

describe('handing on', () => {
  it('is one deeper under the same root, of the same content', async () => {
    const root = await shareOf('ann');
    const { body } = await ask('bob', '/v1/shares', { contentRef, surface: 'conversation', parentShareId: root });
    expect(body).toMatchObject({ rootShareId: root, depth: 1 });
    const other = { contentRef: { ...contentRef, contentId: 'clip-2' }, surface: 'feed', parentShareId: root };
    expect((await ask('bob', '/v1/shares', other)).body['code']).toBe('parent-share-differs');
    const claimed = { contentRef, surface: 'feed', parentShareId: root, parentEvidence: 'session' };
    expect((await ask('bob', '/v1/shares', claimed)).body['code']).toBe('unknown-field');
    const orphan = { contentRef, surface: 'feed', parentShareId: 'nothing' };
    expect((await ask('bob', '/v1/shares', orphan)).status).toBe(404);
  });
});

describe('sharing a moment on', () => {
  it('ends when its author deletes it, and never begins against the author’s will', async () => {
    const publish = async (allowReshare: boolean) => {
      const body = { contentRef, audience: 'friends', productRefs: [], allowReshare };
      return String((await ask('bob', '/v1/moments', body)).body['momentId']);
    };
    const kept = { contentRef, surface: 'moment', sourceMomentId: await publish(false) };
    expect((await ask('ann', '/v1/shares', kept)).body['code']).toBe('reshare-not-allowed');
    const sourceMomentId = await publish(true);
    const open = { contentRef, surface: 'moment', sourceMomentId };
    expect((await ask('cid', '/v1/shares', open)).body['code']).toBe('moment-not-found');
    const [shareId, late] = [await shareOf('ann', open), await shareOf('ann', open)];
    const complete = (id: string) =>
      ask('ann', `/v1/shares/${id}/complete`, {
        destinationClass: 'in_app',
        destination: 'dm',
        conversationIds: [talks[1]],
      });
    expect((await complete(shareId)).status).toBe(200);
    const [completed] = await eventsAbout(shareId, 'ShareCompleted');
    expect(completed?.data).toMatchObject({ sourceMomentId });
    expect((await service.send('DELETE', `/v1/moments/${sourceMomentId}`, { member: 'bob' })).status).toBe(200);
    expect((await complete(late)).body['code']).toBe('moment-not-found');
    expect(await eventsAbout(late, 'ShareCompleted', 'MessageSent')).toEqual([]);
  });
});

describe('a link', () => {
  async function link(member: string): Promise<{ shareId: string; code: string; linkId: string; path: string }> {
    const shareId = await shareOf(member);
    const mint = () =>
      ask(member, `/v1/shares/${shareId}/link`, { destinationHint: 'copy_link' }, undefined, { 'user-agent': iphone });
    const { body } = await mint();
    expect((await mint()).body).toMatchObject({ code: body['code'], linkId: body['linkId'] });
    const { linkId } = body as { linkId: string };
    const completion = {
      destinationClass: 'off_platform',
      destination: 'copy_link',
      channelEvidence: 'declared',
      linkId,
    };
    expect((await ask(member, `/v1/shares/${shareId}/complete`, completion)).status).toBe(200);
    const url = new URL(String(body['url']));
    return { shareId, code: String(body['code']), linkId, path: url.pathname };
  }
  const visit = (path: string, userAgent: string, headers = {}) =>
    service.send('GET', path, { key: undefined, headers: { 'user-agent': userAgent, ...headers } });

  it('shows everybody the same page, with nothing in it', async () => {
    const { path, shareId, code } = await link('ann');
    const pages = await Promise.all([
      visit(path, iphone),
      visit(path, 'WhatsApp/2.23'),
      visit(path, `${iphone} other`, { referer: 'https://t.co/x' }),
    ]);
    for (const { status, headers, body } of pages) {
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(decodePositionToken(headers.get('homing-position') ?? '')).toBeDefined();
      expect(body['text']).toContain('<meta property="og:title" content="Something was shared with you">');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(body['text']).toBe(pages[0]?.body['text']);
    }
    for (const secret of [shareId, code, 'ann', 'clip-1', 'cleo']) expect(pages[0]?.body['text']).not.toContain(secret);
  });

  it('tells people, crawlers, prefetches, the sharer and repeats apart', async () => {
    const { path, shareId, linkId } = await link('ann');
    await visit(path, 'WhatsApp/2.23');
    await visit(path, iphone);
    await visit(path, `${iphone} bob`, { 'sec-purpose': 'prefetch' });
    await visit(path, `${iphone} bob`, { referer: 'https://web.whatsapp.com/' });
    await visit(path, `${iphone} bob`);
    const opens = await eventsAbout(shareId, 'ShareLinkOpened');
    const flags = ['isPreviewBot', 'isSelfOpen', 'isPrefetch', 'isRepeat', 'firstForVisitor'];
    expect(opens.map(({ data }) => flags.filter((flag) => (data as Record<string, unknown>)[flag] === true))).toEqual([
      ['isPreviewBot'],
      ['isSelfOpen', 'firstForVisitor'],
      ['isPrefetch'],
      ['firstForVisitor'],
      ['isRepeat'],
    ]);
    const [counted, ...more] = await eventsAbout(shareId, 'ClickBackCounted');
    expect(more).toEqual([]);
    expect(counted?.data).toMatchObject({ linkId, sharerId: 'ann', openerStatus: 'unknown' });
    expect(opens[3]?.data).toMatchObject({ referrerClass: 'messaging', uaFamily: 'Safari', osFamily: 'iOS' });
    // The crawler gave away where the copied link went.
    const [hint] = await eventsAbout(shareId, 'ShareChannelReclassified');
    expect(hint?.data).toMatchObject({ from: 'copy_link', to: 'whatsapp', evidence: 'inferred' });
  });

  it('leads people on to the app, with the open and what was shared, and shows crawlers the page', async () => {
    const { path, shareId, code, linkId } = await link('ann');
    const page = await visit(path, iphone);
    await service.restart({ HOMING_APP_URL: 'https://app.example/watch/{contentId}?from=link' });
    try {
      const person = await visit(path, `${iphone} eve`);
      expect(person.status).toBe(302);
      expect(person.headers.get('referrer-policy')).toBe('no-referrer');
      expect(person.headers.get('cache-control')).toBe('no-store');
      expect(decodePositionToken(person.headers.get('homing-position') ?? '')).toBeDefined();
      expect(person.body['text']).toBe('');
      const opens = await eventsAbout(shareId, 'ShareLinkOpened');
      const openIds = opens.map(({ data }) => (data as { openId: string }).openId);
      const location = String(person.headers.get('location'));
      expect(location).toBe(`https://app.example/watch/clip-1?from=link&openId=${openIds.at(-1)}`);
      for (const secret of [shareId, code, linkId, 'ann', 'cleo']) expect(location).not.toContain(secret);
      for (const [agent, headers] of [['WhatsApp/2.23', {}] as const, [iphone, { purpose: 'prefetch' }] as const]) {
        const seen = await visit(path, agent, headers);
        expect([seen.status, seen.body['text'], seen.headers.get('location')]).toEqual([200, page.body['text'], null]);
      }
      expect((await visit(`/s/${'x'.repeat(22)}`, iphone)).status).toBe(404);
      const all = await eventsAbout(shareId, 'ShareLinkOpened');
      expect(all.map(({ data }) => (data as { opensApp?: boolean }).opensApp)).toEqual([false, true, false, false]);
    } finally {
      await service.restart();
    }
  });

  it('opened in the app names the opener, and whether they were friends', async () => {
    const { code, shareId } = await link('ann');
    const { status, body } = await ask('bob', '/v1/link-opens', { code });
    expect(status).toBe(200);
    expect(body).toMatchObject({ shareId, contentRef });
    const [counted] = await eventsAbout(shareId, 'ClickBackCounted');
    const [opened] = await eventsAbout(shareId, 'ShareLinkOpened');
    expect(counted?.data).toMatchObject({ openerMemberId: 'bob', openerStatus: 'member', wereFriendsAtShare: true });
    expect(opened?.data).toMatchObject({ openerMemberId: 'bob', opensApp: true, wereFriendsAtShare: true });
    expect((await ask('bob', '/v1/link-opens', { code: 'x' })).body['code']).toBe('invalid-body');
  });

  it('revoked looks like one that never was', async () => {
    const { path, shareId, code } = await link('ann');
    expect((await service.send('DELETE', `/v1/shares/${shareId}/link`, { member: 'bob' })).status).toBe(404);
    expect((await service.send('DELETE', `/v1/shares/${shareId}/link`, { member: 'ann' })).status).toBe(200);
    const [gone, never] = [await visit(path, iphone), await visit(`/s/${'x'.repeat(22)}`, iphone)];
    expect([gone.status, gone.body['text']]).toEqual([404, never.body['text']]);
    expect((await ask('bob', '/v1/link-opens', { code })).status).toBe(404);
    expect((await ask('ann', `/v1/shares/${shareId}/link`, {})).body['code']).toBe('link-revoked');
  });

  it('of somebody else’s share is not to be had', async () => {
    const shareId = await shareOf('ann');
    expect((await ask('bob', `/v1/shares/${shareId}/link`, {})).status).toBe(404);
    expect((await ask('bob', `/v1/shares/${shareId}/cancel`, { stage: 'sheet' })).status).toBe(404);
    expect((await ask('ann', `/v1/shares/${shareId}/cancel`, { stage: 'sheet' })).status).toBe(200);
  });
});
