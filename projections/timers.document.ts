// What falls due when, folded from the log: one sorted set per shard, score = the instant it is due, in ms. The hand that
// takes what is due is jobs/; whatever it does comes back as an event and clears the entry here. Owner: the person whose
// act began the silence.
import type { z } from 'zod';
import type { friendshipEvents } from '../src/domain/friendship/friendship.events.js';
import {
  type AbandonmentDelays,
  type AbandonmentStage,
  type intentEvents,
  intentExpiresAfterMs,
} from '../src/domain/intent/intent.events.js';
import type { observationEvents } from '../src/domain/observation/observation.events.js';
import { shareAbandonedAfterMs, type shareEvents } from '../src/domain/share/share.events.js';
import type { ProductRef } from '../src/domain/vocabulary.js';
import { toMs } from '../src/kernel/clock.js';
import { pairId } from '../src/kernel/ids.js';
import type { AnyEvent, DocumentHandler, DocumentProjection, DocumentView } from '../src/kernel/projection.js';
import { dueKey, encodeTimer, type Timer, timersName } from '../src/kernel/timer.js';

type Friendship = { [Type in keyof typeof friendshipEvents]: z.infer<(typeof friendshipEvents)[Type]> };
type Share = { [Type in keyof typeof shareEvents]: z.infer<(typeof shareEvents)[Type]> };
type Intent = { [Type in keyof typeof intentEvents]: z.infer<(typeof intentEvents)[Type]> };
type Viewed = z.infer<(typeof observationEvents)['ProductViewed']>;

const shopperKey = (memberId: string, productId: string) => `shopper:${memberId}_${productId}`;

/** How far one person got with one product, as far as timers ask. */
interface Shopper {
  /** Of the intent's stream: what came up to here is in. */
  readonly revision: number;
  /** Absent: no journey is open. */
  readonly stage?: AbandonmentStage | undefined;
  readonly carts: Readonly<Record<string, number>>;
  /** Of the open journey, or the end of the last one. */
  readonly lastActivityAt?: string | undefined;
  readonly abandoned: readonly AbandonmentStage[];
  readonly browse?: { readonly productRef: ProductRef; readonly lastViewedAt: string } | undefined;
}
const newcomer: Shopper = { revision: -1, carts: {}, abandoned: [] };

function set(view: DocumentView, timer: Timer, dueMs: number): void {
  view.add(dueKey, encodeTimer(timer), dueMs);
}
function clear(view: DocumentView, timer: Timer): void {
  view.remove(dueKey, encodeTimer(timer));
}

function friendRequest(apply: (view: DocumentView, timer: Timer, event: AnyEvent) => void): DocumentHandler {
  return {
    apply: (event, view) => {
      const { fromMemberId, toMemberId } = event.data as Friendship['FriendRequestExpired'];
      if (!view.owns(fromMemberId)) return;
      apply(view, ['friendship', pairId(fromMemberId, toMemberId)], event);
    },
  };
}

function share(apply: (view: DocumentView, timer: Timer, event: AnyEvent) => void): DocumentHandler {
  return {
    apply: (event, view) => {
      const { sharerId, shareId } = event.data as Share['ShareInitiated'];
      if (view.owns(sharerId)) apply(view, ['share', shareId], event);
    },
  };
}

function browseTimer(memberId: string, { productRef, lastViewedAt }: NonNullable<Shopper['browse']>): Timer {
  return ['browse', memberId, productRef, lastViewedAt];
}

/** When what a shopper was silent about falls due, by the deployment's delays. */
class DueTimes {
  constructor(private readonly afterMs: AbandonmentDelays) {}

  browse({ lastViewedAt }: NonNullable<Shopper['browse']>): number {
    return toMs(lastViewedAt) + this.afterMs.browse;
  }

