// An order of one person with one brand: purchase and refunds. Stream `order-<orderId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { AmountMinor, Currency, Id, Money, ProductRef, SourceSystem, TouchRef } from '../vocabulary.js';

export const OrderItem = z.strictObject({
  productRef: ProductRef,
  intentId: Id.optional(),
  quantity: z.int().min(1).max(1_000),
  unitPriceMinor: AmountMinor,
  discountMinor: AmountMinor,
  taxMinor: AmountMinor,
});

export const RefundItem = z.strictObject({
  productRef: ProductRef,
  quantity: z.int().min(1).max(1_000),
  amountMinor: AmountMinor,
  /** The tax in it. Absent in events from before it was recorded. */
  taxMinor: AmountMinor.optional(),
});

/** The whole amount in the currency that is reported in, at the rate of that day; never added up with the order's own. */
const Reporting = z.strictObject({ ...Money.shape, rate: z.number().positive().max(1e9) });

export const orderEvents = {
  PurchaseCompleted: z.strictObject({
    orderId: Id,
    externalOrderId: z.string().max(128).optional(),
    memberId: Id,
    brandId: Id,
    checkoutId: Id.optional(),
    sessionId: Id.optional(),
    sourceSystem: SourceSystem,
    items: z.array(OrderItem).min(1).max(100),
    subtotalMinor: AmountMinor,
    discountMinor: AmountMinor,
    shippingMinor: AmountMinor,
    taxMinor: AmountMinor,
    /** subtotal − discount + shipping + tax. */
    totalMinor: AmountMinor,
    currency: Currency,
    /** The buyer's first with this brand, as the shop knows it. */
    isFirstOrder: z.boolean().optional(),
    reporting: Reporting.optional(),
    coupon: z.string().max(64).optional(),
    ledBy: TouchRef.optional(),
  }),
  PurchaseRefunded: z.strictObject({
    refundId: Id,
    orderId: Id,
    memberId: Id,
    brandId: Id,
    /** Of the order: so that a refund is a row of its own, without a join. */
    purchasedAt: z.iso.datetime(),
    items: z.array(RefundItem).max(100),
    /** Of the shipping of the order. */
    shippingMinor: AmountMinor.optional(),
    /** items + shipping. */
    amountMinor: AmountMinor,
    currency: Currency,
    /** Of `amountMinor`; the rate is the refund's day's, which need not be the order's. */
    reporting: Reporting.optional(),
    reason: z.string().max(64).optional(),
  }),
};
export type OrderEvent = EventOf<typeof orderEvents>;
