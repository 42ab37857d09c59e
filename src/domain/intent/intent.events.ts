// One person's purchase intent for one product, journey after journey: ask, cart, checkout, abandonment, recovery.
// Stream `intent-<memberId>_<productId>`; intentId names one journey. ProductViewed is an observation.
import { z } from 'zod';
import { dayMs } from '../../kernel/clock.js';
import type { EventOf } from '../../kernel/message.js';
import { ContentRef, Id, Instant, Money, ProductRef, SourceSystem, Surface, TouchRef } from '../vocabulary.js';

const step = {
  intentId: Id,
  previousIntentId: Id.optional(),
  memberId: Id,
  productRef: ProductRef,
  contentRef: ContentRef.optional(),
  surface: Surface.optional(),
  sessionId: Id.optional(),
  sourceSystem: SourceSystem,
  externalEventId: z.string().max(128).optional(),
  ledBy: TouchRef.optional(),
};
const journey = { intentId: Id, memberId: Id, productRef: ProductRef };
/** The cart, or the checkout, that was left: one of many items is so known as one. */
const abandoned = { cartId: Id.optional(), checkoutId: Id.optional() };
export const AbandonmentStage = z.enum(['browse', 'cart', 'checkout']);
export type AbandonmentStage = z.infer<typeof AbandonmentStage>;

/**
 * Silence after the last activity that counts as abandoned, in ms, by how far the journey got (P4). The deployment says it;
 * each is shorter than the silence that ends the journey.
 */
export type AbandonmentDelays = Readonly<Record<AbandonmentStage, number>>;
/** After so much silence the journey is over (P5). */
export const intentExpiresAfterMs = 30 * dayMs;

export const intentEvents = {
  ProductAskedAbout: z.strictObject({
    ...step,
    questionId: Id,
    conversationId: Id.optional(),
    messageId: Id.optional(),
    context: z.enum(['product_page', 'card', 'live', 'moment']),
  }),
  ProductAddedToCart: z.strictObject({ ...step, cartId: Id, quantity: z.int().min(1).max(1_000), unitPrice: Money }),
  ProductRemovedFromCart: z.strictObject({ ...journey, cartId: Id, quantity: z.int().min(1).max(1_000) }),
  CheckoutStarted: z.strictObject({
    ...step,
    cartId: Id,
    checkoutId: Id,
    quantity: z.int().min(1).max(1_000),
    unitPrice: Money,
  }),
  /** At last activity + browse 24 h, cart 1 h, checkout 1 h; once per stage and intent. */
  PurchaseIntentAbandoned: z.strictObject({
    ...journey,
    ...abandoned,
    stage: AbandonmentStage,
    lastActivityAt: Instant,
  }),
  /** A later rung within 30 d of the abandonment. */
  PurchaseIntentRecovered: z.strictObject({
    ...journey,
    ...abandoned,
    stage: AbandonmentStage,
    by: z.enum(['ask', 'cart', 'checkout', 'purchase']),
    afterSec: z.int().min(0),
  }),
  /** 30 d of silence. */
  PurchaseIntentExpired: z.strictObject({ ...journey, lastActivityAt: Instant }),
  /** An order holds the product: the journey is over. */
  PurchaseIntentClosed: z.strictObject({ ...journey, orderId: Id }),
};
export type IntentEvent = EventOf<typeof intentEvents>;
