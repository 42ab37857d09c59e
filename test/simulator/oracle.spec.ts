// The oracle by example: small histories, written out, whose figures anybody can count by hand. The definitions are
// docs/metrics.md's; the service is held against this code, so this code is held against people.
import { describe, expect, it } from '@jest/globals';
import { dayMs, minuteMs, toIso } from '../../src/kernel/clock.js';
import { brandConversationId, directConversationId } from '../../src/kernel/ids.js';
import { appViews } from '../../src/simulator/oracle/app-views.js';
import { brandFigures, median, readCommerce } from '../../src/simulator/oracle/brands.js';
import { type Chained, readChains } from '../../src/simulator/oracle/chains.js';
import { type Delivered, delivered } from '../../src/simulator/oracle/delivered.js';
import { shareViews } from '../../src/simulator/oracle/share-views.js';
import { readLinks, sharingFigures } from '../../src/simulator/oracle/sharing.js';
import { readThreads } from '../../src/simulator/oracle/threads.js';
import type { DeliveredObservation, Json, JsonObject, SimulatedCommand } from '../../src/simulator/script.js';

const start = Date.parse('2026-09-01T00:00:00.000Z');
const span = { from: start, to: start + 30 * dayMs };
const clip = { kind: 'video', contentId: 'clip-1', creatorId: 'creator-1' };
const pair = directConversationId('ann', 'bob');

/** A history in the making: what is sent, minutes after the start. */
class History {
  readonly commands: SimulatedCommand[] = [];
  readonly observations: DeliveredObservation[] = [];

  send(
    minute: number,
    who: string,
    request: string,
    body: JsonObject = {},
    headers: Record<string, string> = {},
  ): this {
    const [method, path] = request.split(' ') as [SimulatedCommand['method'], string];
    const at = toIso(start + minute * minuteMs);
    const n = this.commands.length;
    const as = who.includes(';') ? { brand: 'brand-1', agent: who } : { member: who };
    this.commands.push({
      n,
      at,
      caller: 'app',
      ...(who ? as : {}),
      method,
      path,
      body,
      headers,
      writes: [],
      reads: [],
    });
    return this;
  }
  observe(minute: number, type: string, data: JsonObject, more: { late?: number; id?: string } = {}): this {
    const time = toIso(start + minute * minuteMs);
    const deliveredAt = toIso(start + (minute + (more.late ?? 0)) * minuteMs);
    const id = more.id ?? `o${this.observations.length}`;
    this.observations.push({ deliveredAt, source: 'app', id, type, time, data });
    return this;
  }
  /** Ann and Bob talk; both have agreed. */
  friends(): this {
    for (const memberId of ['ann', 'bob']) this.member(memberId, '18_plus', true);
    return this.send(-30, 'ann', 'POST /v1/conversations', { kind: 'direct', memberId: 'bob' });
  }
  member(memberId: string, ageBand: string, agrees: boolean): this {
    this.send(-60, '', 'POST /v1/members', { memberId, ageBand });
    return agrees ? this.send(-59, memberId, 'PUT /v1/members/me/consents/brand_measurement', { granted: true }) : this;
  }
  share(minute: number, shareId: string, to: Json): this {
    this.send(minute, 'ann', 'POST /v1/shares', { shareId, contentRef: clip });
    return this.send(minute, 'ann', `POST /v1/shares/${shareId}/complete`, to as JsonObject);
  }
  say(minute: number, who: string, seq?: number): this {
    const reply = seq === undefined ? {} : { replyTo: { messageId: 'm', seq } };
    const messageId = `m${this.commands.length}`;
    return this.send(minute, who, `POST /v1/conversations/${pair}/messages`, { messageId, body: 'hi', ...reply });
  }
  given(): Delivered {
    return delivered(this.commands, this.observations);
  }
}

const toBob = { destinationClass: 'in_app', destination: 'dm', channelEvidence: 'declared', conversationIds: [pair] };
const off = (destination: string, channelEvidence = 'declared') => ({
  destinationClass: 'off_platform',
  destination,
  channelEvidence,
});
const sharing = (history: History) => {
  const { commands } = history.given();
  return sharingFigures({ commands, messages: readThreads(commands) }, span, start + 23 * dayMs);
};

