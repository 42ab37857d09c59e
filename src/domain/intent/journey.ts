// One purchase journey: how far it got, when it was last heard of, what falls due when nothing more comes.

import { addMs, dayMs, toMs } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { ProductRef } from '../vocabulary.js';
import {
  type AbandonmentDelays,
  type IntentEvent,
  intentExpiresAfterMs,
  type AbandonmentStage as Stage,
} from './intent.events.js';

export type { Stage };

/** A sign of life this soon after the abandonment is a recovery. */
export const recoverWithinMs = 30 * dayMs;
/** So many newest rungs of a journey are remembered, to tell what came after a view that is told of late. */
export const rungsRememberedMax = 8;

export interface RememberedRung {
  readonly by: 'ask' | 'cart' | 'checkout';
  readonly at: string;
}

export interface Journey {
  readonly intentId: string;
  readonly memberId: string;
  readonly productRef: ProductRef;
  readonly stage: Stage;
  readonly lastActivityAt: string;
  /** The newest, oldest first. */
  readonly rungs: readonly RememberedRung[];
  /** What was last put into, or begun. */
  readonly cartId?: string | undefined;
  readonly checkoutId?: string | undefined;
  /** How many are in each cart. */
  readonly carts: Readonly<Record<string, number>>;
  /** Each stage is abandoned at most once per journey. */
  readonly abandonedStages: readonly Stage[];
  /** The abandonment that no sign of life has followed yet. */
  readonly pendingAbandonment?: { readonly stage: Stage; readonly at: string } | undefined;
}

export function journeyId(memberId: string, productId: string, ordinal: number): string {
  return deriveId('intent', memberId, productId, String(ordinal));
}

function namesOf({ intentId, memberId, productRef }: Journey): Pick<Journey, 'intentId' | 'memberId' | 'productRef'> {
  return { intentId, memberId, productRef };
}

/** What was left at that stage. */
function leftAt({ cartId, checkoutId }: Journey, stage: Stage): { cartId?: string; checkoutId?: string } {
  if (stage === 'browse') return {};
  const cart = cartId === undefined ? {} : { cartId };
  return stage === 'checkout' && checkoutId !== undefined ? { ...cart, checkoutId } : cart;
}

type Recovering = RememberedRung['by'] | 'purchase';

function recovered(
  journey: Journey,
  { stage, at }: { readonly stage: Stage; readonly at: string },
  by: Recovering,
  now: string,
): IntentEvent[] {
  const afterMs = Math.max(0, toMs(now) - toMs(at));
  if (afterMs >= recoverWithinMs) return [];
  const afterSec = Math.floor(afterMs / 1_000);
  return [
    { type: 'PurchaseIntentRecovered', data: { ...namesOf(journey), ...leftAt(journey, stage), stage, by, afterSec } },
  ];
}

/** What an abandoned journey's next sign of life says, if it comes within 30 days. */
export function recovery(journey: Journey, by: Recovering, now: string): IntentEvent[] {
  return journey.pendingAbandonment ? recovered(journey, journey.pendingAbandonment, by, now) : [];
}

function abandonment(journey: Journey, stage: Stage, lastActivityAt: string, afterMs: AbandonmentDelays): IntentEvent {
  return {
    type: 'PurchaseIntentAbandoned',
    data: { ...namesOf(journey), ...leftAt(journey, stage), stage, lastActivityAt },
    occurredAt: addMs(lastActivityAt, afterMs[stage]),
  };
}

export function isExpired(journey: Journey, now: string): boolean {
  return toMs(now) - toMs(journey.lastActivityAt) >= intentExpiresAfterMs;
}

/** In order of when they fell due. */
export function dueOf(journey: Journey, now: string, afterMs: AbandonmentDelays): readonly IntentEvent[] {
  const silentMs = toMs(now) - toMs(journey.lastActivityAt);
  const events: IntentEvent[] = [];
  if (silentMs >= afterMs[journey.stage] && !journey.abandonedStages.includes(journey.stage)) {
    events.push(abandonment(journey, journey.stage, journey.lastActivityAt, afterMs));
  }
  if (isExpired(journey, now)) {
    const { lastActivityAt } = journey;
    const data = { ...namesOf(journey), lastActivityAt };
    events.push({ type: 'PurchaseIntentExpired', data, occurredAt: addMs(lastActivityAt, intentExpiresAfterMs) });
  }
  return events;
}

/**
 * What a last view at `lastViewedAt` without a further rung for the delay of browsing comes to: the abandonment of its
 * moment, and where the person came back since, the recovery of that moment. So a hand that is late by less than any
 * delay changes no history, as far as the remembered rungs reach; after that the silence that followed the next rung may
 * have been told first.
 */
export function browseAbandonment(
  journey: Journey,
  lastViewedAt: string,
  afterMs: AbandonmentDelays,
): readonly IntentEvent[] {
  const { rungs, abandonedStages } = journey;
  const since = rungs.filter(({ at }) => toMs(at) >= toMs(lastViewedAt));
  const before = rungs.slice(0, rungs.length - since.length);
  const mayBeForgotten = rungs.length === rungsRememberedMax && before.length === 0;
  if (abandonedStages.includes('browse') || mayBeForgotten || before.some(({ by }) => by !== 'ask')) return [];
  const told = abandonment(journey, 'browse', lastViewedAt, afterMs);
  const [next] = since;
  if (!next) return toMs(journey.lastActivityAt) >= toMs(lastViewedAt) && rungs.length > 0 ? [] : [told];
  const dueAt = told.occurredAt as string;
  if (toMs(next.at) <= toMs(dueAt)) return [];
  const back = recovered(journey, { stage: 'browse', at: dueAt }, next.by, next.at);
  return [told, ...back.map((event) => ({ ...event, occurredAt: next.at }))];
}
