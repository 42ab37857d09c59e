// One person and one product: rungs, silence, recovery, the end of a journey and the next one.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { IntentCommand } from '../../src/domain/intent/intent.commands.js';
import { type IntentState, intentDecider, knownRung } from '../../src/domain/intent/intent.decider.js';
import type { AbandonmentDelays, IntentEvent } from '../../src/domain/intent/intent.events.js';
import { journeyId } from '../../src/domain/intent/journey.js';
import { addMs, dayMs, hourMs, minuteMs, toIso, toMs } from '../../src/kernel/clock.js';
import { anyDelays } from '../any-delays.js';
import { given, Story, stored, t0 } from '../given.js';
import { usualDelays } from '../usual-settings.js';

const intent = given(intentDecider(usualDelays));
const productRef = { productId: 'shoe', brandId: 'acme', category: 'shoes' };
const who = { memberId: 'ann', productRef };
const native = { ...who, sourceSystem: 'native' } as const;
const unitPrice = { amountMinor: 4_999, currency: 'EUR' };
const first = journeyId('ann', 'shoe', 0);
const second = journeyId('ann', 'shoe', 1);

const asks = (now = t0, questionId = 'q1'): IntentCommand => ({
  type: 'AskAboutProduct',
  now,
  data: { ...native, questionId, context: 'card' },
});
const adds = (now = t0, externalEventId?: string): IntentCommand => ({
  type: 'AddToCart',
  now,
  data: { ...native, cartId: 'cart-1', quantity: 2, unitPrice, externalEventId },
});
const removes = (now = t0, quantity = 1): IntentCommand => ({
  type: 'RemoveFromCart',
  now,
  data: { ...who, cartId: 'cart-1', quantity },
});
const checksOut = (now = t0, checkoutId = 'checkout-1'): IntentCommand => ({
  type: 'StartCheckout',
  now,
  data: { ...native, cartId: 'cart-1', checkoutId, quantity: 2, unitPrice },
});
const buys = (now = t0, orderId = 'order-1'): IntentCommand => ({
  type: 'CloseIntent',
  now,
  data: { ...who, orderId },
});
const onlyViewed = (now: string, lastViewedAt = t0): IntentCommand => ({
  type: 'AbandonBrowse',
  now,
  data: { ...who, lastViewedAt },
});

const inCart: IntentEvent = {
  type: 'ProductAddedToCart',
  data: { ...native, intentId: first, cartId: 'cart-1', quantity: 2, unitPrice },
};
const inCheckout: IntentEvent = {
  type: 'CheckoutStarted',
  data: { ...native, intentId: first, cartId: 'cart-1', checkoutId: 'checkout-1', quantity: 2, unitPrice },
};
const asked: IntentEvent = {
  type: 'ProductAskedAbout',
  data: { ...native, intentId: first, questionId: 'q1', context: 'card' },
};
const closed: IntentEvent = { type: 'PurchaseIntentClosed', data: { ...who, intentId: first, orderId: 'order-1' } };

function abandoned(stage: 'browse' | 'cart' | 'checkout', lastActivityAt = t0): IntentEvent {
  const occurredAt = addMs(lastActivityAt, stage === 'browse' ? 24 * hourMs : hourMs);
  const left = {
    browse: {},
    cart: { cartId: 'cart-1' },
    checkout: { cartId: 'cart-1', checkoutId: 'checkout-1' },
  };
  const data = { ...who, ...left[stage], intentId: first, stage, lastActivityAt };
  return { type: 'PurchaseIntentAbandoned', data, occurredAt };
}

function storyBy(delays: AbandonmentDelays): Story<IntentCommand, IntentEvent, IntentState> {
  return new Story(intentDecider(delays));
}
function story(...commands: IntentCommand[]): Story<IntentCommand, IntentEvent, IntentState> {
  const told = storyBy(usualDelays);
  for (const command of commands) told.carryOut(command);
  return told;
}

