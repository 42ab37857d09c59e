// One person and one product: journey after journey. Ladder facts are independent (a checkout without a cart is legal,
// P1); the first one opens a journey, a purchase or 30 days of silence ends it, and the next one names its predecessor.
import { toMs } from '../../kernel/clock.js';
import type { Decider, EventPlace } from '../../kernel/decider.js';
import type { IntentCommand } from './intent.commands.js';
import type { AbandonmentDelays, IntentEvent } from './intent.events.js';
import {
  browseAbandonment,
  dueOf,
  type Journey,
  journeyId,
  type RememberedRung,
  recovery,
  rungsRememberedMax,
  type Stage,
} from './journey.js';

/** So many of the newest rungs with a name are remembered, to know a repeat (P2). Worst case beyond it: it counts again. */
export const namedRungsRememberedMax = 64;

/** Worst case beyond it: an older order that is sent again under another key ends the open journey. */
export const ordersRememberedMax = 16;

/** What a rung that has a name was recorded as. */
export interface KnownRung {
  readonly names: readonly string[];
  readonly intentId: string;
  readonly cartId?: string | undefined;
  readonly questionId?: string | undefined;
}

export interface IntentState {
  readonly journey?: Journey | undefined;
  /** How many journeys there were: names the next one. */
  readonly journeys: number;
  readonly previousIntentId?: string | undefined;
  /** The newest orders that ended a journey. */
  readonly orderIds: readonly string[];
  /** When the last journey ended. */
  readonly endedAt?: string | undefined;
  readonly knownRungs: readonly KnownRung[];
}

export const intentCategory = 'intent';
export type IntentDecider = Decider<IntentCommand, IntentEvent, IntentState>;

type Rung = Extract<IntentEvent, { type: 'ProductAskedAbout' | 'ProductAddedToCart' | 'CheckoutStarted' }>;
type Step = Rung['data'];
type NewStep = Omit<Step, 'intentId' | 'previousIntentId'>;

/** The names under which a rung is known again: the other system's event id, and the id of what was asked or begun. */
function namesOfRung({ type, data }: { type: Rung['type']; data: NewStep & Partial<Rung['data']> }): string[] {
  const names: string[] = [];
  if (data.externalEventId !== undefined) names.push(`${data.sourceSystem}:${type}:${data.externalEventId}`);
  if ('questionId' in data) names.push(`question:${data.questionId}`);
  if ('checkoutId' in data) names.push(`checkout:${data.checkoutId}:${data.productRef.variantId ?? ''}`);
  return names;
}

/** The rung as it was first recorded, when this is a repeat of it. */
export function knownRung(rung: Parameters<typeof namesOfRung>[0], state: IntentState): KnownRung | undefined {
  const names = namesOfRung(rung);
  return state.knownRungs.find((known) => known.names.some((name) => names.includes(name)));
}

function withRung(known: IntentState['knownRungs'], event: Rung): IntentState['knownRungs'] {
  const names = namesOfRung(event);
  if (names.length === 0) return known;
  const { intentId, cartId, questionId } = event.data as Rung['data'] & { cartId?: string; questionId?: string };
  return [...known, { names, intentId, cartId, questionId }].slice(-namedRungsRememberedMax);
}

/** The open journey, or the one that begins now. */
function journeyFor(
  state: IntentState,
  who: Pick<Step, 'memberId' | 'productRef'>,
  at: string,
): { readonly journey: Journey; readonly names: Pick<Step, 'intentId' | 'previousIntentId'> } {
  if (state.journey) return { journey: state.journey, names: { intentId: state.journey.intentId } };
  const { memberId, productRef } = who;
  const intentId = journeyId(memberId, productRef.productId, state.journeys);
  const journey: Journey = {
    intentId,
    memberId,
    productRef,
    stage: 'browse',
    lastActivityAt: at,
    rungs: [],
    carts: {},
    abandonedStages: [],
  };
  return { journey, names: { intentId, previousIntentId: state.previousIntentId } };
}

const later = (a: string, b: string): string => (toMs(a) >= toMs(b) ? a : b);

function climbed(
  state: IntentState,
  event: Rung,
  place: EventPlace,
  by: RememberedRung['by'],
  change: (journey: Journey) => Pick<Journey, 'stage' | 'carts' | 'cartId' | 'checkoutId'>,
): IntentState {
  const { journey } = journeyFor(state, event.data, place.occurredAt);
  return {
    ...state,
    journeys: state.journey ? state.journeys : state.journeys + 1,
    journey: {
      ...journey,
      ...change(journey),
      intentId: event.data.intentId,
      rungs: [...journey.rungs, { by, at: place.occurredAt }].slice(-rungsRememberedMax),
      lastActivityAt: later(journey.lastActivityAt, place.occurredAt),
    },
    knownRungs: withRung(state.knownRungs, event),
  };
}

function over(state: IntentState, intentId: string, endedAt: string): IntentState {
  const journeys = state.journey ? state.journeys : state.journeys + 1;
  return { ...state, journey: undefined, journeys, previousIntentId: intentId, endedAt };
}

type Pending = NonNullable<Journey['pendingAbandonment']>;
/** An abandonment that is told of late does not hide a later one. */
const laterOf = (a: Pending | undefined, b: Pending): Pending => (a && toMs(a.at) > toMs(b.at) ? a : b);

/** Asking never takes a journey back from its cart or checkout. */
const furthest = (journey: Journey, stage: Stage): Stage => (journey.stage === 'checkout' ? 'checkout' : stage);

