// The way to a purchase over HTTP: ask, cart, checkout, order, refund, and one journey through all of it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { keys, RunningService } from './running-service.js';

const boot = { productId: 'boot', brandId: 'shoes', category: 'winter' };
const clog = { productId: 'clog', brandId: 'shoes' };
const price = { amountMinor: 4_999, currency: 'EUR' };

let service: RunningService;

beforeAll(async () => {
  service = await RunningService.start();
  const brand = { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' };
  await service.send('POST', '/v1/brands', { key: keys.admin, body: brand });
  for (const productRef of [boot, clog]) {
    const product = { productRef, name: productRef.productId, price, available: true, sensitive: false };
    await service.send('POST', '/v1/products', { key: keys.admin, body: product });
  }
  await service.register('ann', 'bob', 'cid');
});
afterAll(() => service.stop());

const ask = (member: string, path: string, body: unknown, idempotencyKey?: string) =>
  service.send('POST', path, { member, body, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) });

async function streamOf(memberId: string, productId: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of service.parts.engines.log.readStream(`intent-${memberId}_${productId}`)) {
    events.push(...page.map(decodeHidden));
  }
  return events;
}

describe('the way to a purchase', () => {
  it('is one journey from the question to the order that ends it', async () => {
    const ledBy = { kind: 'dm_message', ref: 'message-1', touchId: 'touch-1' };
    const asked = await ask('ann', '/v1/products/boot/ask', { context: 'card', ledBy });
    expect(asked.status).toBe(201);
    const item = {
      productRef: { productId: 'boot', brandId: 'shoes', variantId: 'red' },
      quantity: 2,
      unitPrice: price,
    };
    const added = await ask('ann', '/v1/cart/items', { ...item, ledBy });
    const { intentId, cartId } = added.body;
    expect(intentId).toBe(asked.body['intentId']);
    const removal = { member: 'ann', body: { cartId, quantity: 5 } };
    const removed = await service.send('DELETE', '/v1/cart/items/boot', removal);
    expect(removed.body).toMatchObject({ removed: 2 });
    await ask('ann', '/v1/cart/items', { ...item, cartId });
    const items = [
      { productRef: item.productRef, quantity: 2, unitPrice: price },
      { productRef: clog, quantity: 1, unitPrice: price },
    ];
    const checkout = await ask('ann', '/v1/checkouts', { cartId, items });
    expect(checkout.body['intents']).toMatchObject([{ productId: 'boot', intentId }, { productId: 'clog' }]);
    const order = {
      brandId: 'shoes',
      checkoutId: checkout.body['checkoutId'],
      currency: 'EUR',
      shippingMinor: 490,
      items: [
        { productRef: item.productRef, quantity: 2, unitPriceMinor: 4_999, discountMinor: 998, taxMinor: 1_800 },
        { productRef: clog, quantity: 1, unitPriceMinor: 4_999 },
      ],
    };
    const placed = await ask('ann', '/v1/orders', order, 'order-key');
    expect([placed.status, placed.body['totalMinor']]).toEqual([201, 9_998 - 998 + 1_800 + 4_999 + 490]);
    expect((await ask('ann', '/v1/orders', order, 'order-key')).body).toEqual(placed.body);
    const told = await streamOf('ann', 'boot');
    expect(told.map(({ type }) => type)).toEqual([
      'ProductAskedAbout',
      'ProductAddedToCart',
      'ProductRemovedFromCart',
      'ProductAddedToCart',
      'CheckoutStarted',
      'PurchaseIntentClosed',
    ]);
    for (const { data } of told) expect(data).toMatchObject({ intentId });
    // The category is the catalogue's word, the variant the client's.
    expect(told[1]?.data).toMatchObject({ productRef: { ...boot, variantId: 'red' }, ledBy });
    expect((await streamOf('ann', 'clog')).at(-1)?.type).toBe('PurchaseIntentClosed');
  });

  it('may begin with the purchase, and is known by the order’s id for ever', async () => {
    const order = {
      orderId: 'order-7',
      brandId: 'shoes',
      currency: 'EUR',
      items: [{ productRef: boot, quantity: 1, unitPriceMinor: 4_999 }],
    };
    expect((await ask('bob', '/v1/orders', order)).status).toBe(201);
    expect((await ask('bob', '/v1/orders', order)).status).toBe(201);
    expect((await ask('bob', '/v1/orders', { ...order, shippingMinor: 1 })).body['code']).toBe('order-exists');
    expect((await streamOf('bob', 'boot')).map(({ type }) => type)).toEqual(['PurchaseIntentClosed']);
  });

  it('that browser and shop both report under the shop’s order number is one order', async () => {
    const order = {
      externalOrderId: 'A-1007',
      brandId: 'shoes',
      currency: 'EUR',
      items: [{ productRef: clog, quantity: 1, unitPriceMinor: 4_999 }],
    };
    const before = await service.countEvents();
    const browser = await ask('bob', '/v1/orders', order, 'browser-order');
    const shop = await ask('bob', '/v1/orders', { ...order, sourceSystem: 'shopify', shippingMinor: 490 }, 'webhook');
    expect([browser.status, shop.status]).toEqual([201, 201]);
    expect(shop.body).toEqual(browser.body);
    expect(browser.body).toMatchObject({ totalMinor: 4_999 });
    // PurchaseCompleted and PurchaseIntentClosed, once.
    expect(await service.countEvents()).toBe(before + 2);
  });

  it('counts a rung that browser and shop both report once, and answers where it belongs', async () => {
    const item = { productRef: clog, quantity: 1, unitPrice: price, sourceSystem: 'shopify', externalEventId: 'evt-1' };
    const question = { context: 'product_page', sourceSystem: 'shopify', externalEventId: 'evt-1' };
    const added = await ask('cid', '/v1/cart/items', item, 'browser');
    const asked = await ask('cid', '/v1/products/clog/ask', question, 'browser');
    const order = { brandId: 'shoes', currency: 'EUR', items: [{ productRef: clog, quantity: 1, unitPriceMinor: 1 }] };
    await ask('cid', '/v1/orders', order);
    const { position: _, ...next } = (await ask('cid', '/v1/cart/items', { ...item, externalEventId: 'evt-2' })).body;
    const before = await service.countEvents();
    const { intentId, cartId } = added.body;
    expect((await ask('cid', '/v1/cart/items', item, 'webhook')).body).toMatchObject({ intentId, cartId });
    const { questionId } = asked.body;
    expect((await ask('cid', '/v1/products/clog/ask', question, 'webhook')).body).toMatchObject({
      intentId,
      questionId,
    });
    expect(next['intentId']).not.toBe(intentId);
    expect(await service.countEvents()).toBe(before);
  });

  it('gives back no more than was bought, and only to the buyer', async () => {
    const order = {
      orderId: 'order-8',
      brandId: 'shoes',
      currency: 'EUR',
      items: [{ productRef: boot, quantity: 2, unitPriceMinor: 100 }],
    };
    await ask('bob', '/v1/orders', order);
    const back = (quantity: number, amountMinor: number, more = {}) => ({
      items: [{ productRef: boot, quantity, amountMinor }],
      ...more,
    });
    const path = '/v1/orders/order-8/refunds';
    expect((await ask('cid', path, back(1, 100))).body['code']).toBe('order-not-found');
    const first = await ask('bob', path, back(1, 100), 'refund-key');
    expect(first.body).toMatchObject({ orderId: 'order-8', amountMinor: 100 });
    expect((await ask('bob', path, back(1, 100), 'refund-key')).body).toEqual(first.body);
    expect((await ask('bob', path, back(1, 100, { currency: 'USD' }))).body['code']).toBe('currency-mismatch');
    expect((await ask('bob', path, back(2, 100))).body).toMatchObject({ code: 'refund-exceeds-quantity', limit: 1 });
    expect((await ask('bob', path, back(1, 101))).body).toMatchObject({ code: 'refund-exceeds-amount', limit: 100 });
  });

  it.each<[string, string, object, number, string]>([
    ['an unknown product', '/v1/products/nothing/ask', { context: 'card' }, 404, 'product-not-found'],
    [
      'another brand’s product',
      '/v1/cart/items',
      { productRef: { productId: 'boot', brandId: 'hats' }, quantity: 1, unitPrice: price },
      404,
      'product-not-found',
    ],
    ['no quantity', '/v1/cart/items', { productRef: boot, quantity: 0, unitPrice: price }, 400, 'invalid-body'],
    [
      'half a cent',
      '/v1/cart/items',
      { productRef: boot, quantity: 1, unitPrice: { ...price, amountMinor: 0.5 } },
      400,
      'invalid-body',
    ],
    ['an empty checkout', '/v1/checkouts', { cartId: 'c', items: [] }, 400, 'invalid-body'],
    [
      'an order of two brands',
      '/v1/orders',
      { brandId: 'hats', currency: 'EUR', items: [{ productRef: boot, quantity: 1, unitPriceMinor: 1 }] },
      422,
      'brand-mismatch',
    ],
  ])('%s is refused', async (_, path, body, status, code) => {
    const before = await service.countEvents();
    const answer = await ask('cid', path, body);
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
    expect(await service.countEvents()).toBe(before);
  });
});