describe('a rung', () => {
  it('opens a journey whose id derives from who, what and how many there were', () => {
    intent().when(adds()).then(inCart);
    intent().when(asks()).then(asked);
    intent().when(checksOut()).then(inCheckout);
  });
  it('goes on with the open journey', () => {
    const [, event] = story(asks(), adds(addMs(t0, minuteMs))).events;
    expect(event?.data).toMatchObject({ intentId: first });
    expect(event?.data).not.toHaveProperty('previousIntentId');
  });
  it('that another system reports twice is one', () => intent(inCart).when(adds()).thenTypes('ProductAddedToCart'));
  it('known by another system’s event id is one', () =>
    expect(story(adds(t0, 'evt-9'), adds(t0, 'evt-9')).events.length).toBe(1));
  it('reported again when its journey is over still belongs to that journey', () => {
    const told = story(adds(t0, 'evt-9'), buys(), adds(addMs(t0, minuteMs), 'evt-10'));
    const command = adds(addMs(t0, dayMs), 'evt-9') as Extract<IntentCommand, { type: 'AddToCart' }>;
    told.carryOut(command);
    expect(told.state.journey?.intentId).toBe(second);
    const rung = { type: 'ProductAddedToCart', data: command.data } as const;
    expect(knownRung(rung, told.state)).toMatchObject({ intentId: first, cartId: 'cart-1' });
  });
  it('of the same question or checkout is one', () => {
    intent(asked).when(asks()).thenNothing();
    intent(inCheckout).when(checksOut()).thenNothing();
  });
});

describe('taking out of the cart', () => {
  it('takes no more than there is', () => {
    const told = story(adds(), removes(t0, 5));
    expect(told.events[1]?.data).toMatchObject({ quantity: 2 });
    intent().when(removes()).thenNothing();
    intent(inCart, ...(told.events.slice(1) as IntentEvent[]))
      .when(removes())
      .thenNothing();
  });
  it('of everything leaves a person who looks around', () =>
    expect(story(adds(), removes(t0, 2)).state.journey?.stage).toBe('browse'));
});

describe('silence', () => {
  it.each<[string, IntentEvent, 'browse' | 'cart' | 'checkout', number]>([
    ['after asking: 24 h', asked, 'browse', 24 * hourMs],
    ['with a cart: 1 h', inCart, 'cart', hourMs],
    ['in the checkout: 1 h', inCheckout, 'checkout', hourMs],
  ])('%s', (_, event, stage, afterMs) => {
    const told = story();
    told.record(event, t0);
    expect(told.tick(addMs(t0, afterMs - 1))).toEqual([]);
    expect(told.tick(addMs(t0, 3 * dayMs))).toEqual([abandoned(stage)]);
    expect(told.tick(addMs(t0, 4 * dayMs))).toEqual([]);
  });
  it('of 30 days ends the journey; the next one names it', () => {
    const told = story(adds());
    expect(told.tick(addMs(t0, 40 * dayMs)).map(({ type, occurredAt }) => [type, occurredAt])).toEqual([
      ['PurchaseIntentAbandoned', addMs(t0, hourMs)],
      ['PurchaseIntentExpired', addMs(t0, 30 * dayMs)],
    ]);
    const [event] = told.carryOut(adds(addMs(t0, 41 * dayMs)));
    expect(event?.data).toMatchObject({ intentId: second, previousIntentId: first });
  });
  it('abandons a stage once per journey', () => {
    const told = story(adds());
    told.tick(addMs(t0, 2 * hourMs));
    told.carryOut(adds(addMs(t0, 3 * hourMs)));
    expect(told.tick(addMs(t0, 9 * hourMs))).toEqual([]);
    told.carryOut(checksOut(addMs(t0, 10 * hourMs)));
    expect(told.tick(addMs(t0, 12 * hourMs))).toMatchObject([{ data: { stage: 'checkout' } }]);
  });
});

