// What the limits of friendship need to know of a member's other pairs. They are counted by a read model, which the write
// side does not see: whoever composes the service hands the counting in.
import type { GraphCounts } from '../../domain/friendship/friendship.commands.js';

/**
 * Limits rest on what the read model has folded so far. At worst a member gets past one by as many acts of theirs as the
 * log has and the read model has not yet: those in flight, and those of its lag. Nobody is refused for a request that was
 * not made; a friendship that ended within the lag may still count. Nothing is taken back afterwards (domain F7).
 */
export interface FriendCounts {
  /** As of `now` (ISO), for who acts and the other; undefined: not to be had at the moment, and then no limit holds. */
  of(actorId: string, otherId: string, now: string): Promise<GraphCounts | undefined>;
}
export const FRIEND_COUNTS = Symbol('FRIEND_COUNTS');
