// People write to brands: a bot may greet at once, a person of the brand answers after its own time or never, cards are
// sent, some buy. Each episode lies a day and more from the next of the same two.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import { brandConversationId } from '../../kernel/ids.js';
import type { Random } from '../random.js';
import { type Brand, type Product, productRef } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import type { Setting } from '../world/setting.js';
import { answer, question, sentence } from '../world/wording.js';
import type { Messaging } from './messaging.js';
import { followCard } from './product-cards.js';
import type { Session } from './sessions.js';
import { makeJourney, viewProduct } from './shopping.js';

interface Episode {
  readonly at: number;
  readonly customer: Person;
  readonly product: Product;
  readonly sessionId: string;
}

export function makeBrandTalk(setting: Setting, messaging: Messaging, sessions: readonly Session[]): void {
  const { profile, catalogue } = setting;
  const draw = setting.random.stream('brand-talk');
  const products = [
    ...catalogue.products,
    ...catalogue.planted('large').products,
    ...catalogue.planted('small').products.slice(0, 2),
  ];
  const talkers = sessions.filter(({ person }) => person.ageBand !== '13_15');
  for (let left = Math.round(profile.brandEpisodesPerDay * profile.days); left > 0 && talkers.length > 0; left -= 1) {
    const session = draw.pick(talkers);
    const at = session.startsAt + draw.between(2_000, Math.max(3_000, session.endsAt - session.startsAt));
    const product = draw.pick(products);
    const start = { at: Math.floor(at), customer: session.person, product, sessionId: session.id };
    if (product.brand.role === 'small' && !draw.chance(0.5)) continue;
    converse(setting, messaging, draw, start);
  }
}

/** A person answers quickly in the day, later when the shop is closed, and sometimes not at all. */
function answerDelayMs(brand: Brand, draw: Random): number | undefined {
  if (draw.chance(0.12)) return undefined;
  const delay = Math.max(20_000, draw.logNormal(brand.responseMedianMin * minuteMs, 0.9));
  return Math.min(20 * hourMs, draw.chance(0.2) ? delay + draw.between(6, 14) * hourMs : delay);
}

function converse(
  setting: Setting,
  messaging: Messaging,
  draw: Random,
  { at, customer, product, sessionId }: Episode,
): void {
  const { brand } = product;
  const conversationId = brandConversationId(customer.id, brand.brandId);
  viewProduct(setting, draw, {
    person: customer,
    product,
    at: at - 1_500,
    upTo: 'view',
    surface: 'product_page',
    sessionId,
  });
  const asked = messaging.askBrand(at, customer, brand, { body: question(draw) });
  if (!asked) return;
  setting.script.count('brandEpisodes');
  if (draw.chance(0.3)) messaging.askBrand(at + draw.between(8_000, 60_000), customer, brand, { body: sentence(draw) });
  if (brand.hasBot)
    messaging.answerAsBrand(at + draw.between(900, 3_000), brand, customer, {
      body: 'Thank you, a person will answer you soon. This is an automatic message.',
      bot: true,
    });
  const delay = answerDelayMs(brand, draw);
  const conversation = { id: conversationId, messageId: asked };
  const buysChance = delay === undefined ? 0.03 : Math.max(0.05, 0.3 - 0.05 * Math.log10(1 + delay / minuteMs));
  if (delay === undefined) {
    if (draw.chance(buysChance))
      makeJourney(setting, draw, {
        person: customer,
        product,
        at: at + draw.between(1, 20) * hourMs,
        upTo: 'purchase',
        surface: 'product_page',
      });
    return;
  }
  const answeredAt = at + delay;
  if (draw.chance(0.6)) messaging.readAsBrand(answeredAt - 5_000, brand, conversationId);
  sendAnswer(setting, messaging, draw, {
    at: answeredAt,
    customer,
    product,
    conversation,
    buys: draw.chance(buysChance),
  });
}

function sendAnswer(
  setting: Setting,
  messaging: Messaging,
  draw: Random,
  by: {
    at: number;
    customer: Person;
    product: Product;
    conversation: { id: string; messageId: string };
    buys: boolean;
  },
): void {
  const { at, customer, product, conversation, buys } = by;
  const { brand } = product;
  const [cardId, touchId] = [draw.uuidAt(at), draw.uuidAt(at)];
  const withCard = buys || draw.chance(0.4);
  const attachments = withCard
    ? [{ kind: 'product_card', productRef: productRef(product), cardId, touchId }]
    : undefined;
  const words = {
    body: answer(draw),
    bot: false,
    reads: [`product:${product.productId}`],
    ...(attachments ? { attachments } : {}),
  };
  const messageId = messaging.answerAsBrand(at, brand, customer, words);
  if (!messageId) return;
  const seenAt = at + draw.exponential(15 * minuteMs) + 4_000;
  if (draw.chance(0.5)) messaging.read(seenAt + 1_000, customer, conversation.id);
  if (withCard) {
    const agent = `${brand.brandId}.agent-${1 + (customer.index % 3)}`;
    const card = {
      cardId,
      messageId,
      conversationId: conversation.id,
      conversationKind: 'brand',
      senderId: agent,
      productRef: productRef(product),
    };
    const upTo = buys ? 'purchase' : draw.weighted({ nothing: 40, view: 35, ask: 10, cart: 15 });
    followCard(setting, draw, {
      at: seenAt,
      product,
      to: customer,
      tapped: upTo !== 'nothing',
      upTo,
      card,
      touchId,
      kind: 'brand_conversation',
    });
  }
  let when = seenAt;
  for (let turn = 0; turn < 3 && draw.chance(0.45) && when < at + dayMs / 2; turn += 1) {
    when += draw.logNormal(4 * minuteMs, 1);
    messaging.askBrand(when, customer, brand, { body: sentence(draw) });
    when += draw.logNormal(0.5 * brand.responseMedianMin * minuteMs, 0.8);
    messaging.answerAsBrand(when, brand, customer, { body: answer(draw), bot: false });
  }
}
