// A generated history for the analytics tests: valid events of a small town, with what makes figures hard in it:
// late events, two months, people without consent, minors, withdrawals, sensitive products, orders without a touch.
import { eventCatalog } from '../../src/domain/catalog.js';
import type { NewEvent } from '../../src/event-log/event-log.js';
import { deriveId } from '../../src/kernel/ids.js';
import type { EventMetadata } from '../../src/kernel/message.js';

export interface HistoryEvent {
  readonly stream: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly metadata: EventMetadata;
}

export interface HistorySize {
  readonly seed: number;
  readonly people: number;
  readonly steps: number;
  /** ISO; two months are touched when the days cross the end of one. */
  readonly from: string;
  readonly days: number;
}

/** mulberry32: small, seeded, good enough to shuffle a town. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Card {
  readonly cardId: string;
  readonly messageId: string;
  readonly conversationId: string;
  readonly conversationKind: 'direct' | 'brand';
  readonly senderId: string;
  readonly productRef: { productId: string; brandId: string; category: string };
  readonly viewerId: string;
}

const minuteMs = 60_000;
const offPlatform = ['whatsapp', 'sms_imessage', 'copy_link', 'system_share_sheet', 'x'] as const;
const evidences = ['declared', 'os_callback', 'inferred', 'unknown'] as const;
const reporting = (amountMinor: number) => ({ amountMinor: 2 * amountMinor, currency: 'USD', rate: 2 });

class Town {
  readonly events: HistoryEvent[] = [];
  private readonly random: () => number;
  private nowMs: number;
  private serial = 0;
  private readonly consent = new Map<string, boolean>();
  private readonly analytics = new Map<string, boolean>();
  private readonly cards: Card[] = [];
  private readonly shares: { shareId: string; destination: string; completed: boolean }[] = [];
  private readonly links: { linkId: string; shareId: string; mintedAt: string; sharerId: string; index: number }[] = [];
  private readonly orders: { orderId: string; memberId: string; product: number; at: string; net: number }[] = [];

  constructor(private readonly size: HistorySize) {
    this.random = seeded(size.seed);
    this.nowMs = Date.parse(size.from);
  }

  build(): readonly HistoryEvent[] {
    this.found();
    const stepMs = (this.size.days * 1_440 * minuteMs) / this.size.steps;
    for (let step = 0; step < this.size.steps; step += 1) {
      this.nowMs += stepMs;
      this.act();
    }
    return this.events;
  }

  private found(): void {
    for (let brand = 0; brand < 2; brand += 1) {
      this.emit(`brand-b${brand}`, 'BrandRegistered', {
        brandId: `b${brand}`,
        name: `Brand ${brand}`,
        timeZone: 'Europe/Berlin',
        ...(brand === 0 ? { businessHours: { days: [1, 2, 3, 4, 5], from: '09:00', to: '17:30' } } : {}),
      });
    }
    for (let product = 0; product < 5; product += 1) this.list('ProductListed', product, product === 4);
    for (let person = 0; person < this.size.people; person += 1) {
      const memberId = `m${person}`;
      this.emit(`member-${memberId}`, 'MemberRegistered', {
        memberId,
        ageBand: this.chance(0.86) ? '18_plus' : this.pick(['13_15', '16_17', 'unknown']),
        country: this.pick(['DE', 'FR']),
      });
      if (this.chance(0.85)) this.grant(memberId, true);
    }
  }

  private act(): void {
    const kinds: readonly [number, () => void][] = [
      [8, () => this.share()],
      [3, () => this.answer()],
      [3, () => this.mint()],
      [4, () => this.open()],
      [5, () => this.view()],
      [4, () => this.session()],
      [5, () => this.sendCard()],
      [9, () => this.display()],
      [6, () => this.tap()],
      [6, () => this.productViewed()],
      [5, () => this.cart()],
      [4, () => this.purchase()],
      [1, () => this.refund()],
      [5, () => this.brandTalk()],
      [0.4, () => this.grant(this.person(), this.chance(0.5))],
      [0.4, () => this.agree(this.person(), this.chance(0.5))],
      [0.1, () => this.list('ProductChanged', Math.floor(this.random() * 5), this.chance(0.3))],
      [0.5, () => this.reclassify()],
    ];
    let at = this.random() * kinds.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, doIt] of kinds) {
      at -= weight;
      if (at < 0) {
        doIt();
        return;
      }
    }
  }

  private share(): void {
    const shareId = this.id('s');
    const inApp = this.chance(0.55);
    const destination = inApp
      ? this.pick(['dm', 'dm', 'group', 'brand_conversation', 'feed_repost'])
      : this.pick(offPlatform);
    const act = {
      shareId,
      sharerId: this.person(),
      contentRef: this.content(),
      productRefs: [],
      surface: 'feed',
      parentEvidence: 'none',
      rootShareId: shareId,
      depth: 0,
    };
    this.emit(`share-${shareId}`, 'ShareInitiated', act);
    if (this.chance(0.1)) {
      this.emit(`share-${shareId}`, 'ShareAbandoned', { ...act, stage: 'sheet', by: 'timer' });
      return;
    }
    const common = {
      ...act,
      timeToShareMs: 900,
      completionKnown: true,
      lateCompletion: false,
      destinationClass: inApp ? 'in_app' : 'off_platform',
      destination,
      channelEvidence: inApp ? 'declared' : this.pick(evidences),
    };
    const recipients = { conversationIds: [], memberIds: [this.person()], count: 1 };
    this.emit(`share-${shareId}`, 'ShareCompleted', inApp ? { ...common, recipients, messageIds: [] } : common);
    this.shares.push({ shareId, destination, completed: true });
  }

  private reclassify(): void {
    const share = this.pick(this.shares);
    if (!share || !(offPlatform as readonly string[]).includes(share.destination)) return;
    this.emit(`share-${share.shareId}`, 'ShareChannelReclassified', {
      shareId: share.shareId,
      from: share.destination,
      to: this.pick(['whatsapp', 'telegram']),
      evidence: 'inferred',
    });
  }

  private answer(): void {
    const share = this.pick(this.shares.slice(-40));
    if (!share) return;
    this.message({ kind: 'direct', senderId: this.person(), answersShareId: share.shareId });
  }

  private message(wish: {
    kind: 'direct' | 'brand';
    senderId: string;
    answersShareId?: string;
    brandId?: string;
    side?: 'customer' | 'brand';
    bot?: boolean;
    conversationId?: string;
    attachments?: readonly unknown[];
    messageId?: string;
    recipientIds?: readonly string[];
  }): void {
    const conversationId = wish.conversationId ?? `c${Math.floor(this.random() * 30)}`;
    this.emit(
      `thread-${conversationId}`,
      'MessageSent',
      {
        messageId: wish.messageId ?? this.id('x'),
        conversationId,
        conversationKind: wish.kind,
        ...(wish.brandId ? { brandId: wish.brandId } : {}),
        ...(wish.side ? { side: wish.side } : {}),
        senderId: wish.senderId,
        senderKind: wish.bot ? 'bot' : 'human',
        recipientIds: wish.recipientIds ?? [],
        bodyMeta: {
          graphemes: 5,
          words: 1,
          hasLink: this.events.length % 5 === 0,
          mediaKinds: wish.attachments?.length ? ['product_card'] : [],
        },
        attachments: wish.attachments ?? [],
        ...(wish.answersShareId ? { answersShareId: wish.answersShareId } : {}),
      },
      wish.side === 'brand' ? undefined : wish.senderId,
    );
  }

  private mint(): void {
    const linkId = this.id('l');
    const sharerId = this.person();
    const shareId = this.pick(this.shares)?.shareId ?? this.id('s');
    const index = this.events.length;
    this.emit(`sharelink-${linkId}`, 'ShareLinkMinted', {
      linkId,
      shareId,
      sharerId,
      contentRef: this.content(),
      productRefs: [],
      destinationHint: this.pick(offPlatform),
      showSharer: false,
    });
    const mintedAt = this.events[index]?.metadata.occurredAt ?? '';
    this.links.push({ linkId, shareId, mintedAt, sharerId, index });
  }

  private open(): void {
    const link = this.pick(this.links);
    if (!link) return;
    const counts = this.chance(0.6);
    const opened = {
      openId: this.id('o'),
      linkId: link.linkId,
      shareId: link.shareId,
      sharerId: link.sharerId,
      contentRef: this.content(),
    };
    const visitor = { visitorKey: `v${Math.floor(this.random() * 9)}`, openerStatus: 'unknown' };
    this.emit(`sharelink-${link.linkId}`, 'ShareLinkOpened', {
      ...opened,
      ...visitor,
      isSelfOpen: !counts && this.chance(0.3),
      isPreviewBot: !counts,
      isPrefetch: false,
      isRepeat: false,
      firstForVisitor: true,
      referrerClass: 'none',
      uaFamily: "O'Browser\t\\",
      osFamily: 'any',
    });
    if (!counts) return;
    this.emit(`sharelink-${link.linkId}`, 'ClickBackCounted', {
      ...opened,
      ...visitor,
      productRefs: [],
      destinationHint: 'whatsapp',
      mintedAt: link.mintedAt,
      window: '30m',
    });
  }

  private view(): void {
    const memberId = this.person();
    this.emit('observations-03', 'ContentViewed', {
      viewId: this.id('w'),
      memberId,
      contentRef: this.content(),
      surface: 'feed',
      dwellMs: 1_500,
    });
  }

  private session(): void {
    const person = this.chance(0.8) ? { memberId: this.person() } : { anonId: this.id('a') };
    this.emit('observations-01', 'SessionStarted', { sessionId: this.id('z'), ...person, entry: 'organic' });
  }

  private sendCard(): void {
    const friend = this.chance(0.8);
    const product = this.product();
    const viewerId = this.person();
    const senderId = friend ? this.person() : `agent-${product.brandId}`;
    const card: Card = {
      cardId: this.id('k'),
      messageId: this.id('x'),
      conversationId: friend ? this.id('c') : `bc-${viewerId}-${product.brandId}`,
      conversationKind: friend ? 'direct' : 'brand',
      senderId,
      productRef: product,
      viewerId,
    };
    this.message({
      kind: card.conversationKind,
      senderId,
      conversationId: card.conversationId,
      messageId: card.messageId,
      recipientIds: [viewerId],
      ...(friend ? {} : { side: 'brand', brandId: product.brandId }),
      attachments: [
        {
          kind: 'product_card',
          cardId: card.cardId,
          productRef: product,
          priceSnapshot: { amountMinor: 1_999, currency: 'EUR' },
          availabilitySnapshot: true,
          touchId: card.cardId,
        },
      ],
    });
    this.cards.push(card);
  }

  private display(): void {
    const card = this.pick(this.cards.slice(-60));
    if (card)
      this.emit('observations-02', 'ProductCardDisplayed', { ...card, sessionId: this.sessionOf(card.viewerId) });
  }

  private tap(): void {
    const card = this.pick(this.cards.slice(-60));
    if (card) this.emit('observations-02', 'ProductCardTapped', { ...card, sessionId: this.sessionOf(card.viewerId) });
  }

  private productViewed(): void {
    const card = this.pick(this.cards.slice(-60));
    const memberId = card && this.chance(0.8) ? card.viewerId : this.person();
    this.emit('observations-04', 'ProductViewed', {
      ...(this.chance(0.95) ? { memberId } : { anonId: this.id('a') }),
      productRef: card && this.chance(0.8) ? card.productRef : this.product(),
      sessionId: this.sessionOf(memberId),
      sourceSystem: 'native',
    });
  }

  private cart(): void {
    const card = this.pick(this.cards.slice(-60));
    const memberId = card && this.chance(0.8) ? card.viewerId : this.person();
    const productRef = card && this.chance(0.9) ? card.productRef : this.product();
    this.emit(`intent-${memberId}_${productRef.productId}`, 'ProductAddedToCart', {
      intentId: this.id('i'),
      memberId,
      productRef,
      sourceSystem: 'native',
      cartId: this.id('t'),
      quantity: 1,
      unitPrice: { amountMinor: 1_999, currency: 'EUR' },
    });
  }

  private purchase(): void {
    const card = this.pick(this.cards.slice(-60));
    const memberId = card && this.chance(0.8) ? card.viewerId : this.person();
    const first = card && this.chance(0.9) ? card.productRef : this.product();
    const orderId = this.id('r');
    const product = Number(first.productId.slice(1));
    const unit = 1_000 + Math.floor(this.random() * 900);
    const items = [first, ...(this.chance(0.3) ? [this.productOf(product === 0 ? 2 : product)] : [])].map(
      (productRef) => ({
        productRef,
        quantity: 1 + Math.floor(this.random() * 2),
        unitPriceMinor: unit,
        discountMinor: this.chance(0.3) ? 100 : 0,
        taxMinor: 19,
      }),
    );
    const subtotalMinor = items.reduce((sum, item) => sum + item.quantity * item.unitPriceMinor, 0);
    const at = this.events.length;
    this.emit(`order-${orderId}`, 'PurchaseCompleted', {
      orderId,
      memberId,
      brandId: first.brandId,
      sourceSystem: 'native',
      items,
      subtotalMinor,
      discountMinor: 0,
      shippingMinor: 490,
      taxMinor: 19,
      totalMinor: subtotalMinor + 509,
      currency: this.chance(0.9) ? 'EUR' : 'JPY',
      ...(this.orders.length % 2 === 0 ? { reporting: reporting(subtotalMinor + 509) } : {}),
    });
    const made = this.events[at];
    this.orders.push({ orderId, memberId, product, at: made?.metadata.occurredAt ?? '', net: unit });
  }

  private refund(): void {
    const order = this.pick(this.orders);
    if (!order) return;
    const bought = this.events.find(
      ({ stream, type }) => stream === `order-${order.orderId}` && type === 'PurchaseCompleted',
    );
    const productRef = this.productOf(order.product);
    this.emit(`order-${order.orderId}`, 'PurchaseRefunded', {
      refundId: this.id('f'),
      orderId: order.orderId,
      memberId: order.memberId,
      brandId: productRef.brandId,
      purchasedAt: order.at,
      items: [{ productRef, quantity: 1, amountMinor: 300, ...(this.orders.length % 2 === 0 ? { taxMinor: 19 } : {}) }],
      amountMinor: 300,
      currency: bought?.data['currency'],
      ...(bought?.data['reporting'] ? { reporting: reporting(300) } : {}),
    });
  }

  private brandTalk(): void {
    const customer = `m${Math.floor(this.random() * 12)}`;
    const brandId = this.pick(['b0', 'b1']);
    const conversationId = `bc-${customer}-${brandId}`;
    if (this.chance(0.55))
      this.message({ kind: 'brand', senderId: customer, conversationId, brandId, side: 'customer' });
    else
      this.message({
        kind: 'brand',
        senderId: `agent-${brandId}`,
        conversationId,
        brandId,
        side: 'brand',
        bot: this.chance(0.3),
        recipientIds: [customer],
      });
  }

  private grant(memberId: string, granted: boolean): void {
    this.consent.set(memberId, granted);
    this.emit(`member-${memberId}`, granted ? 'ConsentGranted' : 'ConsentWithdrawn', {
      memberId,
      purpose: 'brand_measurement',
      policyVersion: '1',
    });
  }

  private agree(memberId: string, granted: boolean): void {
    this.analytics.set(memberId, granted);
    const data = { memberId, purpose: 'product_analytics', policyVersion: '1' };
    this.emit(`member-${memberId}`, granted ? 'ConsentGranted' : 'ConsentWithdrawn', data);
  }

  private list(type: 'ProductListed' | 'ProductChanged', product: number, sensitive: boolean): void {
    this.emit(`product-p${product}`, type, {
      productRef: this.productOf(product),
      name: `Product ${product}`,
      price: { amountMinor: 1_999, currency: 'EUR' },
      available: true,
      sensitive,
    });
  }

  private emit(stream: string, type: string, data: Record<string, unknown>, actor?: string): void {
    // Some things are told hours or days after they happened.
    const lateMs = this.chance(0.15) ? Math.floor(this.random() * 3 * 1_440) * minuteMs : 0;
    const receivedAt = new Date(Math.floor(this.nowMs)).toISOString();
    const who = actor ?? ((data['memberId'] ?? data['viewerId'] ?? data['sharerId'] ?? '') as string);
    eventCatalog[type]?.parse(data);
    this.events.push({
      stream,
      type,
      data,
      metadata: {
        schemaVersion: 1,
        actor: { kind: who === '' ? 'anonymous' : 'member', id: who },
        occurredAt: new Date(Math.floor(this.nowMs) - lateMs).toISOString(),
        receivedAt,
        correlationId: 'k',
        source: 'client',
        platform: 'ios',
        consent: {
          product_analytics: this.analytics.get(who) ?? true,
          brand_measurement: this.consent.get(who) ?? false,
        },
      },
    });
  }

  private sessionOf(memberId: string): string {
    return `z-${memberId}-${Math.floor(this.nowMs / (90 * minuteMs))}`;
  }
  private id(kind: string): string {
    this.serial += 1;
    return `${kind}${this.serial}`;
  }
  private person(): string {
    return `m${Math.floor(this.random() ** 1.5 * this.size.people)}`;
  }
  private content(): Record<string, unknown> {
    const content = Math.floor(this.random() * 6);
    return { kind: 'video', contentId: `v${content}`, creatorId: `cr${content % 3}`, category: "it's\ta\\test" };
  }
  private product(): Card['productRef'] {
    return this.productOf(Math.floor(this.random() ** 2 * 5));
  }
  private productOf(product: number): Card['productRef'] {
    return { productId: `p${product}`, brandId: product % 2 === 0 ? 'b0' : 'b1', category: 'shoes' };
  }
  private chance(probability: number): boolean {
    return this.random() < probability;
  }
  private pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T;
  }
}

export function history(size: HistorySize): readonly HistoryEvent[] {
  return new Town(size).build();
}

/** As the codec would store it: no field of these events is personal. */
export function newEvent(event: HistoryEvent, index: number): NewEvent {
  return {
    id: deriveId('history', String(index)),
    type: event.type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(event.data), 'utf8'),
    metadata: Buffer.from(JSON.stringify(event.metadata), 'utf8'),
  };
}
