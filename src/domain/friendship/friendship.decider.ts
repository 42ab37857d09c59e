// Everything between two people is one stream, so every rule of the pair is exact: at most one open request, crossed
// requests are an acceptance, a block ends all in the same append. Only counts over many pairs are looked up.
import { addMs, dayMs, hourMs, toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { deriveId } from '../../kernel/ids.js';
import { Rejection } from '../../kernel/rejection.js';
import type { FriendshipCommand, GraphCounts } from './friendship.commands.js';
import { type FriendshipEvent, mayAskByAge, requestsPerDayMax } from './friendship.events.js';
import {
  type Friendship,
  type FriendshipState,
  friendshipEvolve,
  isBlockedEitherWay,
  type OpenRequest,
} from './friendship.state.js';

export const friendsMax = 5_000;
export const openOutgoingMax = 1_000;
/** For accounts younger than a week. */
export const requestsPerDayNewMax = 20;
export const newAccountMs = 7 * dayMs;
export const requestLifetimeMs = 90 * dayMs;
export const declineCooldownMs = 30 * dayMs;
/** After so many declines only the one who declined may ask. */
export const declinesMax = 3;

const notAvailable = (): Rejection => new Rejection('member-not-available', 'no such member');

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.floor((toMs(to) - toMs(from)) / 1_000));
}

function pairOf(request: OpenRequest): { requestId: string; fromMemberId: string; toMemberId: string } {
  return { requestId: request.requestId, fromMemberId: request.fromMemberId, toMemberId: request.toMemberId };
}

/** A limit that cannot be looked at must not be passed: the same command is sent again. */
function known(counts: GraphCounts | undefined): GraphCounts {
  if (counts) return counts;
  throw new Rejection('friend-limits-unknown', 'the friends of both cannot be counted now: send it again later', {
    retryAfterSec: 1,
  });
}

/**
 * The counts of friends and requests are read from other pairs and not locked: concurrent acceptances may overshoot the
 * friend limit by as many as are in flight, never by more (1.12).
 */
function withinFriendLimit(counts: GraphCounts): void {
  if (counts.friendsOfActor >= friendsMax) {
    throw new Rejection('friend-limit-reached', 'you have as many friends as there may be', {
      limit: friendsMax,
      current: counts.friendsOfActor,
    });
  }
  // The other's number is the other's affair.
  if (counts.friendsOfOther >= friendsMax) throw notAvailable();
}

function withinRequestLimits(counts: GraphCounts, registeredAt: string, now: string): void {
  const isNew = toMs(now) - toMs(registeredAt) < newAccountMs;
  const perDay = isNew ? requestsPerDayNewMax : requestsPerDayMax;
  if (counts.requestsOfActorLast24h >= perDay) {
    throw new Rejection('request-limit-reached', 'too many friend requests in 24 hours', {
      limit: perDay,
      current: counts.requestsOfActorLast24h,
      retryAfterSec: hourMs / 1_000,
    });
  }
  if (counts.openOutgoingOfActor >= openOutgoingMax) {
    throw new Rejection('open-request-limit-reached', 'too many friend requests without an answer', {
      limit: openOutgoingMax,
      current: counts.openOutgoingOfActor,
    });
  }
}

/** The one who asked cannot tell a decline's cool-down from a block: both read as "does not take requests". */
function mayAskAgain(state: FriendshipState, fromMemberId: string, now: string): boolean {
  const declines = state.declines[fromMemberId];
  if (!declines) return true;
  return declines.count < declinesMax && toMs(now) - toMs(declines.lastAt) >= declineCooldownMs;
}

function accept(
  request: OpenRequest,
  formedBy: 'accept' | 'mutual_request',
  mutualFriendsAtFormation: number | undefined,
  now: string,
): readonly FriendshipEvent[] {
  const members: [string, string] =
    request.fromMemberId < request.toMemberId
      ? [request.fromMemberId, request.toMemberId]
      : [request.toMemberId, request.fromMemberId];
  return [
    {
      type: 'FriendRequestAccepted',
      data: { ...pairOf(request), decisionLatencySec: secondsBetween(request.sentAt, now) },
    },
    {
      type: 'FriendshipFormed',
      data: {
        friendshipId: deriveId('friendship', request.requestId),
        members,
        formedBy,
        origin: request.origin,
        mutualFriendsAtFormation,
      },
    },
  ];
}