describe('shares and channels', () => {
  it('counts completed shares, by where they went; an abandoned one is none', () => {
    const history = new History()
      .friends()
      .share(0, 's1', toBob)
      .share(1, 's2', off('whatsapp'))
      .share(2, 's3', off('copy_link'));
    history.send(3, 'ann', 'POST /v1/shares', { shareId: 's4', contentRef: clip });
    const { inApp, offPlatform, leakageRate } = sharing(history);
    expect([inApp, offPlatform, leakageRate]).toEqual([1, 2, { numerator: 2, denominator: 3 }]);
  });

  it('counts a clip or products put straight into a message as one share, a brand’s card as none', () => {
    const history = new History().friends();
    const say = `POST /v1/conversations/${pair}/messages`;
    history.send(0, 'ann', say, { messageId: 'm1', attachments: [{ kind: 'share_card', contentRef: clip }] });
    const card = { kind: 'product_card', cardId: 'c' };
    history.send(1, 'ann', say, { messageId: 'm2', attachments: [card, card] });
    history.say(2, 'bob');
    history.send(3, 'ann', 'POST /v1/conversations', { kind: 'brand', brandId: 'brand-1' });
    const withBrand = brandConversationId('ann', 'brand-1');
    const brandSays = `POST /v1/brands/brand-1/conversations/${withBrand}/messages`;
    history.send(4, 'ann', `POST /v1/conversations/${withBrand}/messages`, { messageId: 'm3', attachments: [card] });
    history.send(5, 'agent;human', brandSays, { messageId: 'm4', attachments: [card] });
    const { inApp, channelMix, talkBackRate } = sharing(history);
    expect([inApp, channelMix.declared]).toEqual([3, { brand_conversation: 1, dm: 2 }]);
    expect(talkBackRate).toEqual({ numerator: 1, denominator: 2 });
  });

  it('leaves out whoever withdrew product analytics: what came after, and their shares and links from before', () => {
    const say = (minute: number, history: History, granted: boolean) =>
      history.send(minute, 'ann', 'PUT /v1/members/me/consents/product_analytics', { granted });
    const history = new History().friends().share(0, 's1', toBob);
    say(1, history, false);
    history.share(2, 's2', off('whatsapp'));
    say(3, history, true);
    history.share(4, 's3', off('x')).share(5, 's4', toBob);
    history.send(6, 'bob', 'PUT /v1/members/me/consents/product_analytics', { granted: false });
    history.say(7, 'bob');
    const { channelMix, talkBackRate } = sharing(history);
    expect(channelMix.declared).toEqual({ dm: 1, x: 1 });
    expect(talkBackRate).toEqual({ numerator: 0, denominator: 1 });
  });

  it('takes a crawler’s word for where a copied link went, once the share is completed and nobody said better', () => {
    const open = 'GET /s/{{code:s1}}';
    const whatsapp = { 'User-Agent': 'WhatsApp/2.25', 'X-Forwarded-For': '1' };
    const told = (destination: string) =>
      sharing(
        new History()
          .send(0, 'ann', 'POST /v1/shares/s1/link', { destinationHint: destination })
          .share(1, 's1', off(destination, destination === 'system_share_sheet' ? 'unknown' : 'declared'))
          .send(2, '', open, {}, whatsapp),
      ).channelMix;
    expect(told('copy_link')).toEqual({ declared: { copy_link: 1 }, reclassified: { whatsapp: 1 } });
    expect(told('system_share_sheet')).toEqual({ declared: { unknown: 1 }, reclassified: { whatsapp: 1 } });
    expect(told('telegram')).toEqual({ declared: { telegram: 1 }, reclassified: { telegram: 1 } });
  });
});

