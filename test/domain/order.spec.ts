// Orders add up, and no more is given back than was bought.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OrderCommand } from '../../src/domain/order/order.commands.js';
import { orderDecider } from '../../src/domain/order/order.decider.js';
import type { OrderEvent } from '../../src/domain/order/order.events.js';
import { Rejection } from '../../src/kernel/rejection.js';
import { given, Story, t0 } from '../given.js';

const order = given(orderDecider);
const shoe = { productId: 'shoe', brandId: 'acme' };
const sock = { productId: 'sock', brandId: 'acme' };
const shoes = { productRef: shoe, quantity: 2, unitPriceMinor: 5_000, discountMinor: 1_000, taxMinor: 900 };
type PlaceData = Extract<OrderCommand, { type: 'PlaceOrder' }>['data'];
const placing = {
  orderId: 'order-1',
  memberId: 'ann',
  brandId: 'acme',
  sourceSystem: 'native',
  items: [shoes, { productRef: sock, quantity: 3, unitPriceMinor: 333, discountMinor: 0, taxMinor: 99 }],
  shippingMinor: 490,
  currency: 'EUR',
} satisfies PlaceData;
const places = (change: Partial<PlaceData> = {}): OrderCommand => ({
  type: 'PlaceOrder',
  now: t0,
  data: { ...placing, ...change },
});
const placed: OrderEvent = {
  type: 'PurchaseCompleted',
  data: { ...placing, subtotalMinor: 10_999, discountMinor: 1_000, taxMinor: 999, totalMinor: 11_488 },
};
type RefundData = Extract<OrderCommand, { type: 'RefundOrder' }>['data'];
function refunds(items: RefundData['items'], change: Partial<RefundData> = {}): OrderCommand {
  return { type: 'RefundOrder', now: t0, data: { refundId: 'refund-1', orderId: 'order-1', items, ...change } };
}

describe('an order', () => {
  it('is subtotal − discount + shipping + tax', () => order().when(places()).then(placed));
  it('sent again is the same order', () => order(placed).when(places()).thenNothing());
  it('cannot take another order’s id', () =>
    order(placed)
      .when(places({ shippingMinor: 0 }))
      .thenRejects('order-exists'));
  it('under the shop’s own number is one, whoever reports it and with which sums; the first report is kept', () => {
    const reported = { ...placed, data: { ...placed.data, externalOrderId: 'A-17' } } as OrderEvent;
    const again = { externalOrderId: 'A-17', shippingMinor: 0, sourceSystem: 'shopify' } as const;
    order(reported).when(places(again)).thenNothing();
    order(reported)
      .when(places({ ...again, memberId: 'bob' }))
      .thenRejects('order-exists');
    order(reported)
      .when(places({ ...again, externalOrderId: 'A-18' }))
      .thenRejects('order-exists');
  });
  it('is with one brand', () =>
    order()
      .when(places({ brandId: 'other' }))
      .thenRejects('brand-mismatch'));
  it('gives no more discount than the price', () =>
    order()
      .when(places({ items: [{ ...shoes, discountMinor: 10_001 }] }))
      .thenRejects('discount-exceeds-price'));
  it('has amounts that can be counted', () =>
    order()
      .when(places({ items: [{ ...shoes, quantity: 1_000, unitPriceMinor: 1e12 }] }))
      .thenRejects('amount-too-large'));
});

