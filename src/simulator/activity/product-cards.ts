// Friends send each other products. Two brands are planted: a large one that at least 120 eligible people buy from after
// a friend's card, and a small one whose figures must stay hidden. Around them, other brands and people who do not count.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import { directConversationId } from '../../kernel/ids.js';
import type { Random } from '../random.js';
import type { JsonObject } from '../script.js';
import { type Brand, type Product, productRef } from '../world/catalogue.js';
import { type Person, staysMeasurable } from '../world/people.js';
import type { Setting } from '../world/setting.js';
import { sentence } from '../world/wording.js';
import { replyDelayMs } from './chatter.js';
import type { Messaging } from './messaging.js';
import { observeSession, sourceOf } from './sessions.js';
import { makeJourney, type Rung } from './shopping.js';

/** A card on its way, and how far its receiver goes. */
export interface CardPlan {
  readonly at: number;
  readonly product: Product;
  readonly from: Person;
  readonly to: Person;
  readonly displayed: boolean;
  readonly tapped: boolean;
  readonly upTo: Rung | 'nothing';
}

export function makeProductCards(setting: Setting, messaging: Messaging): void {
  const draw = setting.random.stream('product-cards');
  plantLarge(setting, messaging, draw.stream('large'));
  plantSmall(setting, messaging, draw.stream('small'));
  scatter(setting, messaging, draw.stream('others'));
}

function plantLarge(setting: Setting, messaging: Messaging, draw: Random): void {
  const { planted } = setting.profile;
  const brand = setting.catalogue.planted('large');
  const pairs = eligiblePairs(setting, messaging, draw, planted.largeRecipients);
  if (pairs.length < planted.largeRecipients) {
    throw new RangeError(`${setting.profile.name}: ${pairs.length} eligible pairs, ${planted.largeRecipients} wanted`);
  }
  for (const [index, pair] of pairs.entries()) {
    const buys = index < planted.largeBuyers;
    const upTo = buys ? 'purchase' : draw.weighted({ nothing: 45, view: 25, cart: 20, checkout: 10 });
    const tapped = buys || upTo !== 'nothing';
    sendCard(setting, messaging, draw, { ...pair, product: favourite(brand, draw), displayed: true, tapped, upTo });
  }
  // Cards of the same brand that must not count: between people who did not agree, or are too young.
  for (let index = 0; index < planted.largeRecipients / 3; index += 1) {
    const plan = anyPlan(setting, messaging, draw, favourite(brand, draw));
    if (plan) sendCard(setting, messaging, draw, plan);
  }
}

function plantSmall(setting: Setting, messaging: Messaging, draw: Random): void {
  const brand = setting.catalogue.planted('small');
  for (const pair of eligiblePairs(setting, messaging, draw, setting.profile.planted.smallRecipients)) {
    const upTo = draw.weighted({ nothing: 30, view: 25, cart: 15, purchase: 30 });
    sendCard(setting, messaging, draw, {
      ...pair,
      product: favourite(brand, draw),
      displayed: true,
      tapped: upTo !== 'nothing',
      upTo,
    });
  }
}

function scatter(setting: Setting, messaging: Messaging, draw: Random): void {
  const { profile, rhythm, catalogue } = setting;
  for (let day = 0; day < profile.days; day += 1) {
    for (let left = draw.poisson(profile.productCardsPerDay * rhythm.liveliness(day)); left > 0; left -= 1) {
      const plan = anyPlan(setting, messaging, draw, catalogue.drawProduct(draw), day);
      if (plan) sendCard(setting, messaging, draw, plan);
    }
  }
}

/** Distinct receivers, each with a friend to send; both agreed before and never took it back. */
function eligiblePairs(
  setting: Setting,
  messaging: Messaging,
  draw: Random,
  wanted: number,
): { at: number; from: Person; to: Person }[] {
  const { rhythm, people } = setting;
  const pairs: { at: number; from: Person; to: Person }[] = [];
  const agreed = (person: Person, at: number) => staysMeasurable(person) && (person.consentAt as number) < at - hourMs;
  for (const to of draw.shuffled(people)) {
    if (pairs.length === wanted) break;
    const at = rhythm.instantOn(draw.below(Math.max(1, rhythm.days - 2)), to.utcOffsetHours, draw);
    if (!agreed(to, at)) continue;
    const senders = messaging.partners(to, at).filter((friend) => agreed(friend, at));
    if (senders.length > 0) pairs.push({ at, from: draw.pick(senders), to });
  }
  return pairs;
}