describe('another delay', () => {
  it.each<[string, IntentEvent, keyof AbandonmentDelays]>([
    ['after asking', asked, 'browse'],
    ['with a cart', inCart, 'cart'],
    ['in the checkout', inCheckout, 'checkout'],
  ])('holds for its own stage alone: %s', (_, event, stage) => {
    const told = storyBy({ browse: dayMs, cart: dayMs, checkout: dayMs, [stage]: 10 * minuteMs });
    told.record(event, t0);
    expect(told.tick(addMs(t0, 10 * minuteMs - 1))).toEqual([]);
    const occurredAt = addMs(t0, 10 * minuteMs);
    expect(told.tick(occurredAt)).toEqual([{ ...abandoned(stage), occurredAt }]);
  });
  it('is the one that whoever only looked is judged by', () => {
    const told = storyBy({ ...usualDelays, browse: 10 * minuteMs });
    expect(told.carryOut(onlyViewed(addMs(t0, 10 * minuteMs - 1)))).toEqual([]);
    expect(told.carryOut(onlyViewed(addMs(t0, 10 * minuteMs)))).toMatchObject([
      { type: 'PurchaseIntentAbandoned', data: { stage: 'browse' }, occurredAt: addMs(t0, 10 * minuteMs) },
    ]);
  });
  it('does not change what was recorded by the one before', () => {
    const told = storyBy({ ...usualDelays, cart: 2 * dayMs });
    for (const event of [inCart, abandoned('cart')]) told.record(event, t0);
    expect(told.tick(addMs(t0, 20 * dayMs))).toEqual([]);
    expect(told.carryOut(asks(addMs(t0, 20 * dayMs)))).toMatchObject([
      { type: 'ProductAskedAbout' },
      { type: 'PurchaseIntentRecovered', data: { stage: 'cart', afterSec: (20 * dayMs - hourMs) / 1_000 } },
    ]);
  });
});

describe('what was left', () => {
  it('names the cart, or the checkout; and so does coming back to it', () => {
    const told = story(adds());
    const [left] = told.tick(addMs(t0, 2 * hourMs));
    expect(left?.data).toMatchObject({ stage: 'cart', cartId: 'cart-1' });
    const events = told.carryOut(checksOut(addMs(t0, 3 * hourMs)));
    expect(events[1]).toMatchObject({ type: 'PurchaseIntentRecovered', data: { stage: 'cart', cartId: 'cart-1' } });
    const [abandonedAgain] = told.tick(addMs(t0, 5 * hourMs));
    expect(abandonedAgain?.data).toMatchObject({ stage: 'checkout', checkoutId: 'checkout-1' });
  });
});

describe('only looking', () => {
  it('for 24 hours without a rung is an abandonment of its own journey', () => {
    intent()
      .when(onlyViewed(addMs(t0, dayMs)))
      .then(abandoned('browse'));
    intent()
      .when(onlyViewed(addMs(t0, dayMs - 1)))
      .thenNothing();
  });
  it('is overtaken by a rung at or after the last view', () => {
    const told = story(asks(addMs(t0, hourMs)));
    expect(told.carryOut(onlyViewed(addMs(t0, 24 * hourMs)))).toEqual([]);
  });
  it('does not abandon a cart', () =>
    expect(
      story(adds())
        .carryOut(onlyViewed(addMs(t0, 30 * hourMs), addMs(t0, minuteMs)))
        .slice(1),
    ).toEqual([]));
  it('is told once', () => {
    const told = story(onlyViewed(addMs(t0, dayMs)));
    expect(told.carryOut(onlyViewed(addMs(t0, dayMs)))).toEqual([]);
    expect(told.carryOut(onlyViewed(addMs(t0, 3 * dayMs), addMs(t0, 2 * dayMs)))).toEqual([]);
  });
});

describe('recovery', () => {
  it('is the next sign of life within 30 days', () => {
    const told = story(adds());
    told.tick(addMs(t0, hourMs));
    expect(told.carryOut(checksOut(addMs(t0, 2 * hourMs))).map(({ type }) => type)).toEqual([
      'CheckoutStarted',
      'PurchaseIntentRecovered',
    ]);
    expect(told.events.at(-1)?.data).toMatchObject({ stage: 'cart', by: 'checkout', afterSec: 3_600 });
    expect(told.carryOut(asks(addMs(t0, 2 * hourMs))).length).toBe(1);
  });
  it('by a purchase comes with the end', () => {
    const told = story(adds());
    told.tick(addMs(t0, hourMs));
    expect(told.carryOut(buys(addMs(t0, 5 * hourMs)))).toMatchObject([
      { type: 'PurchaseIntentRecovered', data: { by: 'purchase' } },
      { type: 'PurchaseIntentClosed' },
    ]);
  });
});

