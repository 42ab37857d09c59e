// Any delays of abandonment that a deployment may choose; short ones are as likely as all the others together.
import fc from 'fast-check';
import { type AbandonmentDelays, intentExpiresAfterMs } from '../src/domain/intent/intent.events.js';
import { minuteMs } from '../src/kernel/clock.js';

const anyDelay = fc
  .oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: intentExpiresAfterMs / minuteMs - 1 }))
  .map((minutes) => minutes * minuteMs);

export const anyDelays: fc.Arbitrary<AbandonmentDelays> = fc.record({
  browse: anyDelay,
  cart: anyDelay,
  checkout: anyDelay,
});
