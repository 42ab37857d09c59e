// What falls due, as the projection of timers writes it and the hand that acts on it reads it.

/** The name of the projection. */
export const timersName = 'timers';
/** The sorted set of a shard: score = the instant a timer is due, in ms; member = the timer as JSON. */
export const dueKey = 'due:all';

interface Product {
  readonly productId: string;
  readonly variantId?: string | undefined;
  readonly brandId: string;
  readonly category?: string | undefined;
}

/** All that is needed to act on it, so that nothing has to be looked up. */
export type Timer =
  | readonly ['friendship', pair: string]
  | readonly ['share', shareId: string]
  | readonly ['intent', memberId: string, productId: string]
  | readonly ['browse', memberId: string, product: Product, lastViewedAt: string];

export function encodeTimer(timer: Timer): string {
  return JSON.stringify(timer);
}

/** @throws SyntaxError for a text that is no timer of ours. */
export function decodeTimer(member: string): Timer {
  const parsed = JSON.parse(member) as Timer;
  if (!['friendship', 'share', 'intent', 'browse'].includes(parsed[0])) throw new SyntaxError(`no timer: ${member}`);
  return parsed;
}