  /** When the open journey falls silent: the abandonment of its stage, once, and then its end. */
  journey({ stage, lastActivityAt, abandoned }: Shopper): number | undefined {
    if (stage === undefined || lastActivityAt === undefined) return undefined;
    return toMs(lastActivityAt) + (abandoned.includes(stage) ? intentExpiresAfterMs : this.afterMs[stage]);
  }
}

/** The shopper as it is now, with the timers that belong to it. */
function keep(
  view: DocumentView,
  { memberId, productRef: { productId } }: Pick<Step, 'memberId' | 'productRef'>,
  { before, after }: { readonly before: Shopper; readonly after: Shopper },
  due: DueTimes,
): void {
  view.put(shopperKey(memberId, productId), after);
  const dueMs = due.journey(after);
  if (dueMs !== undefined) set(view, ['intent', memberId, productId], dueMs);
  else clear(view, ['intent', memberId, productId]);
  if (before.browse && before.browse !== after.browse) clear(view, browseTimer(memberId, before.browse));
  if (after.browse && before.browse !== after.browse) {
    set(view, browseTimer(memberId, after.browse), due.browse(after.browse));
  }
}

type Step = Intent['PurchaseIntentExpired'] | Intent['ProductAddedToCart'];
type Change = (shopper: Shopper, event: AnyEvent, due: DueTimes) => Shopper;

function shopper(change: Change, due: DueTimes): DocumentHandler {
  const keyOf = ({ memberId, productRef }: Step) => shopperKey(memberId, productRef.productId);
  return {
    reads: (event) => [{ doc: keyOf(event.data as Step) }],
    apply: (event, view) => {
      const step = event.data as Step;
      if (!view.owns(step.memberId)) return;
      const before = view.get<Shopper>(keyOf(step)) ?? newcomer;
      if (event.revision <= before.revision) return;
      keep(view, step, { before, after: { ...change(before, event, due), revision: event.revision } }, due);
    },
  };
}

function viewedBy(due: DueTimes): DocumentHandler {
  return {
    reads: ({ data }) => {
      const { memberId, productRef } = data as Viewed;
      return memberId === undefined ? [] : [{ doc: shopperKey(memberId, productRef.productId) }];
    },
    apply: ({ data, metadata }, view) => {
      const { memberId, productRef } = data as Viewed;
      if (memberId === undefined || !view.owns(memberId)) return;
      const before = view.get<Shopper>(shopperKey(memberId, productRef.productId)) ?? newcomer;
      const after = viewed(before, data as Viewed, metadata, due);
      if (after !== before) keep(view, { memberId, productRef }, { before, after }, due);
    },
  };
}

const later = (a: string | undefined, b: string): string => (a !== undefined && toMs(a) > toMs(b) ? a : b);

/**
 * A rung ends the wait for one, unless the wait was over before: then the hand is on its way, and the decider knows what
 * came since.
 */
function rung(
  state: Shopper,
  { metadata }: AnyEvent,
  { stage, carts = state.carts }: { readonly stage: AbandonmentStage; readonly carts?: Shopper['carts'] },
  due: DueTimes,
): Shopper {
  const at = metadata.occurredAt;
  const isOver = state.browse !== undefined && toMs(at) > due.browse(state.browse);
  const browse = isOver ? state.browse : undefined;
  return { ...state, stage, carts, browse, lastActivityAt: later(state.lastActivityAt, at) };
}

function withCart({ carts }: Shopper, cartId: string, change: number): Shopper['carts'] {
  const quantity = (carts[cartId] ?? 0) + change;
  const others = Object.entries(carts).filter(([id]) => id !== cartId);
  return Object.fromEntries(quantity > 0 ? [...others, [cartId, quantity]] : others);
}

