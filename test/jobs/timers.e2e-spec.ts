// Silence, told by the real service: requests, shares and intents that nobody came back to, each once and dated when it
// was due, whoever moves the clock, whoever acts, and whatever becomes of Redis in between.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { timers } from '../../projections/timers.document.js';
import { intentDecider } from '../../src/domain/intent/intent.decider.js';
import type { AbandonmentDelays } from '../../src/domain/intent/intent.events.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import { DueTimers, TimersOfOtherSettings } from '../../src/jobs/due-timers.js';
import { TimerClient } from '../../src/jobs/timer-client.js';
import { addMs, dayMs, hourMs, minuteMs } from '../../src/kernel/clock.js';
import type { RecordedEvent } from '../../src/kernel/message.js';
import { timersHealth } from '../../src/service/timers.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader } from '../../src/stores/documents/reader.js';
import { keys, RunningService } from '../e2e/running-service.js';
import { eventually } from '../stores/eventually.js';
import { usualDelays } from '../usual-settings.js';

const t0 = '2026-03-02T10:00:00.000Z';
const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' };
const timerFacts = ['FriendRequestExpired', 'ShareAbandoned', 'PurchaseIntentAbandoned', 'PurchaseIntentExpired'];

let service: RunningService;
let people = 0;

beforeAll(async () => {
  service = await RunningService.start({ HOMING_CLOCK: 'import' });
  await at(t0, 'POST', '/v1/brands', undefined, { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' });
  for (const productId of ['boot', 'clog']) {
    const price = { amountMinor: 4_999, currency: 'EUR' };
    const productRef = { productId, brandId: 'shoes' };
    await at(t0, 'POST', '/v1/products', undefined, {
      productRef,
      name: productId,
      price,
      available: true,
      sensitive: false,
    });
  }
});
afterAll(() => service.stop());

async function at(now: string, method: string, path: string, member: string | undefined, body?: unknown) {
  const who = member === undefined ? {} : { member };
  const answer = await service.send(method, path, { key: keys.import, ...who, headers: { 'homing-now': now }, body });
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Two people of whom one asks, shares, fills a cart and looks at something, all at `now`, and is never heard of again. */
async function fallSilent(now: string): Promise<{ asker: string; other: string; shareId: string }> {
  people += 1;
  const [asker, other] = [`asker-${people}`, `other-${people}`];
  for (const memberId of [asker, other]) {
    const facts = { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
    await at(now, 'POST', '/v1/members', undefined, facts);
  }
  await at(now, 'POST', '/v1/friend-requests', asker, { toMemberId: other });
  const { shareId } = await at(now, 'POST', '/v1/shares', asker, { contentRef, surface: 'feed' });
  const unitPrice = { amountMinor: 4_999, currency: 'EUR' };
  const productRef = { productId: 'boot', brandId: 'shoes' };
  await at(now, 'POST', '/v1/cart/items', asker, { productRef, quantity: 1, unitPrice });
  const data = { memberId: asker, productRef: { productId: 'clog', brandId: 'shoes' }, sourceSystem: 'native' };
  const view = { specversion: '1.0', id: `view-${people}`, source: '/test', type: 'ProductViewed', time: now, data };
  await at(now, 'POST', '/v1/events', undefined, [view]);
  return { asker, other, shareId: String(shareId) };
}

async function factsOf(asker: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of service.parts.engines.log.readAll()) {
    for (const event of page) if (timerFacts.includes(event.type)) events.push(decodeHidden(event));
  }
  const isAskers = ({ data }: RecordedEvent) => JSON.stringify(data).includes(`"${asker}"`);
  return events.filter(isAskers);
}

function told(events: readonly RecordedEvent[]): string[] {
  return events
    .map(({ type, metadata, data }) => {
      const { stage, by } = data as { stage?: string; by?: string };
      return [metadata.occurredAt, type, by === undefined ? stage : undefined].filter(Boolean).join(' ');
    })
    .toSorted();
}

function expected(now: string): string[] {
  return [
    `${addMs(now, 30 * minuteMs)} ShareAbandoned`,
    `${addMs(now, hourMs)} PurchaseIntentAbandoned cart`,
    `${addMs(now, 24 * hourMs)} PurchaseIntentAbandoned browse`,
    `${addMs(now, 30 * dayMs)} PurchaseIntentExpired`,
    `${addMs(now, 30 * dayMs)} PurchaseIntentExpired`,
    `${addMs(now, 90 * dayMs)} FriendRequestExpired`,
  ];
}

/** In another process, which may be configured otherwise. */
function anotherHand(delays: AbandonmentDelays): DueTimers {
  const { engines, writeSide } = service.parts;
  const reader = new DocumentReader(engines.redis.client, 1);
  return new DueTimers({
    log: engines.log,
    store: writeSide.store,
    intentDecider: intentDecider(delays),
    settings: timers(delays).settings,
    reader,
    progress: new Progress(reader),
    catchUpMsMax: 20_000,
    failed: (error) => {
      throw error;
    },
  });
}

const settle = (now: string) => at(now, 'POST', '/v1/clock', undefined, { now, waitForTimers: true });

describe('silence', () => {
  it('is told once, when it was due, before the importer hears that the clock has moved', async () => {
    const { asker } = await fallSilent(t0);
    expect(await settle(addMs(t0, 20 * minuteMs))).toMatchObject({ timers: 0 });
    expect(told(await factsOf(asker))).toEqual([]);
    await settle(addMs(t0, 2 * hourMs));
    expect(told(await factsOf(asker))).toEqual(expected(t0).slice(0, 2));
    await settle(addMs(t0, 100 * dayMs));
    expect(told(await factsOf(asker))).toEqual(expected(t0));
    expect(await settle(addMs(t0, 101 * dayMs))).toMatchObject({ timers: 0 });
    expect(told(await factsOf(asker))).toEqual(expected(t0));
  });

  it('is lost by no loss of Redis', async () => {
    const now = addMs(t0, 200 * dayMs);
    const { asker } = await fallSilent(now);
    await service.parts.engines.redis.client.flushall();
    await settle(addMs(now, 2 * hourMs));
    expect(told(await factsOf(asker))).toEqual(expected(now).slice(0, 2));
    await service.parts.engines.redis.client.flushall();
    await settle(addMs(now, 100 * dayMs));
    expect(told(await factsOf(asker))).toEqual(expected(now));
  });

  it('is told once by however many hands, and by itself after a restart', async () => {
    const now = addMs(t0, 400 * dayMs);
    const { asker } = await fallSilent(now);
    const hands = [1, 2, 3].map(() => anotherHand(usualDelays));
    const later = addMs(now, 2 * hourMs);
    await Promise.all([settle(later), ...hands.map((hand) => hand.take(Date.parse(later)))]);
    expect(told(await factsOf(asker))).toEqual(expected(now).slice(0, 2));
    await at(later, 'POST', '/v1/clock', undefined, { now: addMs(now, 100 * dayMs) });
    await service.restart();
    await settle(addMs(now, 100 * dayMs));
    expect(told(await factsOf(asker))).toEqual(expected(now));
  });

  it('is no silence when somebody came back', async () => {
    const now = addMs(t0, 600 * dayMs);
    const { asker, other, shareId } = await fallSilent(now);
    await at(now, 'POST', `/v1/friend-requests/${asker}/accept`, other);
    await at(now, 'POST', `/v1/shares/${shareId}/complete`, asker, {
      destinationClass: 'off_platform',
      destination: 'whatsapp',
      channelEvidence: 'declared',
    });
    const items = ['boot', 'clog'].map((productId) => ({
      productRef: { productId, brandId: 'shoes' },
      quantity: 1,
      unitPriceMinor: 4_999,
    }));
    await at(now, 'POST', '/v1/orders', asker, { brandId: 'shoes', items, currency: 'EUR' });
    await settle(addMs(now, 100 * dayMs));
    expect(told(await factsOf(asker))).toEqual([]);
  });

  it('keeps nobody waiting longer than was said where nobody acts', async () => {
    const { redis } = service.parts.engines;
    const client = new TimerClient(
      (overrides) => redis.connect({ ...overrides, db: 9 }),
      (error) => {
        throw error;
      },
    );
    await expect(client.settle(0, 300)).rejects.toThrow(/300 ms|nobody waits/);
    await client.close();
  });

  it('is told by the delays of the deployment, and after a change of them by the new ones, from the last activity on', async () => {
    const now = addMs(t0, 800 * dayMs);
    const { asker } = await fallSilent(now);
    const later = addMs(now, 40 * minuteMs);
    await settle(later);
    expect(told(await factsOf(asker))).toEqual(expected(now).slice(0, 1));
    const quick = { HOMING_ABANDONED_BROWSE_MINUTES: '5', HOMING_ABANDONED_CART_MINUTES: '90' };
    await service.restart({ HOMING_CLOCK: 'import', ...quick });
    await foldedAnew();
    await settle(later);
    const browse = `${addMs(now, 5 * minuteMs)} PurchaseIntentAbandoned browse`;
    expect(told(await factsOf(asker))).toEqual([browse, ...expected(now).slice(0, 1)]);
    await settle(addMs(now, 90 * minuteMs - 1));
    expect(told(await factsOf(asker))).toHaveLength(2);
    await settle(addMs(now, 90 * minuteMs));
    expect(told(await factsOf(asker)).at(-1)).toBe(`${addMs(now, 90 * minuteMs)} PurchaseIntentAbandoned cart`);
    const { body } = await service.send('POST', '/v1/projections/timers/verify', { key: keys.admin });
    expect(body['items']).toMatchObject([{ part: 'documents timers/0', differences: 0 }]);
  });

  it('is left alone by a hand that is configured otherwise, and the health of its process says so', async () => {
    const now = addMs(t0, 1_000 * dayMs);
    const { asker } = await fallSilent(now);
    const slow = { browse: dayMs, cart: 2 * hourMs, checkout: hourMs };
    const later = addMs(now, 3 * hourMs);
    await expect(anotherHand(slow).take(Date.parse(later))).rejects.toThrow(TimersOfOtherSettings);
    expect(told(await factsOf(asker))).toEqual([]);
    const reader = new DocumentReader(service.parts.engines.redis.client, 1);
    expect(await timersHealth({ abandonedAfterMs: slow }, reader).check()).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('"cart":7200000'),
    });
  });
});

/** Waits until the timers that are read are those of the delays that the service has now. */
async function foldedAnew(): Promise<void> {
  await eventually(async () => {
    const { body } = await service.send('GET', '/health/ready', { key: undefined });
    const { timers: health } = body['parts'] as { timers: { status: string } };
    return health.status === 'up';
  });
}
