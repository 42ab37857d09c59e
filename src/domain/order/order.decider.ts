// An order is placed once and may be given back in parts: never more of a line, and never more money, than was bought.
// All sums are of integers. Only the tax in a refund may be split, and whatever the parts, a line given back whole has
// given back all of its tax: net revenue is without tax on both ways.
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
  /** What was paid for it: less discount, with tax. */
  readonly amountMinor: number;
  readonly taxMinor: number;
}
type Lines = Readonly<Record<string, Line>>;
type RefundItem = Refunding['items'][number];
export interface PlacedOrder {
  readonly purchase: Pick<Purchase, 'orderId' | 'externalOrderId' | 'memberId' | 'brandId' | 'totalMinor' | 'currency'>;
  readonly purchasedAt: string;
  /** What may still be given back, by product and variant. */
  readonly refundable: Lines;
  readonly refundableShippingMinor: number;
  readonly refundIds: readonly string[];
}
export type OrderState = PlacedOrder | undefined;

function lineKey({ productId, variantId }: ProductRef): string {
  return variantId === undefined ? productId : `${productId}_${variantId}`;
}

function paidForLine(item: Purchase['items'][number]): number {
  return item.quantity * item.unitPriceMinor - item.discountMinor + item.taxMinor;
}

function linesOf(items: Purchase['items']): Lines {
  const lines: Record<string, Line> = {};
  for (const item of items) {
    const key = lineKey(item.productRef);
    const { quantity, amountMinor, taxMinor } = lines[key] ?? { quantity: 0, amountMinor: 0, taxMinor: 0 };
    lines[key] = {
      quantity: quantity + item.quantity,
      amountMinor: amountMinor + paidForLine(item),
      taxMinor: taxMinor + item.taxMinor,
    };
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

/** As the caller said, or else the tax that is in this part of the line, rounded down: the last part takes the rest. */
function taxOf({ amountMinor, taxMinor }: RefundItem, line: Line): number {
  if (taxMinor !== undefined) return taxMinor;
  if (line.amountMinor === 0) return 0;
  return Number((BigInt(amountMinor) * BigInt(line.taxMinor)) / BigInt(line.amountMinor));
}

function lineWithout(item: RefundItem, line: Line): Line {
  return {
    quantity: line.quantity - item.quantity,
    amountMinor: line.amountMinor - item.amountMinor,
    taxMinor: line.taxMinor - taxOf(item, line),
  };
}

function mustNotExceed(code: string, what: string, current: number, limit: number): void {
  if (current > limit) throw new Rejection(code, `more ${what} than is left to give back`, { limit, current });
}

/** The items with their tax, each out of what the ones before it left. @throws Rejection what does not fit */
function taken(items: Refunding['items'], refundable: Lines): Refunding['items'] {
  const left: Record<string, Line> = { ...refundable };
  return items.map((item) => {
    const key = lineKey(item.productRef);
    const line = left[key];
    if (!line) throw new Rejection('item-not-in-order', `the order has no ${key}`);
    mustNotExceed('refund-exceeds-quantity', `of ${key}`, item.quantity, line.quantity);
    mustNotExceed('refund-exceeds-amount', `for ${key}`, item.amountMinor, line.amountMinor);
    const taxMinor = taxOf(item, line);
    mustNotExceed('refund-exceeds-amount', `tax of ${key}`, taxMinor, Math.min(line.taxMinor, item.amountMinor));
    const net = line.amountMinor - line.taxMinor;
    mustNotExceed('refund-exceeds-amount', `before tax for ${key}`, item.amountMinor - taxMinor, net);
    left[key] = lineWithout(item, line);
    return { ...item, taxMinor };
  });
}

function refund(
  { refundId, orderId, items, shippingMinor, reporting, reason, currency }: Refunding,
  state: OrderState,
): readonly OrderEvent[] {
  if (!state) throw new Rejection('order-not-found', 'no such order');
  if (state.refundIds.includes(refundId)) return [];
  if (currency !== undefined && currency !== state.purchase.currency) {
    throw new Rejection('currency-mismatch', `the order was paid in ${state.purchase.currency}`);
  }
  const shipping = shippingMinor ?? 0;
  if (items.length === 0 && shipping === 0) throw new Rejection('empty-refund', 'items or shipping are needed');
  const given = taken(items, state.refundable);
  mustNotExceed('refund-exceeds-amount', 'shipping', shipping, state.refundableShippingMinor);
  const amountMinor = sumOf(given.map((item) => item.amountMinor)) + shipping;
  const { memberId, brandId } = state.purchase;
  const { purchasedAt } = state;
  const order = { orderId, memberId, brandId, purchasedAt, currency: state.purchase.currency };
  const back = { items: given, shippingMinor, amountMinor, reporting, reason };
  return [{ type: 'PurchaseRefunded', data: { refundId, ...order, ...back } }];
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
      refundableShippingMinor: data.shippingMinor,
      refundIds: [],
    }),
    PurchaseRefunded: (state, { data }) => {
      if (!state) return state;
      const refundable: Record<string, Line> = { ...state.refundable };
      for (const item of data.items) {
        const key = lineKey(item.productRef);
        const line = refundable[key];
        if (line) refundable[key] = lineWithout(item, line);
      }
      return {
        ...state,
        refundable,
        refundableShippingMinor: state.refundableShippingMinor - (data.shippingMinor ?? 0),
        refundIds: [...state.refundIds, data.refundId],
      };
    },
  },
};
