// What friendships need to know of a member's other pairs: the counts behind the limits, and how many friends two people
// share. A read model counts them, which the write side does not see: whoever composes the service hands it in.
import type { GraphCounts } from '../../domain/friendship/friendship.commands.js';

/**
 * Close to the friend limit the read model is first waited for, until it has folded all that the log had taken. So two
 * acceptances that are decided at the same moment may pass the limit, and nobody else (1.12). The limits of requests rest
 * on what is folded so far: at worst a member gets past them by as many requests as the read model lags behind.
 */
export interface FriendCounts {
  /** As of `now` (ISO), for who acts and the other; undefined: not to be had at the moment. */
  of(actorId: string, otherId: string, now: string): Promise<GraphCounts | undefined>;
  /** Friends that two members have in common; undefined: not to be had at the moment. */
  mutual(a: string, b: string): Promise<number | undefined>;
}
export const FRIEND_COUNTS = Symbol('FRIEND_COUNTS');
