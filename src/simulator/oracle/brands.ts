// A brand's figures as docs/metrics.md defines them (domain 2.5, metrics 40–42, 44 and 46), counted straight from what
// was delivered. People and money that rest on messages between people are shown from 50 people on, else suppressed.
import { dayMs } from '../../kernel/clock.js';
import { type Command, type Delivered, list, type Observation, record, text, whole } from './delivered.js';
import { Eligibility } from './eligibility.js';
import { type Ratio, type Span, within } from './sharing.js';
import { byConversation, type Message } from './threads.js';

export const peopleMin = 50;

interface Card {
  readonly at: number;
  readonly order: number;
  readonly cardId: string;
  readonly viewer: string;
  readonly sender: string;
  readonly productId: string;
  readonly brandId: string;
  readonly conversation: string;
  readonly friend: boolean;
  readonly sessionId: string;
}
interface Step {
  readonly at: number;
  readonly order: number;
  readonly member: string;
  readonly productId: string;
  readonly brandId: string;
  readonly sessionId: string;
}
interface Item extends Step {
  readonly orderId: string;
  readonly netMinor: number;
}
interface Refund {
  readonly at: number;
  readonly orderId: string;
  readonly productId: string;
  readonly netMinor: number;
}

/** Everything the brand figures rest on, read once. */
export interface Commerce {
  readonly displays: readonly Card[];
  readonly taps: readonly Card[];
  readonly views: readonly Step[];
  readonly carts: readonly Step[];
  readonly items: readonly Item[];
  readonly refunds: readonly Refund[];
  readonly sensitive: ReadonlySet<string>;
  /** Brand → the currency it sells in; every brand of a world has one. */
  readonly currencies: ReadonlyMap<string, string>;
  readonly eligibility: Eligibility;
  /** Card → where its message stands among all that was delivered: the sender's consent of that moment counts. */
  readonly sentAt: ReadonlyMap<string, number>;
}

export function readCommerce({ commands, observations }: Delivered): Commerce {
  const of = (route: string) => commands.filter((command) => command.route === route);
  const seen = (type: string) => observations.filter((observation) => observation.type === type);
  return {
    displays: seen('ProductCardDisplayed').map(card),
    taps: seen('ProductCardTapped').map(card),
    views: seen('ProductViewed').map(({ at, order, data }) => ({
      at,
      order,
      member: text(data.memberId),
      sessionId: text(data.sessionId),
      ...product(data.productRef),
    })),
    carts: of('POST cart').map(({ at, order, member, body }) => ({
      at,
      order,
      member,
      sessionId: text(body.sessionId),
      ...product(body.productRef),
    })),
    items: of('POST order').flatMap(({ at, order, member, body }) =>
      list(body.items).map((item) => ({
        at,
        order,
        member,
        sessionId: text(body.sessionId),
        orderId: text(body.orderId),
        netMinor: whole(item.quantity) * whole(item.unitPriceMinor) - whole(item.discountMinor),
        ...product(item.productRef),
      })),
    ),
    refunds: readRefunds(commands),
    sensitive: new Set(
      of('POST /v1/products').flatMap(({ body }) => (body.sensitive ? [product(body.productRef).productId] : [])),
    ),
    currencies: new Map(
      of('POST /v1/products').map(({ body }) => [product(body.productRef).brandId, text(record(body.price).currency)]),
    ),
    eligibility: new Eligibility(commands),
    sentAt: new Map(
      commands.flatMap(({ order, body }) => list(body.attachments).map(({ cardId }) => [text(cardId), order] as const)),
    ),
  };
}

/**
 * What of each refund was revenue: without its tax, which the shop says, or which is that part of the line's remaining tax
 * that the money is of the line's remaining money, rounded down.
 */