function withCart(journey: Journey, cartId: string, change: number): Readonly<Record<string, number>> {
  const carts: Record<string, number> = { ...journey.carts };
  const quantity = (carts[cartId] ?? 0) + change;
  if (quantity > 0) carts[cartId] = quantity;
  else delete carts[cartId];
  return carts;
}

const climb: Omit<IntentDecider['decide'], 'AbandonBrowse'> = {
  AskAboutProduct: ({ data, now }, state) => {
    if (knownRung({ type: 'ProductAskedAbout', data }, state)) return [];
    const { journey, names } = journeyFor(state, data, now);
    return [{ type: 'ProductAskedAbout', data: { ...data, ...names } }, ...recovery(journey, 'ask', now)];
  },
  AddToCart: ({ data, now }, state) => {
    if (knownRung({ type: 'ProductAddedToCart', data }, state)) return [];
    const { journey, names } = journeyFor(state, data, now);
    return [{ type: 'ProductAddedToCart', data: { ...data, ...names } }, ...recovery(journey, 'cart', now)];
  },
  RemoveFromCart: ({ data }, { journey }) => {
    const inCart = journey?.carts[data.cartId] ?? 0;
    if (!journey || inCart === 0) return [];
    const { intentId, memberId, productRef } = journey;
    const quantity = Math.min(data.quantity, inCart);
    return [
      { type: 'ProductRemovedFromCart', data: { intentId, memberId, productRef, cartId: data.cartId, quantity } },
    ];
  },
  StartCheckout: ({ data, now }, state) => {
    if (knownRung({ type: 'CheckoutStarted', data }, state)) return [];
    const { journey, names } = journeyFor(state, data, now);
    return [{ type: 'CheckoutStarted', data: { ...data, ...names } }, ...recovery(journey, 'checkout', now)];
  },
  /** A purchase that no earlier rung was recorded for is a journey of its own, over as it begins (P1). */
  CloseIntent: ({ data, now }, state) => {
    const { memberId, productRef, orderId } = data;
    if (state.orderIds.includes(orderId)) return [];
    const { journey } = journeyFor(state, data, now);
    const { intentId } = journey;
    return [
      ...recovery(journey, 'purchase', now),
      { type: 'PurchaseIntentClosed', data: { intentId, memberId, productRef, orderId } },
    ];
  },
};

const evolve: IntentDecider['evolve'] = {
  ProductAskedAbout: (state, event, place) =>
    climbed(state, event, place, 'ask', ({ stage, carts }) => ({ stage, carts })),
  ProductAddedToCart: (state, event, place) =>
    climbed(state, event, place, 'cart', (journey) => ({
      stage: furthest(journey, 'cart'),
      cartId: event.data.cartId,
      carts: withCart(journey, event.data.cartId, event.data.quantity),
    })),
  ProductRemovedFromCart: (state, { data }, { occurredAt }) => {
    if (!state.journey) return state;
    const carts = withCart(state.journey, data.cartId, -data.quantity);
    const stage = Object.keys(carts).length === 0 ? 'browse' : state.journey.stage;
    return {
      ...state,
      journey: { ...state.journey, carts, stage, lastActivityAt: later(state.journey.lastActivityAt, occurredAt) },
    };
  },
  CheckoutStarted: (state, event, place) =>
    climbed(state, event, place, 'checkout', ({ carts }) => {
      const { cartId, checkoutId } = event.data;
      return { stage: 'checkout', carts, cartId, checkoutId };
    }),
  PurchaseIntentAbandoned: (state, { data }, { occurredAt }) => {
    const { journey } = journeyFor(state, data, data.lastActivityAt);
    return {
      ...state,
      journeys: state.journey ? state.journeys : state.journeys + 1,
      journey: {
        ...journey,
        intentId: data.intentId,
        lastActivityAt: later(journey.lastActivityAt, data.lastActivityAt),
        abandonedStages: [...journey.abandonedStages, data.stage],
        pendingAbandonment: laterOf(journey.pendingAbandonment, { stage: data.stage, at: occurredAt }),
      },
    };
  },
  PurchaseIntentRecovered: (state, { data }) =>
    state.journey?.pendingAbandonment?.stage === data.stage
      ? { ...state, journey: { ...state.journey, pendingAbandonment: undefined } }
      : state,
  PurchaseIntentExpired: (state, { data }, { occurredAt }) => over(state, data.intentId, occurredAt),
  PurchaseIntentClosed: (state, { data }, { occurredAt }) => ({
    ...over(state, data.intentId, occurredAt),
    orderIds: [...state.orderIds, data.orderId].slice(-ordersRememberedMax),
  }),
};

/** @param afterMs the silence that is abandonment, by stage, in ms; it decides what falls due, never what events mean */
export function intentDecider(afterMs: AbandonmentDelays): IntentDecider {
  return {
    category: intentCategory,
    initialState: { journeys: 0, orderIds: [], knownRungs: [] },
    decide: {
      ...climb,
      /**
       * The views are in other streams, so the evidence comes along and may be late. Worst case: an observation that arrives
       * after the journey has ended abandons nothing.
       */
      AbandonBrowse: ({ data, now }, state) => {
        const { lastViewedAt } = data;
        if (toMs(now) - toMs(lastViewedAt) < afterMs.browse) return [];
        if (!state.journey && state.endedAt !== undefined && toMs(state.endedAt) >= toMs(lastViewedAt)) return [];
        return browseAbandonment(journeyFor(state, data, lastViewedAt).journey, lastViewedAt, afterMs);
      },
    },
    evolve,
    due: ({ journey }, now) => (journey ? dueOf(journey, now, afterMs) : []),
  };
}
