// A history with enough people in it that a brand's figures may be shown: one member sends sixty friends a product card,
// all of them see it, and most look at the product.
import { keys, type RunningService, type Sent } from '../e2e/running-service.js';

export const viewers = 60;
export const lookers = 55;
const sentAt = '2025-03-03T10:00:00.000Z';
/** Every window is over by then, and the running day is half over. */
export const lookedAt = '2025-03-24T12:30:00.000Z';

const productRef = { productId: 'boot', brandId: 'shoes', category: 'footwear' };

/** The service runs on the import clock. */
export async function sendCards(service: RunningService): Promise<void> {
  const ask = async (method: 'POST' | 'PUT', path: string, sent: Sent): Promise<Readonly<Record<string, unknown>>> => {
    const { status, body } = await service.send(method, path, sent);
    if (status >= 300) throw new Error(`${path}: ${JSON.stringify(body)}`);
    return body;
  };
  const clock = (now: string) => ask('POST', '/v1/clock', { key: keys.import, body: { now } });
  const agree = (member: string) =>
    ask('PUT', '/v1/members/me/consents/brand_measurement', { member, body: { granted: true, policyVersion: '1' } });
  await clock(sentAt);
  const brand = { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' };
  await ask('POST', '/v1/brands', { key: keys.admin, body: brand });
  const price = { amountMinor: 9_900, currency: 'EUR' };
  const product = { productRef, name: 'Boot', price, available: true, sensitive: false };
  await ask('POST', '/v1/products', { key: keys.brand, body: product });
  await service.register('seller');
  await agree('seller');
  const people = Array.from({ length: viewers }, (_, index) => `friend-${index}`);
  const events: object[] = [];
  const observe = (type: string, id: string, data: object) =>
    events.push({ specversion: '1.0', id, source: 'device', type, time: sentAt, data });
  for (const viewerId of people) {
    await service.register(viewerId);
    await agree(viewerId);
    await service.befriend(viewerId, 'seller');
    const talk = { kind: 'direct', memberId: viewerId, origin: 'profile' };
    const { conversationId } = await ask('POST', '/v1/conversations', { member: 'seller', body: talk });
    const cardId = `card-${viewerId}`;
    const body = { attachments: [{ kind: 'product_card', productRef, cardId }] };
    const path = `/v1/conversations/${String(conversationId)}/messages`;
    const { messageId } = await ask('POST', path, { member: 'seller', body });
    const card = { cardId, messageId, conversationId, conversationKind: 'direct', senderId: 'seller', productRef };
    observe('ProductCardDisplayed', `d-${viewerId}`, { ...card, viewerId });
  }
  for (const memberId of people.slice(0, lookers)) {
    observe('ProductViewed', `v-${memberId}`, { memberId, productRef, sourceSystem: 'native' });
  }
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const { position } = await ask('POST', '/v1/events', { headers, body: events });
  await clock(lookedAt);
  const query = `from=2025-03-01&to=2025-03-02&minPosition=${String(position)}`;
  await service.settled(`/v1/brands/shoes/metrics/dm-product-view-rate?${query}`, keys.brand);
}