function anyPlan(
  setting: Setting,
  messaging: Messaging,
  draw: Random,
  product: Product,
  day?: number,
): CardPlan | undefined {
  const from = draw.pick(setting.people);
  const on = day ?? draw.below(setting.rhythm.days - 1);
  const at = setting.rhythm.instantOn(on, from.utcOffsetHours, draw);
  const upTo = draw.weighted({ nothing: 48, view: 28, ask: 4, cart: 12, checkout: 4, purchase: 8 });
  const displayed = upTo !== 'nothing' || draw.chance(0.8);
  const tapped = upTo !== 'nothing' && draw.chance(0.8);
  const partners = messaging.partners(from, at);
  return partners.length === 0 ? undefined : { at, product, from, to: draw.pick(partners), displayed, tapped, upTo };
}

function favourite(brand: Brand, draw: Random): Product {
  return draw.pick(brand.products.slice(0, 4));
}

function sendCard(setting: Setting, messaging: Messaging, draw: Random, plan: CardPlan): void {
  const { at, product, from, to } = plan;
  const [cardId, touchId] = [draw.uuidAt(at), draw.uuidAt(at)];
  const attachments = [{ kind: 'product_card', productRef: productRef(product), cardId, touchId }];
  const words = {
    attachments,
    reads: [`product:${product.productId}`],
    ...(draw.chance(0.6) ? { body: sentence(draw) } : {}),
  };
  const messageId = messaging.say(at, from, to, words);
  if (!messageId) return;
  setting.script.count('productCards');
  setting.script.count('shares.completed');
  setting.script.count('shares.inApp');
  if (!plan.displayed) return;
  const conversationId = directConversationId(from.id, to.id);
  const card = { cardId, messageId, conversationId, conversationKind: 'direct', senderId: from.id };
  const after = plan.upTo === 'purchase' ? Math.min(replyDelayMs(draw), 6 * hourMs) : replyDelayMs(draw);
  followCard(setting, draw, {
    ...plan,
    at: at + after,
    card: { ...card, productRef: productRef(product) },
    touchId,
    kind: 'dm_message',
  });
}

/** The card comes before the receiver's eyes in a session of its own, is perhaps tapped, and leads on. */
export function followCard(
  setting: Setting,
  draw: Random,
  by: Pick<CardPlan, 'at' | 'product' | 'to' | 'tapped' | 'upTo'> & {
    readonly card: {
      readonly cardId: string;
      readonly messageId: string;
      readonly conversationId: string;
      readonly senderId: string;
    } & JsonObject;
    readonly touchId: string;
    readonly kind: 'dm_message' | 'brand_conversation';
  },
): void {
  const { at, to, product, card, touchId } = by;
  if (at >= setting.rhythm.endMs - hourMs) return;
  const session = {
    id: draw.uuidAt(at),
    person: to,
    startsAt: Math.floor(at - 2_000),
    endsAt: Math.floor(at + draw.between(1, 9) * minuteMs),
  };
  observeSession(setting, session, 'notification', false);
  const seen = { ...card, viewerId: to.id, sessionId: session.id };
  const observe = (type: string, when: number, data: JsonObject) =>
    setting.script.observe({ at: Math.floor(when), source: sourceOf(to), id: draw.uuidAt(when), type, data });
  observe('ProductCardDisplayed', at, { ...seen, dwellMs: 1_000 + draw.below(9_000) });
  setting.script.count('cardsDisplayed');
  const tapAt = at + draw.between(1_500, 25_000);
  if (by.tapped) observe('ProductCardTapped', tapAt, seen);
  if (by.upTo === 'nothing') return;
  // Without a tap the product is found again by oneself, within the day or after it.
  const lookAt = by.tapped ? tapAt + draw.between(600, 2_500) : at + draw.between(10 * minuteMs, 40 * hourMs);
  const touch = { conversationId: card.conversationId, senderId: card.senderId, touchId };
  const ledBy = { kind: by.kind, ref: card.messageId, interaction: by.tapped ? 'tap' : 'display', ...touch };
  makeJourney(setting, draw, {
    person: to,
    product,
    at: lookAt,
    upTo: by.upTo,
    surface: by.tapped ? 'conversation' : 'search',
    ledBy,
    led: by.kind,
    ...(by.tapped ? { sessionId: session.id } : {}),
    hesitationMs: by.upTo === 'purchase' && by.tapped ? 20 * hourMs : 8 * dayMs,
  });
}