function readRefunds(commands: readonly Command[]): Refund[] {
  const lines = new Map<string, { paid: number; tax: number }>();
  const refunds: Refund[] = [];
  for (const { at, route, params, body } of commands) {
    if (route !== 'POST order' && route !== 'POST refund') continue;
    const orderId = text(body.orderId) || (params[0] as string);
    for (const item of list(body.items)) {
      const { productId } = product(item.productRef);
      const line = lines.get(`${orderId} ${productId}`) ?? { paid: 0, tax: 0 };
      lines.set(`${orderId} ${productId}`, line);
      if (route === 'POST order') {
        const net = whole(item.quantity) * whole(item.unitPriceMinor) - whole(item.discountMinor);
        line.paid += net + whole(item.taxMinor);
        line.tax += whole(item.taxMinor);
        continue;
      }
      const back = whole(item.amountMinor);
      const tax = item.taxMinor === undefined ? Math.floor((back * line.tax) / line.paid) : whole(item.taxMinor);
      line.paid -= back;
      line.tax -= tax;
      refunds.push({ at, orderId, productId, netMinor: back - tax });
    }
  }
  return refunds;
}

function product(ref: unknown): { productId: string; brandId: string } {
  const { productId, brandId } = record(ref);
  return { productId: text(productId), brandId: text(brandId) };
}
function card({ at, order, data }: Observation): Card {
  return {
    at,
    order,
    cardId: text(data.cardId),
    viewer: text(data.viewerId),
    sender: text(data.senderId),
    conversation: text(data.conversationId),
    friend: data.conversationKind === 'direct',
    sessionId: text(data.sessionId),
    ...product(data.productRef),
  };
}

export type PeopleFigure = Ratio | { readonly suppressed: true };
/** Minor units over conversations. */
export type MoneyFigure = (Ratio & { readonly currency: string }) | { readonly suppressed: true };
export interface BrandFigures {
  readonly dmProductViewRate: PeopleFigure;
  readonly dmCartRate: PeopleFigure;
  readonly dmPurchaseRate: PeopleFigure;
  readonly revenuePerConversation: Readonly<Record<'friend' | 'brand', MoneyFigure>>;
  readonly firstResponse: { readonly episodes: number; readonly answered: number; readonly medianMs: number | null };
  /** Before suppression: for the truth file's readers, never to be found in an answer of the service. */
  readonly beforeSuppression: Readonly<Record<'view' | 'cart' | 'purchase', Ratio>>;
}

export function brandFigures(
  brandId: string,
  commerce: Commerce,
  messages: readonly Message[],
  span: Span,
): BrandFigures {
  const shown = eligibleDisplays(brandId, commerce, span);
  const beforeSuppression = {
    view: reached(shown, (display, taps) => commerce.views.some((view) => leadsToView(display, taps, view)), commerce),
    cart: reached(shown, (display, taps) => commerce.carts.some((step) => leadsTo(display, taps, step)), commerce),
    purchase: reached(shown, (display, taps) => commerce.items.some((step) => leadsTo(display, taps, step)), commerce),
  };
  return {
    dmProductViewRate: gate(beforeSuppression.view),
    dmCartRate: gate(beforeSuppression.cart),
    dmPurchaseRate: gate(beforeSuppression.purchase),
    revenuePerConversation: revenue(brandId, commerce, span),
    firstResponse: firstResponse(brandId, messages, span),
    beforeSuppression,
  };
}

function gate(ratio: Ratio): PeopleFigure {
  return ratio.denominator < peopleMin || ratio.numerator < peopleMin ? { suppressed: true } : ratio;
}

function mayCount({ sensitive, eligibility, sentAt }: Commerce, card: Card): boolean {
  const { cardId, productId, viewer, sender, friend, order } = card;
  if (sensitive.has(productId) || viewer === sender || !eligibility.counts(viewer, order)) return false;
  return !friend || eligibility.counts(sender, sentAt.get(cardId) ?? -1);
}

function eligibleDisplays(brandId: string, commerce: Commerce, span: Span): Card[] {
  return commerce.displays
    .filter((display) => display.brandId === brandId && display.friend && mayCount(commerce, display))
    .filter(within(span, ({ at }) => at));
}

function reached(
  displays: readonly Card[],
  did: (display: Card, taps: readonly Card[]) => boolean,
  { taps }: Commerce,
): Ratio {
  const people = new Set(displays.map(({ viewer }) => viewer));
  const went = new Set<string>();
  for (const display of displays) {
    const own = taps.filter(
      ({ cardId, viewer, at }) =>
        cardId === display.cardId && viewer === display.viewer && at >= display.at && at < display.at + 7 * dayMs,
    );
    if (did(display, own)) went.add(display.viewer);
  }
  return { numerator: went.size, denominator: people.size };
}

