// The purchase ladder of one person and one product: view, ask, cart, checkout, purchase, refund, or giving up on any
// rung. What led there comes along as the app's claim.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import type { Random } from '../random.js';
import type { JsonObject } from '../script.js';
import { type Product, productRef } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import { deviceHeaders, type Setting } from '../world/setting.js';
import { sourceOf } from './sessions.js';

export type Rung = 'view' | 'ask' | 'cart' | 'checkout' | 'purchase';

export interface Journey {
  readonly person: Person;
  readonly product: Product;
  /** When the product is looked at. */
  readonly at: number;
  /** How far it goes. */
  readonly upTo: Rung;
  readonly surface: 'feed' | 'product_page' | 'search' | 'conversation';
  readonly sessionId?: string;
  /** What the app says led there, as a TouchRef; `led` is its kind. */
  readonly ledBy?: JsonObject;
  readonly led?: 'dm_message' | 'brand_conversation';
  readonly conversation?: { readonly id: string; readonly messageId: string };
  /** Longest pause between the look and the cart. */
  readonly hesitationMs?: number;
}

const refundShare = 0.09;

export function makeJourney(setting: Setting, draw: Random, journey: Journey): void {
  const { person, product, at, upTo } = journey;
  if (at >= setting.rhythm.endMs) return;
  viewProduct(setting, draw, journey);
  if (upTo === 'view') return;
  if (upTo === 'ask' || draw.chance(0.12)) ask(setting, journey, at + draw.between(5_000, 4 * minuteMs));
  if (upTo === 'ask') return;
  const cartId = draw.uuidAt(at);
  const quantity = draw.chance(0.85) ? 1 : 2;
  const pause = draw.chance(0.75) ? draw.exponential(6 * minuteMs) : draw.between(0, journey.hesitationMs ?? 3 * dayMs);
  const cartAt = at + 15_000 + Math.min(pause, journey.hesitationMs ?? Number.POSITIVE_INFINITY);
  const line = { productRef: productRef(product), quantity, unitPrice: price(product) };
  const claim = claimOf(journey);
  command(setting, person, product, cartAt, '/v1/cart/items', {
    ...line,
    cartId,
    surface: journey.surface,
    sourceSystem: 'native',
    ...claim,
  });
  setting.script.count('carts');
  if (upTo === 'cart') {
    if (draw.chance(0.25))
      takeOut(setting, journey, cartAt + draw.between(minuteMs, 20 * minuteMs), { cartId, quantity });
    return;
  }
  const checkoutAt = cartAt + draw.between(20_000, 15 * minuteMs);
  const checkoutId = draw.uuidAt(checkoutAt);
  command(setting, person, product, checkoutAt, '/v1/checkouts', { checkoutId, cartId, items: [line], ...claim });
  setting.script.count('checkouts');
  if (upTo === 'purchase') purchase(setting, draw, journey, { at: checkoutAt, checkoutId, quantity });
}

function price({ priceMinor, brand }: Product): JsonObject {
  return { amountMinor: priceMinor, currency: brand.currency };
}
function claimOf({ ledBy, sessionId }: Journey): JsonObject {
  return { ...(ledBy ? { ledBy } : {}), ...(sessionId ? { sessionId } : {}) };
}

export function viewProduct(setting: Setting, draw: Random, journey: Journey): void {
  const { person, product, at, surface } = journey;
  const ref = productRef(product);
  const data = { memberId: person.id, productRef: ref, surface, sourceSystem: 'native', ...claimOf(journey) };
  setting.script.observe({
    at: Math.floor(at),
    source: sourceOf(person),
    id: draw.uuidAt(at),
    type: 'ProductViewed',
    data,
  });
  setting.script.count('productViews');
}

function ask(setting: Setting, { person, product, conversation, ledBy, led }: Journey, at: number): void {
  command(setting, person, product, at, `/v1/products/${product.productId}/ask`, {
    context: led === 'dm_message' ? 'card' : 'product_page',
    ...(conversation ? { conversationId: conversation.id, messageId: conversation.messageId } : {}),
    ...(ledBy ? { ledBy } : {}),
  });
  setting.script.count('asks');
}

function takeOut(
  setting: Setting,
  { person, product }: Journey,
  at: number,
  body: { cartId: string; quantity: number },
): void {
  command(setting, person, product, at, `/v1/cart/items/${product.productId}`, body, 'DELETE');
}

function purchase(
  setting: Setting,
  draw: Random,
  journey: Journey,
  { at, checkoutId, quantity }: { at: number; checkoutId: string; quantity: number },
): void {
  const { person, product } = journey;
  const buysAt = at + draw.between(15_000, 6 * minuteMs);
  if (buysAt >= setting.rhythm.endMs) return;
  const orderId = draw.uuidAt(buysAt);
  const gross = quantity * product.priceMinor;
  const discountMinor = draw.chance(0.2) ? Math.round(gross * 0.1) : 0;
  const shippingMinor = gross > 5_000 ? 0 : 490;
  const item = {
    productRef: productRef(product),
    quantity,
    unitPriceMinor: product.priceMinor,
    discountMinor,
    taxMinor: Math.round((gross - discountMinor) * 0.2),
  };
  command(setting, person, product, buysAt, '/v1/orders', {
    orderId,
    externalOrderId: `${product.brand.brandId}-${orderId.slice(-8)}`,
    brandId: product.brand.brandId,
    checkoutId,
    items: [item],
    shippingMinor,
    currency: product.brand.currency,
    sourceSystem: 'native',
    ...claimOf(journey),
  });
  setting.script.count('orders');
  setting.script.count(`orders.${journey.led ?? 'direct'}`);
  const [givesBack, backAt] = [draw.chance(refundShare), buysAt + draw.between(12 * hourMs, 6 * dayMs)];
  if (!givesBack || backAt >= setting.rhythm.endMs) return;
  const whole = draw.chance(0.7) || quantity === 1;
  const paid = gross - discountMinor + item.taxMinor;
  const back = {
    productRef: item.productRef,
    quantity: whole ? quantity : 1,
    amountMinor: whole ? paid : Math.floor(paid / quantity),
    // Some shops say what of it is tax, others leave it to the service.
    ...(whole && draw.chance(0.4) ? { taxMinor: item.taxMinor } : {}),
  };
  const shipping = whole && shippingMinor > 0 && draw.chance(0.5) ? { shippingMinor } : {};
  const reason = draw.pick(['size', 'damaged', 'changed-mind']);
  const body = { refundId: draw.uuidAt(backAt), items: [back], ...shipping, reason };
  command(setting, person, product, backAt, `/v1/orders/${orderId}/refunds`, body);
  setting.script.count('refunds');
}

function command(
  setting: Setting,
  person: Person,
  product: Product,
  at: number,
  path: string,
  body: JsonObject,
  method: 'POST' | 'DELETE' = 'POST',
): void {
  if (at >= setting.rhythm.endMs) return;
  setting.script.command({
    at: Math.floor(at),
    caller: 'app',
    member: person.id,
    method,
    path,
    body,
    headers: deviceHeaders(person),
    writes: [`shopper:${person.id}`],
    reads: [`member:${person.id}`, `product:${product.productId}`],
  });
}
