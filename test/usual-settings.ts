// The delays and the read models of a deployment that has set nothing.
import { documentProjections as projectionsOf } from '../projections/index.js';
import type { AbandonmentDelays } from '../src/domain/intent/intent.events.js';
import { hourMs } from '../src/kernel/clock.js';

export const usualDelays: AbandonmentDelays = { browse: 24 * hourMs, cart: hourMs, checkout: hourMs };
export const documentProjections = projectionsOf({ abandonedAfterMs: usualDelays });