describe('click-backs', () => {
  const browser = { 'User-Agent': 'Mozilla/5.0 Firefox/142.0', 'X-Forwarded-For': '9' };
  const mint = () =>
    new History().send(
      0,
      'ann',
      'POST /v1/shares/s1/link',
      { destinationHint: 'whatsapp' },
      { ...browser, 'X-Forwarded-For': '1' },
    );
  const opens = (history: History) =>
    readLinks(history.given().commands)
      .get('s1')
      ?.clickBacks.map(({ at }) => (at - start) / minuteMs);
  const visit = 'GET /s/{{code:s1}}';

  it('leaves out crawlers, prefetches and repeats within half an hour of the visit before', () => {
    const history = mint()
      .send(1, '', visit, {}, { 'User-Agent': 'TelegramBot (like TwitterBot)', 'X-Forwarded-For': '7' })
      .send(2, '', visit, {}, { ...browser, 'Sec-Purpose': 'prefetch' })
      .send(3, '', visit, {}, browser)
      .send(32, '', visit, {}, browser)
      .send(61, '', visit, {}, browser)
      .send(91, '', visit, {}, browser);
    expect(opens(history)).toEqual([3, 91]);
  });

  it('leaves out the sharer: by name always, by device within ten minutes of minting', () => {
    const own = { ...browser, 'X-Forwarded-For': '1' };
    const history = mint()
      .send(5, '', visit, {}, own)
      .send(60, 'ann', 'POST /v1/link-opens', { code: '{{code:s1}}', userAgent: 'App' })
      .send(120, '', visit, {}, own)
      .send(180, 'bob', 'POST /v1/link-opens', { code: '{{code:s1}}', userAgent: 'App' });
    expect(opens(history)).toEqual([120, 180]);
  });

  it('counts a link once, when somebody came within 7 days of minting', () => {
    const late = 7 * 24 * 60;
    expect(sharing(mint().send(late - 1, '', visit, {}, browser)).clickBackRate.all).toEqual({
      numerator: 1,
      denominator: 1,
    });
    expect(sharing(mint().send(late, '', visit, {}, browser)).clickBackRate.all).toEqual({
      numerator: 0,
      denominator: 1,
    });
  });
});

describe('talk-back', () => {
  const answered = (history: History) => sharing(history).talkBackRate.numerator;
  const shared = () => new History().friends().share(0, 's1', toBob);

  it('is the next message by the receiver, or a reply to the card', () => {
    expect(answered(shared().say(5, 'bob'))).toBe(1);
    expect(answered(shared().say(1, 'ann').say(5, 'bob'))).toBe(0);
    expect(answered(shared().say(1, 'ann').say(5, 'bob', 0))).toBe(1);
    expect(answered(shared().say(1, 'ann').say(5, 'bob', 1))).toBe(0);
    expect(answered(shared().say(1, 'ann', 0))).toBe(0);
  });

  it('counts within 24 hours of the share', () => {
    expect(answered(shared().say(24 * 60 - 1, 'bob'))).toBe(1);
    expect(answered(shared().say(24 * 60, 'bob'))).toBe(0);
  });
});

describe('the app', () => {
  it('shows unread: what the other wrote after the mark and after one’s own last message; a block silences', () => {
    const view = (history: History) => {
      const { commands } = history.given();
      return appViews(['bob'], commands, readThreads(commands))[0];
    };
    const history = new History()
      .friends()
      .say(0, 'ann')
      .say(1, 'ann')
      .say(2, 'bob')
      .say(3, 'ann')
      .say(4, 'ann')
      .say(5, 'ann');
    expect(view(history)).toMatchObject({ unreadConversations: 1, unreadMessages: 3 });
    history.send(6, 'bob', `POST /v1/conversations/${pair}/read`, { seq: 4 });
    expect(view(history)).toMatchObject({ unreadConversations: 1, unreadMessages: 1 });
    history.send(7, 'bob', 'PUT /v1/blocks/ann');
    expect(view(history)).toMatchObject({ unreadConversations: 0, unreadMessages: 0 });
  });

  it('knows friends and open requests; a crossed request is an acceptance', () => {
    const history = new History()
      .send(0, 'ann', 'POST /v1/friend-requests', { toMemberId: 'bob' })
      .send(1, 'bob', 'POST /v1/friend-requests', { toMemberId: 'ann' })
      .send(2, 'cat', 'POST /v1/friend-requests', { toMemberId: 'bob' })
      .send(3, 'dan', 'POST /v1/friend-requests', { toMemberId: 'bob' })
      .send(4, 'bob', 'POST /v1/friend-requests/dan/decline');
    expect(appViews(['bob'], history.given().commands, [])[0]).toMatchObject({ friends: 1, friendRequests: 1 });
  });
});

