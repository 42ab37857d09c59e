// The purchase path: brands and products, cards shown and tapped, product views, carts, orders and refunds.
import type { BrandEvent } from '../src/domain/brand/brand.events.js';
import type { IntentEvent } from '../src/domain/intent/intent.events.js';
import type { ObservationEvent } from '../src/domain/observation/observation.events.js';
import type { OrderEvent } from '../src/domain/order/order.events.js';
import type { ProductEvent } from '../src/domain/product/product.events.js';
import type { ProductRef, TouchRef } from '../src/domain/vocabulary.js';
import type { AnyEvent } from '../src/kernel/projection.js';
import type { DataOf, FactFields, FactHandler } from './fact-row.js';

function product(ref: ProductRef): FactFields {
  return { brand_id: ref.brandId, product_id: ref.productId, product_category: ref.category };
}

/** What the client says led there; `touch_ref` is the thing touched: a message, a share, an open. */
function touch(ledBy: TouchRef | undefined): FactFields {
  return {
    touch_kind: ledBy?.kind,
    touch_id: ledBy?.touchId,
    touch_ref: ledBy?.ref ?? ledBy?.openId ?? ledBy?.shareId,
    touch_interaction: ledBy?.interaction,
  };
}

function listed(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<ProductEvent, 'ProductListed' | 'ProductChanged'>;
  return [
    {
      ...product(data.productRef),
      sensitive: data.sensitive,
      amount_minor: data.price.amountMinor,
      currency: data.price.currency,
    },
  ];
}

/** `sender_id` is who sent the card, `member_id` who saw or tapped it. */
function card(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<ObservationEvent, 'ProductCardDisplayed'>;
  return [
    {
      ...product(data.productRef),
      member_id: data.viewerId,
      sender_id: data.senderId,
      card_id: data.cardId,
      message_id: data.messageId,
      conversation_id: data.conversationId,
      conversation_kind: data.conversationKind,
      session_id: data.sessionId,
      duration_ms: data.dwellMs,
    },
  ];
}

function journey(event: AnyEvent): FactFields {
  const data = event.data as DataOf<IntentEvent, 'PurchaseIntentClosed'>;
  return { ...product(data.productRef), member_id: data.memberId, intent_id: data.intentId };
}

function step(event: AnyEvent): FactFields {
  const data = event.data as DataOf<IntentEvent, 'ProductAskedAbout' | 'ProductAddedToCart' | 'CheckoutStarted'>;
  return { ...journey(event), ...touch(data.ledBy), session_id: data.sessionId, surface: data.surface };
}

function cart(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<IntentEvent, 'ProductAddedToCart'> | DataOf<IntentEvent, 'CheckoutStarted'>;
  const { quantity, unitPrice } = data;
  return [
    {
      ...step(event),
      cart_id: data.cartId,
      checkout_id: 'checkoutId' in data ? data.checkoutId : undefined,
      quantity,
      amount_minor: quantity * unitPrice.amountMinor,
      currency: unitPrice.currency,
    },
  ];
}

/** One row for the order, whose amounts include shipping and tax, and one for each item, whose net does not. */
function purchase(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<OrderEvent, 'PurchaseCompleted'>;
  const order = {
    member_id: data.memberId,
    order_id: data.orderId,
    checkout_id: data.checkoutId,
    ...touch(data.ledBy),
    session_id: data.sessionId,
    currency: data.currency,
  };
  return [
    {
      ...order,
      brand_id: data.brandId,
      amount_minor: data.totalMinor,
      reporting_minor: data.reporting?.amountMinor,
      reporting_currency: data.reporting?.currency,
    },
    ...data.items.map((item) => ({
      ...order,
      ...product(item.productRef),
      fact: 'PurchaseItem',
      intent_id: item.intentId,
      quantity: item.quantity,
      amount_minor: item.quantity * item.unitPriceMinor,
      net_minor: item.quantity * item.unitPriceMinor - item.discountMinor,
    })),
  ];
}

function refund(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<OrderEvent, 'PurchaseRefunded'>;
  const order = {
    member_id: data.memberId,
    order_id: data.orderId,
    currency: data.currency,
    purchased_at: data.purchasedAt,
  };
  return [
    {
      ...order,
      brand_id: data.brandId,
      amount_minor: -data.amountMinor,
      reporting_minor: data.reporting && -data.reporting.amountMinor,
      reporting_currency: data.reporting?.currency,
    },
    ...data.items.map((item) => ({
      ...order,
      ...product(item.productRef),
      fact: 'RefundItem',
      quantity: item.quantity,
      amount_minor: -item.amountMinor,
      // Of an event that does not know its tax, all of it: a projection has no order to look into.
      net_minor: -(item.amountMinor - (item.taxMinor ?? 0)),
    })),
  ];
}

export const commerceFacts: Readonly<Record<string, FactHandler>> = {
  BrandRegistered: (event) => {
    const { brandId, timeZone, businessHours } = event.data as DataOf<BrandEvent, 'BrandRegistered'>;
    return [{ brand_id: brandId, details: JSON.stringify({ timeZone, businessHours }) }];
  },
  ProductListed: listed,
  ProductChanged: listed,
  ProductCardDisplayed: card,
  ProductCardTapped: card,
  ProductViewed: (event) => {
    const data = event.data as DataOf<ObservationEvent, 'ProductViewed'>;
    return [
      {
        ...product(data.productRef),
        member_id: data.memberId,
        anon_id: data.anonId,
        session_id: data.sessionId,
        surface: data.surface,
        ...touch(data.ledBy),
      },
    ];
  },
  ProductAskedAbout: (event) => {
    const data = event.data as DataOf<IntentEvent, 'ProductAskedAbout'>;
    return [{ ...step(event), conversation_id: data.conversationId, message_id: data.messageId }];
  },
  ProductAddedToCart: cart,
  ProductRemovedFromCart: (event) => {
    const data = event.data as DataOf<IntentEvent, 'ProductRemovedFromCart'>;
    return [{ ...journey(event), cart_id: data.cartId, quantity: data.quantity }];
  },
  CheckoutStarted: cart,
  PurchaseIntentAbandoned: (event) => {
    const data = event.data as DataOf<IntentEvent, 'PurchaseIntentAbandoned'>;
    return [{ ...journey(event), stage: data.stage }];
  },
  PurchaseIntentRecovered: (event) => {
    const data = event.data as DataOf<IntentEvent, 'PurchaseIntentRecovered'>;
    return [{ ...journey(event), stage: data.stage, entry: data.by, duration_ms: data.afterSec * 1_000 }];
  },
  PurchaseIntentExpired: (event) => [journey(event)],
  PurchaseIntentClosed: (event) => {
    const data = event.data as DataOf<IntentEvent, 'PurchaseIntentClosed'>;
    return [{ ...journey(event), order_id: data.orderId }];
  },
  PurchaseCompleted: purchase,
  PurchaseRefunded: refund,
};
