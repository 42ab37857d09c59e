// One purchase journey: how far it got, when it was last heard of, what falls due when nothing more comes.

import type { z } from 'zod';
import { addMs, dayMs, hourMs, toMs } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { ProductRef } from '../vocabulary.js';
import type { AbandonmentStage, IntentEvent } from './intent.events.js';

export type Stage = z.infer<typeof AbandonmentStage>;

/** Silence after the last activity that counts as abandoned, by how far the journey got (P4). */
export const abandonAfterMs: Readonly<Record<Stage, number>> = {
  browse: 24 * hourMs,
  cart: hourMs,
  checkout: hourMs,
};
/** A sign of life this soon after the abandonment is a recovery. */
export const recoverWithinMs = 30 * dayMs;
/** After so much silence the journey is over (P5). */
export const expireAfterMs = 30 * dayMs;

export interface Journey {
  readonly intentId: string;
  readonly memberId: string;
  readonly productRef: ProductRef;
  readonly stage: Stage;
  readonly lastActivityAt: string;
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

/** What an abandoned journey's next sign of life says, if it comes within 30 days. */
export function recovery(journey: Journey, by: 'ask' | 'cart' | 'checkout' | 'purchase', now: string): IntentEvent[] {
  const pending = journey.pendingAbandonment;
  if (!pending) return [];
  const afterMs = Math.max(0, toMs(now) - toMs(pending.at));
  if (afterMs >= recoverWithinMs) return [];
  const afterSec = Math.floor(afterMs / 1_000);
  return [{ type: 'PurchaseIntentRecovered', data: { ...namesOf(journey), stage: pending.stage, by, afterSec } }];
}

export function abandonment(journey: Journey, stage: Stage, lastActivityAt: string): IntentEvent {
  return {
    type: 'PurchaseIntentAbandoned',
    data: { ...namesOf(journey), stage, lastActivityAt },
    occurredAt: addMs(lastActivityAt, abandonAfterMs[stage]),
  };
}

export function isExpired(journey: Journey, now: string): boolean {
  return toMs(now) - toMs(journey.lastActivityAt) >= expireAfterMs;
}

/** In order of when they fell due. */
export function dueOf(journey: Journey, now: string): readonly IntentEvent[] {
  const silentMs = toMs(now) - toMs(journey.lastActivityAt);
  const events: IntentEvent[] = [];
  if (silentMs >= abandonAfterMs[journey.stage] && !journey.abandonedStages.includes(journey.stage)) {
    events.push(abandonment(journey, journey.stage, journey.lastActivityAt));
  }
  if (isExpired(journey, now)) {
    const { lastActivityAt } = journey;
    const data = { ...namesOf(journey), lastActivityAt };
    events.push({ type: 'PurchaseIntentExpired', data, occurredAt: addMs(lastActivityAt, expireAfterMs) });
  }
  return events;
}
