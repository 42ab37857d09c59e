// An order is placed once and may be given back in parts: never more of a line, and never more money, than was bought.
// All sums are of integers, so nothing is split and nothing rounds.
import type { Decider } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';
import type { ProductRef } from '../vocabulary.js';
import type { OrderCommand } from './order.commands.js';
import type { OrderEvent } from './order.events.js';

/** The largest amount an event may carry (vocabulary). */
export const amountMinorMax = 1e13;

type Purchase = DataOf<OrderEvent, 'PurchaseCompleted'>;
type Placing = Extract<OrderCommand, { type: 'PlaceOrder' }>['data'];
type Refunding = Extract<OrderCommand, { type: 'RefundOrder' }>['data'];

interface Line {
  readonly quantity: number;
  readonly amountMinor: number;
}
export interface PlacedOrder {
  readonly purchase: Pick<Purchase, 'orderId' | 'externalOrderId' | 'memberId' | 'brandId' | 'totalMinor' | 'currency'>;
  readonly purchasedAt: string;
  /** What may still be given back, by product and variant. */
  readonly refundable: Readonly<Record<string, Line>>;
  readonly refundableMinor: number;
  readonly refundIds: readonly string[];
}
export type OrderState = PlacedOrder | undefined;

function lineKey({ productId, variantId }: ProductRef): string {
  return variantId === undefined ? productId : `${productId}_${variantId}`;
}

function paidForLine(item: Purchase['items'][number]): number {
  return item.quantity * item.unitPriceMinor - item.discountMinor + item.taxMinor;
}

function linesOf(items: Purchase['items']): Readonly<Record<string, Line>> {
  const lines: Record<string, Line> = {};
  for (const item of items) {
    const key = lineKey(item.productRef);
    const { quantity, amountMinor } = lines[key] ?? { quantity: 0, amountMinor: 0 };
    lines[key] = { quantity: quantity + item.quantity, amountMinor: amountMinor + paidForLine(item) };
  }
  return lines;
}

const sumOf = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

type Totals = Pick<Purchase, 'subtotalMinor' | 'discountMinor' | 'taxMinor' | 'totalMinor'>;

function totalsOf({ items, shippingMinor }: Placing): Totals {
  const subtotalMinor = sumOf(items.map(({ quantity, unitPriceMinor }) => quantity * unitPriceMinor));
  const discountMinor = sumOf(items.map((item) => item.discountMinor));
  const taxMinor = sumOf(items.map((item) => item.taxMinor));
  const totalMinor = subtotalMinor - discountMinor + shippingMinor + taxMinor;
  if (Math.max(subtotalMinor, discountMinor, taxMinor, totalMinor) > amountMinorMax) {
    throw new Rejection('amount-too-large', 'an amount of the order is too large', { limit: amountMinorMax });
  }
  return { subtotalMinor, discountMinor, taxMinor, totalMinor };
}

/**
 * A shop and a browser that both report one order of the shop's may each know other sums (the browser no shipping, say):
 * under the shop's own number the first report is kept.
 */
function isSameOrder(data: Placing, { totalMinor }: Totals, known: PlacedOrder['purchase']): boolean {
  if (known.memberId !== data.memberId || known.brandId !== data.brandId) return false;
  if (data.externalOrderId !== undefined && data.externalOrderId === known.externalOrderId) return true;
  return known.totalMinor === totalMinor && known.currency === data.currency;
}

function place(data: Placing, state: OrderState): readonly OrderEvent[] {
  if (data.items.some(({ productRef }) => productRef.brandId !== data.brandId)) {
    throw new Rejection('brand-mismatch', 'an order is with one brand: every item must be its own');
  }
  if (data.items.some((item) => item.discountMinor > item.quantity * item.unitPriceMinor)) {
    throw new Rejection('discount-exceeds-price', 'an item is discounted by more than it costs');
  }
  const totals = totalsOf(data);
  if (!state) return [{ type: 'PurchaseCompleted', data: { ...data, ...totals } }];
  if (!isSameOrder(data, totals, state.purchase)) throw new Rejection('order-exists', 'another order has this id');
  return [];
}