describe('a brand', () => {
  const product = { productId: 'p1', brandId: 'brand-1' };
  const card = (viewerId: string, sessionId = 'x') => ({
    cardId: 'c1',
    viewerId,
    senderId: 'ann',
    conversationId: pair,
    conversationKind: 'direct',
    productRef: product,
    sessionId,
  });
  const order = (minute: number, history: History, orderId = 'o1') =>
    history.send(minute, 'bob', 'POST /v1/orders', {
      orderId,
      items: [{ productRef: product, quantity: 2, unitPriceMinor: 500, discountMinor: 100, taxMinor: 180 }],
    });
  const sent = () =>
    new History()
      .friends()
      .send(-20, '', 'POST /v1/products', {
        productRef: product,
        price: { amountMinor: 500, currency: 'EUR' },
        sensitive: false,
      })
      .send(0, 'ann', `POST /v1/conversations/${pair}/messages`, {
        messageId: 'm1',
        attachments: [{ kind: 'product_card', cardId: 'c1', productRef: product }],
      });
  const figures = (history: History) => {
    const given = history.given();
    return brandFigures('brand-1', readCommerce(given), readThreads(given.commands), span);
  };
  const bought = (history: History) => figures(history).beforeSuppression.purchase;

  it('counts a purchase within a day of the display, or within 7 days of a tap of that card', () => {
    const day = 24 * 60;
    const shown = () => sent().observe(10, 'ProductCardDisplayed', card('bob'));
    const tapped = () => shown().observe(20, 'ProductCardTapped', card('bob'));
    expect(bought(order(10 + day - 1, shown()))).toEqual({ numerator: 1, denominator: 1 });
    expect(bought(order(10 + day, shown()))).toEqual({ numerator: 0, denominator: 1 });
    expect(bought(order(20 + 7 * day - 1, tapped()))).toEqual({ numerator: 1, denominator: 1 });
    expect(bought(order(20 + 7 * day, tapped()))).toEqual({ numerator: 0, denominator: 1 });
  });

  it('leaves out whoever did not agree, took it back later, or is no adult', () => {
    const withdraw = 'PUT /v1/members/me/consents/brand_measurement';
    const shown = (history: History) => history.observe(10, 'ProductCardDisplayed', card('bob'));
    expect(bought(shown(sent()).send(9_000, 'bob', withdraw, { granted: false })).denominator).toBe(0);
    expect(bought(shown(sent()).send(9_000, 'ann', withdraw, { granted: false })).denominator).toBe(0);
    expect(
      bought(sent().member('kid', '16_17', false).observe(10, 'ProductCardDisplayed', card('kid'))).denominator,
    ).toBe(0);
    expect(
      bought(sent().member('eve', '18_plus', false).observe(10, 'ProductCardDisplayed', card('eve'))).denominator,
    ).toBe(0);
  });

  it('judges an observation by the consent of the moment it arrived', () => {
    const late = sent().member('eve', '18_plus', false);
    late.send(500, 'eve', 'PUT /v1/members/me/consents/brand_measurement', { granted: true });
    late.observe(10, 'ProductCardDisplayed', card('eve'), { late: 1_000 });
    expect(bought(late).denominator).toBe(1);
  });

  it('suppresses people under 50 and the money that rests on them', () => {
    const { dmPurchaseRate, revenuePerConversation } = figures(
      order(30, sent().observe(10, 'ProductCardDisplayed', card('bob'))),
    );
    expect(dmPurchaseRate).toEqual({ suppressed: true });
    expect(revenuePerConversation.friend).toEqual({ suppressed: true });
  });

  it('measures the first human answer to each episode that the customer opened', () => {
    const conversation = brandConversationId('bob', 'brand-1');
    const history = new History().send(-1, 'bob', 'POST /v1/conversations', { kind: 'brand', brandId: 'brand-1' });
    const customer = (minute: number) =>
      history.send(minute, 'bob', `POST /v1/conversations/${conversation}/messages`, { messageId: `c${minute}` });
    const brand = (minute: number, agent: string) =>
      history.send(minute, agent, `POST /v1/brands/brand-1/conversations/${conversation}/messages`, {});
    customer(0);
    brand(1, 'bot;bot');
    brand(10, 'eva;human');
    customer(12);
    customer(12 + 24 * 60);
    expect(figures(history).firstResponse).toEqual({ episodes: 2, answered: 1, medianMs: 10 * minuteMs });
  });
});