function end(friendship: Friendship, endedBy: string, reason: 'removed' | 'blocked', now: string): FriendshipEvent {
  const { friendshipId, members } = friendship;
  const durationDays = Math.floor(secondsBetween(friendship.formedAt, now) / 86_400);
  return { type: 'FriendshipEnded', data: { friendshipId, members, endedBy, reason, durationDays } };
}

function decline(request: OpenRequest, now: string): FriendshipEvent {
  const decisionLatencySec = secondsBetween(request.sentAt, now);
  return { type: 'FriendRequestDeclined', data: { ...pairOf(request), decisionLatencySec } };
}

function cancel(request: OpenRequest, now: string): FriendshipEvent {
  return {
    type: 'FriendRequestCancelled',
    data: { ...pairOf(request), ageSec: secondsBetween(request.sentAt, now) },
  };
}

const noOpenRequest = (): Rejection => new Rejection('no-open-request', 'there is no open friend request to answer');

export const friendshipDecider: Decider<FriendshipCommand, FriendshipEvent, FriendshipState> = {
  category: 'friendship',
  initialState: { blockedBy: [], declines: {} },
  decide: {
    /**
     * Whether the other is registered, and their age, are looked up: neither is ever taken back, so a stale look-up can
     * only refuse somebody who registered this very moment.
     */
    SendFriendRequest: ({ data, now }, state) => {
      if (data.fromMemberId === data.toMemberId) throw new Rejection('not-yourself', 'a request to yourself');
      if (!data.to.registered || isBlockedEitherWay(state)) throw notAvailable();
      if (state.friendship || state.open?.fromMemberId === data.fromMemberId) return [];
      if (state.open) {
        withinFriendLimit(known(data.counts));
        return accept(state.open, 'mutual_request', data.mutualFriends, now);
      }
      if (!mayAskByAge(data.from.ageBand, data.to.ageBand) || !mayAskAgain(state, data.fromMemberId, now)) {
        throw notAvailable();
      }
      withinFriendLimit(known(data.counts));
      withinRequestLimits(known(data.counts), data.from.registeredAt, now);
      const { requestId, fromMemberId, toMemberId, origin, suggestionId, shareLinkId, note } = data;
      const led = { origin, suggestionId, shareLinkId, note };
      const expiresAt = addMs(now, requestLifetimeMs);
      return [{ type: 'FriendRequestSent', data: { requestId, fromMemberId, toMemberId, ...led, expiresAt } }];
    },
    AcceptFriendRequest: ({ data, now }, state) => {
      if (state.friendship) return [];
      if (state.open?.toMemberId !== data.byMemberId) throw noOpenRequest();
      withinFriendLimit(known(data.counts));
      return accept(state.open, 'accept', data.mutualFriends, now);
    },
    DeclineFriendRequest: ({ data, now }, state) => {
      if (state.open?.toMemberId === data.byMemberId) return [decline(state.open, now)];
      if (state.lastClosed?.outcome === 'declined' && state.lastClosed.by === data.byMemberId) return [];
      throw noOpenRequest();
    },
    CancelFriendRequest: ({ data, now }, state) => {
      if (state.open?.fromMemberId === data.byMemberId) return [cancel(state.open, now)];
      if (state.lastClosed?.outcome === 'cancelled' && state.lastClosed.by === data.byMemberId) return [];
      throw noOpenRequest();
    },
    RemoveFriend: ({ data, now }, { friendship }) =>
      friendship ? [end(friendship, data.byMemberId, 'removed', now)] : [],
    BlockMember: ({ data, now }, state) => {
      const { blockerId, blockedId, context, reportId } = data;
      if (blockerId === blockedId) throw new Rejection('not-yourself', 'a block of yourself');
      if (!data.blockedRegistered) throw notAvailable();
      if (state.blockedBy.includes(blockerId)) return [];
      const events: FriendshipEvent[] = [{ type: 'MemberBlocked', data: { blockerId, blockedId, context, reportId } }];
      if (state.open) events.push((state.open.fromMemberId === blockerId ? cancel : decline)(state.open, now));
      if (state.friendship) events.push(end(state.friendship, blockerId, 'blocked', now));
      return events;
    },
    /** Restores nothing. */
    UnblockMember: ({ data: { blockerId, blockedId } }, state) =>
      state.blockedBy.includes(blockerId) ? [{ type: 'MemberUnblocked', data: { blockerId, blockedId } }] : [],
  },
  evolve: friendshipEvolve,
  due: ({ open }, now) =>
    open && toMs(now) >= toMs(open.expiresAt)
      ? [{ type: 'FriendRequestExpired', data: pairOf(open), occurredAt: open.expiresAt }]
      : [],
};