function isOf(display: Card, { member, productId }: Step): boolean {
  return member === display.viewer && productId === display.productId;
}
function leadsToView(display: Card, taps: readonly Card[], view: Step): boolean {
  if (!isOf(display, view)) return false;
  if (view.at >= display.at && view.at < display.at + dayMs) return true;
  return taps.some(({ sessionId, at }) => sessionId !== '' && sessionId === view.sessionId && view.at >= at);
}
function leadsTo(display: Card, taps: readonly Card[], step: Step): boolean {
  if (!isOf(display, step)) return false;
  if (step.at >= display.at && step.at < display.at + dayMs) return true;
  return taps.some(({ at }) => step.at >= at && step.at < at + 7 * dayMs);
}

/** Each item is credited whole to the buyer's last touch of that product, less than 7 days before the order. */
function revenue(brandId: string, commerce: Commerce, span: Span): BrandFigures['revenuePerConversation'] {
  const touches = [...commerce.displays.map(asTouch(0)), ...commerce.taps.map(asTouch(1))].filter(
    (touch) => touch.brandId === brandId && mayCount(commerce, touch),
  );
  const figure = (friend: boolean) => {
    const conversations = new Set(
      commerce.displays
        .filter((display) => display.brandId === brandId && display.friend === friend && mayCount(commerce, display))
        .filter(within(span, ({ at }) => at))
        .map(({ conversation }) => conversation),
    );
    let sum = 0;
    const buyers = new Set<string>();
    for (const item of commerce.items) {
      const touch = lastTouch(touches, item);
      if (touch?.friend !== friend) continue;
      if (item.at >= span.from && item.at < span.to) {
        sum += item.netMinor;
        buyers.add(item.member);
      }
      for (const refund of commerce.refunds) {
        const same = refund.orderId === item.orderId && refund.productId === item.productId;
        if (same && refund.at >= span.from && refund.at < span.to) sum -= refund.netMinor;
      }
    }
    const currency = commerce.currencies.get(brandId) ?? '';
    return { money: { numerator: sum, denominator: conversations.size, currency }, people: buyers.size };
  };
  const [friend, brand] = [figure(true), figure(false)];
  return {
    friend: friend.people < peopleMin ? { suppressed: true } : friend.money,
    brand: brand.money,
  };
}

interface Touch extends Card {
  /** At the same instant a tap wins over a display. */
  readonly rank: number;
}
const asTouch =
  (rank: number) =>
  (one: Card): Touch => ({ ...one, rank });

function lastTouch(touches: readonly Touch[], item: Item): Touch | undefined {
  let last: Touch | undefined;
  for (const touch of touches) {
    if (touch.viewer !== item.member || touch.productId !== item.productId) continue;
    if (touch.at > item.at || item.at - touch.at >= 7 * dayMs) continue;
    if (!last || touch.at > last.at || (touch.at === last.at && touch.rank > last.rank)) last = touch;
  }
  return last;
}

/** Metric 46: a silence of a day begins a new episode; it counts when the customer breaks it. Bots do not answer. */
function firstResponse(brandId: string, messages: readonly Message[], span: Span): BrandFigures['firstResponse'] {
  const threads = byConversation(messages.filter((message) => message.brandId === brandId));
  const times: number[] = [];
  let episodes = 0;
  for (const thread of threads.values()) {
    for (const { opened, answered } of episodesOf(thread)) {
      if (opened < span.from || opened >= span.to) continue;
      episodes += 1;
      if (answered !== undefined) times.push(answered - opened);
    }
  }
  return { episodes, answered: times.length, medianMs: median(times) };
}

function episodesOf(thread: readonly Message[]): { opened: number; answered: number | undefined }[] {
  const found: { opened: number; answered: number | undefined }[] = [];
  let current: { opened: number; answered: number | undefined } | undefined;
  let last = Number.NEGATIVE_INFINITY;
  for (const { at, side, bot } of thread) {
    if (at - last >= dayMs) {
      current = side === 'member' ? { opened: at, answered: undefined } : undefined;
      if (current) found.push(current);
    } else if (current && current.answered === undefined && side === 'brand' && !bot) current.answered = at;
    last = at;
  }
  return found;
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] as number) + (sorted[Math.ceil(middle)] as number)) / 2;
}