describe('a purchase', () => {
  it('ends the journey once', () => {
    intent(inCart).when(buys()).then(closed);
    intent(inCart, closed).when(buys()).thenNothing();
  });
  it('sent again does not end the next journey', () => {
    const again = { ...inCart, data: { ...inCart.data, intentId: second, previousIntentId: first } } as IntentEvent;
    intent(inCart, closed, again).when(buys()).thenNothing();
  });
  it('without an earlier rung is a journey of its own', () => {
    intent().when(buys()).then(closed);
    const another = { ...closed, data: { ...closed.data, intentId: second, orderId: 'order-2' } } as IntentEvent;
    intent(inCart, closed).when(buys(t0, 'order-2')).then(another);
    intent(inCart, closed, another).when(buys()).thenNothing();
  });
  it('says that the person who looked did not give up', () => {
    const told = story(buys(addMs(t0, hourMs)));
    expect(told.carryOut(onlyViewed(addMs(t0, dayMs)))).toEqual([]);
  });
});

describe('any history of an intent', () => {
  const anyStep = fc.tuple(
    fc.constantFrom(
      (now: string) => adds(now),
      (now: string) => removes(now),
      (now: string) => asks(now, `q-${toMs(now)}`),
      (now: string) => checksOut(now, `c-${toMs(now)}`),
      (now: string) => buys(now, `o-${toMs(now)}`),
      (now: string) => onlyViewed(now, addMs(now, -dayMs)),
    ),
    fc.oneof(fc.nat(120), fc.nat(60 * 24 * 3), fc.nat(60 * 24 * 40)),
  );
  type Step = [(now: string) => IntentCommand, number];

  it('is the same whether timers were in time or never came, whatever the delays', () =>
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 25 }), anyDelays, (steps: Step[], delays) => {
        const late = storyBy(delays);
        const inTime = storyBy(delays);
        let now = t0;
        for (const [make, minutes] of steps) {
          for (let passed = 0; passed < minutes; passed += 30) inTime.tick(addMs(now, passed * minuteMs));
          now = addMs(now, minutes * minuteMs);
          late.carryOut(make(now));
          inTime.carryOut(make(now));
        }
        expect(stored(late.events)).toEqual(stored(inTime.events));
      }),
    ));

  it('tells of a person who only looked the same facts if the hand is less than a day late', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(asks, adds, checksOut), fc.nat(60 * 60)), { maxLength: 7 }),
        fc.nat(60 * 24 * 3),
        fc.nat(60 * 24 - 1),
        (steps, viewedMinute, lateMinutes) => {
          const lastViewedAt = addMs(t0, viewedMinute * minuteMs);
          const dueAt = addMs(lastViewedAt, dayMs);
          const hand = onlyViewed(dueAt, lastViewedAt);
          const [inTime, late] = [story(), story()];
          const [handInTime, handLate] = [toMs(dueAt), toMs(dueAt) + lateMinutes * minuteMs];
          let before = 0;
          let minute = 0;
          for (const [number, [make, minutes]] of steps.entries()) {
            minute += minutes;
            const now = toMs(t0) + minute * minuteMs;
            if (before <= handInTime && handInTime < now) inTime.carryOut(hand);
            if (before <= handLate && handLate < now) late.carryOut(hand);
            for (const told of [inTime, late]) told.carryOut(make(toIso(now), `id-${number}`));
            before = now;
          }
          if (before <= handInTime) inTime.carryOut(hand);
          if (before <= handLate) late.carryOut(hand);
          for (const told of [inTime, late]) told.tick(addMs(t0, 29 * dayMs));
          const facts = ({ events, times }: typeof late) =>
            events
              .map(({ type, data }, index) => `${times[index]} ${type} ${data.intentId} ${JSON.stringify(data)}`)
              .toSorted();
          expect(facts(late)).toEqual(facts(inTime));
        },
      ),
      { numRuns: 500 },
    ));

  it('abandons each stage at most once per journey, and recovers no more than it abandoned', () =>
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps: Step[]) => {
        const told = story();
        let now = t0;
        for (const [make, minutes] of steps) {
          now = addMs(now, minutes * minuteMs);
          told.carryOut(make(now));
        }
        const stages = told.events.flatMap(({ type, data }) =>
          type === 'PurchaseIntentAbandoned' && 'stage' in data ? [`${data.intentId} ${data.stage}`] : [],
        );
        expect(new Set(stages).size).toBe(stages.length);
        const recovered = told.events.filter(({ type }) => type === 'PurchaseIntentRecovered');
        expect(recovered.length).toBeLessThanOrEqual(stages.length);
        const times = told.events.flatMap(({ occurredAt }) => (occurredAt ? [toMs(occurredAt)] : []));
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
    ));
});
