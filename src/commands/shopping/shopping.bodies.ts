// What an app says of the way to a purchase. A product is named by its reference; its category is the catalogue's.
import { z } from 'zod';
import { intentEvents } from '../../domain/intent/intent.events.js';
import { OrderItem, orderEvents } from '../../domain/order/order.events.js';
import { Id } from '../../domain/vocabulary.js';

const added = intentEvents.ProductAddedToCart.shape;
const circumstances = {
  contentRef: added.contentRef,
  surface: added.surface,
  sessionId: added.sessionId,
  ledBy: added.ledBy,
  sourceSystem: added.sourceSystem.default('native'),
  externalEventId: added.externalEventId,
};
const asked = intentEvents.ProductAskedAbout.shape;
export const Question = z
  .strictObject({
    conversationId: asked.conversationId,
    messageId: asked.messageId,
    context: asked.context,
    ...circumstances,
  })
  .meta({ id: 'ProductQuestion' });

export const CartItem = z
  .strictObject({
    productRef: added.productRef,
    cartId: Id.optional(),
    quantity: added.quantity,
    unitPrice: added.unitPrice,
    ...circumstances,
  })
  .meta({ id: 'CartItem' });
export const CartRemoval = z.strictObject({ cartId: Id, quantity: added.quantity }).meta({ id: 'CartRemoval' });

/** Items of one cart and order; also the streams that one write touches. */
const itemsMax = 100;
const checkout = intentEvents.CheckoutStarted.shape;
export const NewCheckout = z
  .strictObject({
    checkoutId: Id.optional(),
    cartId: Id,
    items: z
      .array(
        z.strictObject({
          productRef: checkout.productRef,
          quantity: checkout.quantity,
          unitPrice: checkout.unitPrice,
        }),
      )
      .min(1)
      .max(itemsMax),
    ...circumstances,
  })
  .meta({ id: 'NewCheckout' });

const item = OrderItem.shape;
const purchase = orderEvents.PurchaseCompleted.shape;
export const NewOrder = z
  .strictObject({
    orderId: Id.optional(),
    externalOrderId: purchase.externalOrderId,
    brandId: Id,
    checkoutId: purchase.checkoutId,
    items: z
      .array(
        z.strictObject({
          productRef: item.productRef,
          quantity: item.quantity,
          unitPriceMinor: item.unitPriceMinor,
          discountMinor: item.discountMinor.default(0),
          taxMinor: item.taxMinor.default(0),
        }),
      )
      .min(1)
      .max(itemsMax),
    shippingMinor: purchase.shippingMinor.default(0),
    currency: purchase.currency,
    isFirstOrder: purchase.isFirstOrder,
    reporting: purchase.reporting,
    coupon: purchase.coupon,
    ledBy: purchase.ledBy,
    sessionId: purchase.sessionId,
    sourceSystem: purchase.sourceSystem.default('native'),
  })
  .meta({ id: 'NewOrder' });

const refund = orderEvents.PurchaseRefunded.shape;
export const NewRefund = z
  .strictObject({
    refundId: Id.optional(),
    /** `amountMinor` is with tax. `taxMinor` is the tax in it; by default that part of the line's own tax. */
    items: refund.items.default([]),
    shippingMinor: refund.shippingMinor,
    reporting: refund.reporting,
    reason: refund.reason,
    /** When given, it must be the order's. */
    currency: refund.currency.optional(),
  })
  .meta({ id: 'NewRefund' });
