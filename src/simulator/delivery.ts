// What happens to observations on their way: some are lost, some come twice, some hours or days late, out of order, or
// from a device whose clock is ahead. Nothing arrives later than 7 days or after the clock has stopped.
import { dayMs, hourMs, minuteMs, toIso } from '../kernel/clock.js';
import type { Random } from './random.js';
import type { DeliveredObservation, DraftObservation, Happened } from './script.js';

const lostShare = 0.007;
const duplicateShare = 0.03;
const lateShare = 0.05;
const veryLateShare = 0.008;
const fastClockShare = 0.004;
/** A little under the 7 days that the API takes, because a batch waits up to `batchSpanMs` to be full. */
const latestMs = 6.7 * dayMs;
/** Repeats come well within the 48 h for which ids are remembered. */
const duplicateWithinMs = 40 * hourMs;

/** In order of delivery. */
export function deliver(
  observations: readonly DraftObservation[],
  { random, endMs, happened }: { random: Random; endMs: number; happened: Happened },
): DeliveredObservation[] {
  const draw = random.stream('delivery');
  const deliveries: { readonly at: number; readonly order: number; readonly item: DeliveredObservation }[] = [];
  const put = (at: number, observation: DraftObservation, skewMs: number) => {
    const { source, id, type, data } = observation;
    const time = toIso(observation.at + skewMs);
    const item = { deliveredAt: toIso(Math.floor(at)), source, id, type, time, data };
    deliveries.push({ at: Math.floor(at), order: deliveries.length, item });
  };
  for (const observation of observations) {
    const lost = draw.chance(lostShare);
    const at = observation.at + delay(draw);
    const skewMs = draw.chance(fastClockShare) ? Math.floor(draw.between(minuteMs, 25 * minuteMs)) : 0;
    const [twice, again] = [draw.chance(duplicateShare), draw.exponential(2 * hourMs)];
    if (lost || at >= endMs) {
      happened.count('observations.lost');
      continue;
    }
    put(at, observation, skewMs);
    const repeatAt = at + 1_000 + Math.min(duplicateWithinMs, again);
    if (!twice || repeatAt >= endMs || repeatAt - observation.at > latestMs) continue;
    put(repeatAt, observation, skewMs);
    happened.count('observations.duplicates');
  }
  return deliveries.sort((a, b) => a.at - b.at || a.order - b.order).map(({ item }) => item);
}

function delay(draw: Random): number {
  const soon = draw.between(500, 90_000);
  const way = draw.float();
  if (way < veryLateShare) return Math.min(latestMs, draw.between(dayMs, 6.9 * dayMs));
  if (way < veryLateShare + lateShare) return Math.min(latestMs, soon + draw.exponential(7 * hourMs));
  return soon;
}

export interface Batch {
  /** When the gateway sends it: the delivery of its last item. */
  readonly at: string;
  readonly items: readonly DeliveredObservation[];
}

export const batchItemsMax = 800;
export const batchSpanMs = 4 * hourMs;

/** As a gateway would send them: full, or a few hours old. */
export function batches(observations: readonly DeliveredObservation[]): Batch[] {
  const made: Batch[] = [];
  let items: DeliveredObservation[] = [];
  const close = () => {
    const last = items.at(-1);
    if (last) made.push({ at: last.deliveredAt, items });
    items = [];
  };
  for (const item of observations) {
    const first = items[0];
    const span = first ? Date.parse(item.deliveredAt) - Date.parse(first.deliveredAt) : 0;
    if (items.length === batchItemsMax || span > batchSpanMs) close();
    items.push(item);
  }
  close();
  return made;
}