describe('a refund', () => {
  it('says what of which order, and when that was bought', () =>
    order(placed)
      .when(refunds([{ productRef: shoe, quantity: 1, amountMinor: 4_950 }], { reason: 'too small' }))
      .then({
        type: 'PurchaseRefunded',
        data: {
          refundId: 'refund-1',
          orderId: 'order-1',
          memberId: 'ann',
          brandId: 'acme',
          purchasedAt: t0,
          currency: 'EUR',
          items: [{ productRef: shoe, quantity: 1, amountMinor: 4_950, taxMinor: 450 }],
          amountMinor: 4_950,
          reason: 'too small',
        },
      }));
  it('is said in the currency of the reports too, at its own day’s rate, and money is judged in the order’s alone', () => {
    const reporting = { amountMinor: 5_445, currency: 'USD', rate: 1.1 };
    const reported = { ...placing, reporting: { amountMinor: 12_407, currency: 'CHF', rate: 1.08 } };
    const told = new Story(orderDecider);
    told.carryOut({ type: 'PlaceOrder', now: t0, data: reported });
    const back = [{ productRef: shoe, quantity: 1, amountMinor: 4_950 }];
    expect(told.carryOut(refunds(back, { reporting }))).toMatchObject([{ data: { amountMinor: 4_950, reporting } }]);
    expect(told.carryOut(refunds(back, { refundId: 'refund-2' }))[0]?.data).toMatchObject({ reporting: undefined });
  });
  it.each<[string, RefundData['items'], Partial<RefundData>, string]>([
    [
      'of what was not bought',
      [{ productRef: { ...shoe, variantId: 'red' }, quantity: 1, amountMinor: 1 }],
      {},
      'item-not-in-order',
    ],
    ['of more pieces', [{ productRef: shoe, quantity: 3, amountMinor: 1 }], {}, 'refund-exceeds-quantity'],
    ['of more money', [{ productRef: shoe, quantity: 1, amountMinor: 9_901 }], {}, 'refund-exceeds-amount'],
    [
      'in another currency',
      [{ productRef: shoe, quantity: 1, amountMinor: 1 }],
      { currency: 'USD' },
      'currency-mismatch',
    ],
    [
      'of more pieces in two lines',
      [
        { productRef: shoe, quantity: 2, amountMinor: 1 },
        { productRef: shoe, quantity: 1, amountMinor: 1 },
      ],
      {},
      'refund-exceeds-quantity',
    ],
    [
      'of more tax than was paid',
      [{ productRef: shoe, quantity: 1, amountMinor: 4_950, taxMinor: 901 }],
      {},
      'refund-exceeds-amount',
    ],
    [
      'of more before tax than was paid',
      [{ productRef: shoe, quantity: 2, amountMinor: 9_900, taxMinor: 899 }],
      {},
      'refund-exceeds-amount',
    ],
    ['of more shipping', [], { shippingMinor: 491 }, 'refund-exceeds-amount'],
    ['of nothing', [], { shippingMinor: 0 }, 'empty-refund'],
  ])('%s is refused', (_, items, change, code) => order(placed).when(refunds(items, change)).thenRejects(code));
  it('of the shipping is possible once', () => {
    const told = new Story(orderDecider);
    told.carryOut(places());
    const [back] = told.carryOut(refunds([], { shippingMinor: 490 }));
    expect(back?.data).toMatchObject({ items: [], shippingMinor: 490, amountMinor: 490 });
    expect(() => told.carryOut(refunds([], { refundId: 'refund-2', shippingMinor: 1 }))).toThrow(Rejection);
  });

  it('in whatever parts gives back exactly the net and the tax of the line', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9_899 }), { maxLength: 8 }), (cuts) => {
        const told = new Story(orderDecider);
        const many = { ...shoes, quantity: 20, unitPriceMinor: 500 };
        told.carryOut(places({ items: [many] }));
        const ends = [...new Set([...cuts, 9_900])].toSorted((a, b) => a - b);
        let [from, tax, net] = [0, 0, 0];
        for (const [number, end] of ends.entries()) {
          const item = { productRef: shoe, quantity: 1, amountMinor: end - from };
          const [event] = told.carryOut(refunds([item], { refundId: `refund-${number}` }));
          const given = event?.type === 'PurchaseRefunded' ? (event.data.items[0]?.taxMinor ?? 0) : 0;
          tax += given;
          net += item.amountMinor - given;
          from = end;
        }
        expect([tax, net]).toEqual([900, 9_000]);
      }),
    ));

  it('of an order from before the tax was recorded leaves the same to give back', () => {
    const before: OrderEvent = {
      type: 'PurchaseRefunded',
      data: {
        refundId: 'old',
        orderId: 'order-1',
        memberId: 'ann',
        brandId: 'acme',
        purchasedAt: t0,
        currency: 'EUR',
        items: [{ productRef: shoe, quantity: 1, amountMinor: 4_950 }],
        amountMinor: 4_950,
      },
    };
    const rest = { productRef: shoe, quantity: 1, amountMinor: 4_950 };
    order(placed, before)
      .when(refunds([rest]))
      .then({
        ...before,
        data: { ...before.data, refundId: 'refund-1', items: [{ ...rest, taxMinor: 450 }] },
      } as OrderEvent);
  });

  it('of an unknown order is refused', () => order().when(refunds([])).thenRejects('order-not-found'));

  it('never takes any line, or the order, below nothing; and sent twice is one', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(shoe, sock), fc.integer({ min: 1, max: 3 }), fc.nat(10_000)), {
          maxLength: 30,
        }),
        (wishes) => {
          const told = new Story(orderDecider);
          told.carryOut(places());
          const back = { shoe: { pieces: 0, money: 0 }, sock: { pieces: 0, money: 0 } };
          for (const [number, [productRef, quantity, amountMinor]] of wishes.entries()) {
            const command = refunds([{ productRef, quantity, amountMinor }], { refundId: `refund-${number}` });
            try {
              if (told.carryOut(command).length === 0) continue;
              expect(told.carryOut(command)).toEqual([]);
              const line = back[productRef.productId as keyof typeof back];
              line.pieces += quantity;
              line.money += amountMinor;
            } catch (error) {
              if (!(error instanceof Rejection)) throw error;
            }
          }
          expect(back.shoe.pieces).toBeLessThanOrEqual(2);
          expect(back.shoe.money).toBeLessThanOrEqual(9_900);
          expect(back.sock.pieces).toBeLessThanOrEqual(3);
          expect(back.sock.money).toBeLessThanOrEqual(1_098);
        },
      ),
    ));
});