/** The last view counts, and only while nothing more than looking is known of this person and product. */
function viewed(
  state: Shopper,
  { productRef }: Viewed,
  { occurredAt, receivedAt }: AnyEvent['metadata'],
  due: DueTimes,
): Shopper {
  const { stage, browse, lastActivityAt, abandoned } = state;
  if ((stage !== undefined && stage !== 'browse') || abandoned.includes('browse')) return state;
  if (lastActivityAt !== undefined && toMs(lastActivityAt) >= toMs(occurredAt)) return state;
  if (browse && toMs(occurredAt) <= toMs(browse.lastViewedAt)) return state;
  // The wait was over when this view came or happened: the abandonment stands, and there is one per journey.
  if (browse && Math.max(toMs(occurredAt), toMs(receivedAt)) >= due.browse(browse)) return state;
  return { ...state, browse: { productRef, lastViewedAt: occurredAt } };
}

const over: Change = (_, { metadata }) => ({ ...newcomer, lastActivityAt: metadata.occurredAt });

/** What each step of an intent's stream changes. */
const steps: Readonly<Record<string, Change>> = {
  ProductAskedAbout: (state, event, due) => rung(state, event, { stage: state.stage ?? 'browse' }, due),
  ProductAddedToCart: (state, event, due) => {
    const { cartId, quantity } = event.data as Intent['ProductAddedToCart'];
    const stage = state.stage === 'checkout' ? 'checkout' : 'cart';
    return rung(state, event, { stage, carts: withCart(state, cartId, quantity) }, due);
  },
  ProductRemovedFromCart: (state, event, due) => {
    const { cartId, quantity } = event.data as Intent['ProductRemovedFromCart'];
    const carts = withCart(state, cartId, -quantity);
    const stage = Object.keys(carts).length === 0 ? 'browse' : (state.stage ?? 'browse');
    return rung(state, event, { stage, carts }, due);
  },
  CheckoutStarted: (state, event, due) => rung(state, event, { stage: 'checkout' }, due),
  PurchaseIntentAbandoned: (state, event) => {
    const { stage, lastActivityAt } = event.data as Intent['PurchaseIntentAbandoned'];
    return {
      ...state,
      stage: state.stage ?? 'browse',
      lastActivityAt: later(state.lastActivityAt, lastActivityAt),
      abandoned: [...new Set([...state.abandoned, stage])],
      browse: stage === 'browse' ? undefined : state.browse,
    };
  },
  PurchaseIntentExpired: over,
  PurchaseIntentClosed: over,
};

function shopperSteps(due: DueTimes): Readonly<Record<string, DocumentHandler>> {
  return Object.fromEntries(Object.entries(steps).map(([type, change]) => [type, shopper(change, due)]));
}

/** By other delays other things are due: whoever reads what is due looks by which it was folded. */
export function timers({ browse, cart, checkout }: AbandonmentDelays): DocumentProjection {
  const afterMs = { browse, cart, checkout };
  const due = new DueTimes(afterMs);
  return {
    name: timersName,
    version: 1,
    settings: `abandoned after ms ${JSON.stringify(afterMs)}`,
    routingKeys: ({ type, data }) => {
      const { memberId, productRef } = data as Partial<Step>;
      return type === 'ProductViewed' && memberId !== undefined && productRef !== undefined
        ? [`intent-${memberId}_${productRef.productId}`]
        : [];
    },
    on: {
      FriendRequestSent: friendRequest((view, timer, { data }) =>
        set(view, timer, toMs((data as Friendship['FriendRequestSent']).expiresAt)),
      ),
      FriendRequestAccepted: friendRequest(clear),
      FriendRequestDeclined: friendRequest(clear),
      FriendRequestCancelled: friendRequest(clear),
      FriendRequestExpired: friendRequest(clear),
      ShareInitiated: share((view, timer, { metadata }) =>
        set(view, timer, toMs(metadata.occurredAt) + shareAbandonedAfterMs),
      ),
      ShareCompleted: share(clear),
      ShareAbandoned: share(clear),
      ProductViewed: viewedBy(due),
      ...shopperSteps(due),
    },
  };
}