function mustFit(wanted: Readonly<Record<string, Line>>, refundable: Readonly<Record<string, Line>>): void {
  for (const [key, { quantity, amountMinor }] of Object.entries(wanted)) {
    const line = refundable[key];
    if (!line) throw new Rejection('item-not-in-order', `the order has no ${key}`);
    if (quantity > line.quantity) {
      const extra = { limit: line.quantity, current: quantity };
      throw new Rejection('refund-exceeds-quantity', `more of ${key} than is left to give back`, extra);
    }
    if (amountMinor > line.amountMinor) {
      const extra = { limit: line.amountMinor, current: amountMinor };
      throw new Rejection('refund-exceeds-amount', `more for ${key} than is left to give back`, extra);
    }
  }
}

function wantedLines(items: Refunding['items']): Readonly<Record<string, Line>> {
  const lines: Record<string, Line> = {};
  for (const { productRef, quantity, amountMinor } of items) {
    const key = lineKey(productRef);
    const line = lines[key] ?? { quantity: 0, amountMinor: 0 };
    lines[key] = { quantity: line.quantity + quantity, amountMinor: line.amountMinor + amountMinor };
  }
  return lines;
}

function refund({ refundId, orderId, items, reason, currency }: Refunding, state: OrderState): readonly OrderEvent[] {
  if (!state) throw new Rejection('order-not-found', 'no such order');
  if (state.refundIds.includes(refundId)) return [];
  if (currency !== undefined && currency !== state.purchase.currency) {
    throw new Rejection('currency-mismatch', `the order was paid in ${state.purchase.currency}`);
  }
  mustFit(wantedLines(items), state.refundable);
  const amountMinor = sumOf(items.map((item) => item.amountMinor));
  if (amountMinor > state.refundableMinor) {
    const extra = { limit: state.refundableMinor, current: amountMinor };
    throw new Rejection('refund-exceeds-amount', 'more than is left to give back', extra);
  }
  const { memberId, brandId } = state.purchase;
  const { purchasedAt } = state;
  const order = { orderId, memberId, brandId, purchasedAt, currency: state.purchase.currency };
  return [{ type: 'PurchaseRefunded', data: { refundId, ...order, items, amountMinor, reason } }];
}

export const orderDecider: Decider<OrderCommand, OrderEvent, OrderState> = {
  category: 'order',
  initialState: undefined,
  decide: {
    /** Known for ever by its id (P2). */
    PlaceOrder: ({ data }, state) => place(data, state),
    RefundOrder: ({ data }, state) => refund(data, state),
  },
  evolve: {
    PurchaseCompleted: (_, { data }, { occurredAt }) => ({
      purchase: {
        orderId: data.orderId,
        externalOrderId: data.externalOrderId,
        memberId: data.memberId,
        brandId: data.brandId,
        totalMinor: data.totalMinor,
        currency: data.currency,
      },
      purchasedAt: occurredAt,
      refundable: linesOf(data.items),
      refundableMinor: data.totalMinor,
      refundIds: [],
    }),
    PurchaseRefunded: (state, { data }) => {
      if (!state) return state;
      const refundable = { ...state.refundable };
      for (const [key, taken] of Object.entries(wantedLines(data.items))) {
        const line = refundable[key] ?? { quantity: 0, amountMinor: 0 };
        refundable[key] = {
          quantity: line.quantity - taken.quantity,
          amountMinor: line.amountMinor - taken.amountMinor,
        };
      }
      return {
        ...state,
        refundable,
        refundableMinor: state.refundableMinor - data.amountMinor,
        refundIds: [...state.refundIds, data.refundId],
      };
    },
  },
};