describe('chains', () => {
  const view = (history: History, minute: number, shareId: string, more: { late?: number } = {}, data = {}) =>
    history.observe(minute, 'ContentViewed', { memberId: 'bob', contentRef: clip, viaShareId: shareId, ...data }, more);
  const bobShares = (history: History, minute: number, more: JsonObject = {}) =>
    history.send(minute, 'bob', 'POST /v1/shares', { shareId: 'of-bob', contentRef: clip, ...more });
  const parentOf = (history: History) => {
    const { parent, inferred } = readChains(history.given()).find(({ shareId }) => shareId === 'of-bob') as Chained;
    return [parent, inferred];
  };
  const shared = () => new History().share(0, 's1', toBob).share(1, 's2', toBob);

  it('go on from the share that is named, or else from what was opened last, then or within 7 days', () => {
    const opened = () => view(view(shared(), 5, 's2'), 3, 's1', {}, { sessionId: 'evening' });
    expect(parentOf(bobShares(opened(), 6, { parentShareId: 's1' }))).toEqual(['s1', false]);
    expect(parentOf(bobShares(opened(), 6))).toEqual(['s2', true]);
    expect(parentOf(bobShares(opened(), 6, { sessionId: 'evening' }))).toEqual(['s1', true]);
    const week = 7 * 24 * 60;
    expect(parentOf(bobShares(opened(), week + 4))).toEqual(['s2', true]);
    expect(parentOf(bobShares(opened(), week + 5))).toEqual(['', false]);
  });

  it('know only what had arrived, of the same content, and of others', () => {
    expect(parentOf(bobShares(view(shared(), 5, 's1', { late: 10 }), 6))).toEqual(['', false]);
    expect(parentOf(bobShares(view(shared(), 5, 's1', {}, { contentRef: { contentId: 'x' } }), 6))).toEqual([
      '',
      false,
    ]);
    const own = shared().send(2, 'bob', 'POST /v1/shares', { shareId: 's3', contentRef: clip });
    expect(parentOf(bobShares(view(own, 5, 's3'), 6))).toEqual(['', false]);
  });

  it('know members who open a link, and what is put straight into a message', () => {
    const visit = (more: JsonObject = {}) =>
      shared().send(2, 'bob', 'POST /v1/link-opens', { code: '{{code:s1}}', userAgent: 'App', ...more });
    expect(parentOf(bobShares(visit(), 6))).toEqual(['s1', true]);
    expect(parentOf(bobShares(visit({ prefetch: true }), 6))).toEqual(['', false]);
    const card = { messageId: 'm9', attachments: [{ kind: 'share_card', contentRef: clip }] };
    const bare = visit().friends().send(3, 'bob', `POST /v1/conversations/${pair}/messages`, card);
    expect(readChains(bare.given()).at(-1)).toMatchObject({ isBare: true, parent: 's1', inferred: true });
    const [first] = shareViews(bare.given(), new Map(), 10);
    expect(first).toMatchObject({ shareId: 's1', children: 1, explicit: { children: 0 } });
  });

  it('leave out whoever wants to be in no statistics, when opening and when sharing', () => {
    const say = (history: History, minute: number, granted: boolean) =>
      history.send(minute, 'bob', 'PUT /v1/members/me/consents/product_analytics', { granted });
    expect(parentOf(bobShares(say(view(shared(), 3, 's1'), 5, false), 6))).toEqual(['', false]);
    expect(parentOf(bobShares(say(view(say(shared(), 2, false), 3, 's1'), 5, true), 6))).toEqual(['', false]);
  });

  it('have a depth with and without what was inferred', () => {
    const chain = bobShares(view(shared(), 3, 's1'), 6).send(7, 'cat', 'POST /v1/shares', {
      shareId: 's9',
      contentRef: clip,
      parentShareId: 'of-bob',
    });
    const depths = shareViews(chain.given(), new Map(), 10).map(({ shareId, depth, explicit }) => [
      shareId,
      depth,
      explicit.depth,
    ]);
    expect(depths).toEqual([
      ['s1', 0, 0],
      ['s2', 0, 0],
      ['of-bob', 1, 0],
      ['s9', 2, 1],
    ]);
  });
});

describe('arrivals', () => {
  it('count once however often they come, and are dated by arrival when a clock runs over five minutes ahead', () => {
    const history = new History()
      .observe(0, 'SessionStarted', { memberId: 'ann' }, { id: 'same' })
      .observe(0, 'SessionStarted', { memberId: 'ann' }, { id: 'same', late: 30 })
      .observe(60, 'SessionStarted', { memberId: 'ann' }, { late: -4 })
      .observe(80, 'SessionStarted', { memberId: 'ann' }, { late: -24 });
    const minutes = history.given().observations.map(({ at }) => (at - start) / minuteMs);
    // All go out together with the last, at minute 56: 60 is believed, 80 is not.
    expect(minutes).toEqual([0, 60, 56]);
  });

  it('have a median that is the middle, or between the two middles', () => {
    expect([median([]), median([3]), median([1, 2, 4]), median([4, 1, 2, 3])]).toEqual([null, 3, 2, 2.5]);
  });
});
