// Every kind of command, sent again when the stream it went into has gone on: the first answer comes back, word for
// word, and nothing is recorded; also over a restart.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { brandConversationId, directConversationId } from '../../src/kernel/ids.js';
import { type Answer, keys, RunningService, type Sent } from './running-service.js';

const registration = { memberId: 'ann', handle: 'ann', displayName: 'Ann', ageBand: '18_plus', country: 'AT' };
const settings = { allowIncoming: 'everyone', readReceipts: true, discoverable: true, showSharer: false };
const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'bob' };
const productRef = { productId: 'boot', brandId: 'shoes' };
const price = { amountMinor: 4_999, currency: 'EUR' };
const product = { productRef, name: 'Boot', price, available: true, sensitive: false };
const moment = { momentId: 'moment', contentRef };
const cartItem = { productRef, quantity: 2, unitPrice: price };
const orderItem = { productRef, quantity: 1, unitPriceMinor: 4_999 };
const order = { orderId: 'order', brandId: 'shoes', currency: 'EUR', items: [orderItem, orderItem] };
const direct = directConversationId('ann', 'bob');
const withBrand = brandConversationId('ann', 'shoes');

type Step = readonly [method: string, path: string, body?: object | undefined, sent?: Sent];
const ann = { member: 'ann' };
const bob = { member: 'bob' };
const agent = { key: keys.brand, headers: { 'homing-agent': 'max;human' } };

/** In this order: what comes later goes into the streams of what came before. */
const steps: readonly Step[] = [
  ['POST', '/v1/members', registration],
  ['PATCH', '/v1/members/me/profile', { country: 'DE' }, ann],
  ['PUT', '/v1/members/me/settings', { ...settings, readReceipts: false }, ann],
  ['PUT', '/v1/members/me/consents/brand_measurement', { granted: true, policyVersion: '1' }, ann],
  ['PUT', '/v1/members/me/consents/brand_measurement', { granted: false, policyVersion: '1' }, ann],
  ['PUT', '/v1/members/me/settings', settings, ann],

  ['POST', '/v1/brands', { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' }, { key: keys.admin }],
  ['POST', '/v1/products', product, { key: keys.admin }],
  ['PUT', '/v1/products/boot', { ...product, available: false }, { key: keys.admin }],
  ['PUT', '/v1/products/boot', product, { key: keys.admin }],

  ['POST', '/v1/friend-requests', { toMemberId: 'bob' }, ann],
  ['POST', '/v1/friend-requests/bob/cancel', undefined, ann],
  ['POST', '/v1/friend-requests', { toMemberId: 'bob', origin: 'search' }, ann],
  ['POST', '/v1/friend-requests/ann/decline', undefined, bob],
  ['POST', '/v1/friend-requests', { toMemberId: 'ann' }, bob],
  ['POST', '/v1/friend-requests/bob/accept', undefined, ann],
  ['DELETE', '/v1/friends/bob', undefined, ann],
  ['PUT', '/v1/blocks/bob', undefined, ann],
  ['DELETE', '/v1/blocks/bob', undefined, ann],
  ['POST', '/v1/friend-requests', { toMemberId: 'ann', origin: 'search' }, bob],
  // Crossed: an acceptance.
  ['POST', '/v1/friend-requests', { toMemberId: 'bob', origin: 'qr' }, ann],

  ['POST', '/v1/moments', moment, bob],
  ['PUT', '/v1/moments/moment/reaction', { reaction: '👍' }, ann],
  ['DELETE', '/v1/moments/moment/reaction', undefined, ann],
  ['DELETE', '/v1/moments/moment', undefined, bob],

  ['POST', '/v1/conversations', { kind: 'direct', memberId: 'bob' }, ann],
  ['POST', `/v1/conversations/${direct}/messages`, { body: 'one' }, ann],
  ['POST', `/v1/conversations/${direct}/messages`, { attachments: [{ kind: 'share_card', contentRef }] }, ann],
  ['POST', `/v1/conversations/${direct}/read`, { seq: 0 }, bob],
  ['POST', `/v1/conversations/${direct}/read`, { seq: 1, visibility: 'private' }, bob],
  ['POST', '/v1/conversations', { kind: 'brand', brandId: 'shoes' }, ann],
  ['POST', `/v1/conversations/${withBrand}/messages`, { body: 'is it warm?' }, ann],
  ['POST', `/v1/brands/shoes/conversations/${withBrand}/read`, { seq: 0 }, agent],
  ['POST', `/v1/brands/shoes/conversations/${withBrand}/messages`, { body: 'very' }, agent],
  ['POST', `/v1/brands/shoes/conversations/${withBrand}/read`, { seq: 1 }, agent],

  ['POST', '/v1/products/boot/ask', { context: 'product_page' }, ann],
  ['POST', '/v1/cart/items', { ...cartItem, cartId: 'cart' }, ann],
  ['DELETE', '/v1/cart/items/boot', { cartId: 'cart', quantity: 1 }, ann],
  ['POST', '/v1/checkouts', { cartId: 'cart', items: [cartItem] }, ann],
  ['POST', '/v1/orders', order, ann],
  ['POST', '/v1/orders/order/refunds', { items: [{ productRef, quantity: 1, amountMinor: 4_999 }] }, ann],
  ['POST', '/v1/orders/order/refunds', { items: [{ productRef, quantity: 1, amountMinor: 100 }] }, ann],
  // The next journey.
  ['POST', '/v1/cart/items', { ...cartItem, quantity: 3 }, ann],

  ['POST', '/v1/shares', { shareId: 'out', contentRef, surface: 'feed' }, ann],
  ['POST', '/v1/shares/out/link', {}, ann],
  [
    'POST',
    '/v1/shares/out/complete',
    { destinationClass: 'off_platform', destination: 'whatsapp', channelEvidence: 'declared' },
    ann,
  ],
  ['DELETE', '/v1/shares/out/link', undefined, ann],
  ['POST', '/v1/shares', { shareId: 'given-up', contentRef, surface: 'feed' }, ann],
  ['POST', '/v1/shares/given-up/cancel', { stage: 'sheet' }, ann],
];

let service: RunningService;
const firstAnswers: Answer[] = [];
let eventsBefore = 0;

function send([method, path, body, sent]: Step, index: number): Promise<Answer> {
  return service.send(method, path, { ...sent, ...(body ? { body } : {}), idempotencyKey: `step-${index}` });
}

beforeAll(async () => {
  service = await RunningService.start({ HOMING_PUBLIC_URL: 'https://go.example' });
  await service.register('bob');
  for (const [index, step] of steps.entries()) {
    const answer = await send(step, index);
    if (answer.status > 201) throw new Error(`${step[0]} ${step[1]}: ${JSON.stringify(answer.body)}`);
    firstAnswers.push(answer);
  }
  eventsBefore = await service.countEvents();
});
afterAll(() => service.stop());

async function sendAllAgain(): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const { status, body } = await send(step, index);
    const first = firstAnswers[index];
    const name = `${step[0]} ${step[1]}`;
    expect({ name, status, body }).toEqual({ name, status: first?.status, body: first?.body });
  }
  expect(await service.countEvents()).toBe(eventsBefore);
}

describe('a command sent again after its stream went on', () => {
  it('gets its first answer, of every kind', () => sendAllAgain());

  it('gets its first answer over a restart too', async () => {
    await service.restart();
    await sendAllAgain();
  });
});
