// One unordered pair of members: requests, friendship, blocks in both directions. Stream `friendship-<lo>_<hi>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { personal } from '../../kernel/personal.js';
import { type AgeBand, Id, Instant, text } from '../vocabulary.js';

export const FriendshipOrigin = z.enum([
  'search',
  'suggestion',
  'contact_match',
  'qr',
  'invite_link',
  'mutual_conversation',
  'profile',
  'live',
]);

/** Friend requests that one member may send in 24 hours (F6). */
export const requestsPerDayMax = 50;

/** F8: an adult whom a child of 13 to 15 has not asked first is a stranger to it. An undeclared age counts as adult here. */
export function mayAskByAge(from: AgeBand, to: AgeBand): boolean {
  return to !== '13_15' || from === '13_15' || from === '16_17';
}

const pair = { fromMemberId: Id, toMemberId: Id };

export const friendshipEvents = {
  FriendRequestSent: z.strictObject({
    requestId: Id,
    ...pair,
    origin: FriendshipOrigin,
    /** The suggestion, or the invitation's link, that it came from. */
    suggestionId: Id.optional(),
    shareLinkId: Id.optional(),
    note: personal(text(200), 'fromMemberId'),
    expiresAt: Instant,
  }),
  FriendRequestAccepted: z.strictObject({ requestId: Id, ...pair, decisionLatencySec: z.int().min(0) }),
  FriendRequestDeclined: z.strictObject({ requestId: Id, ...pair, decisionLatencySec: z.int().min(0) }),
  FriendRequestCancelled: z.strictObject({ requestId: Id, ...pair, ageSec: z.int().min(0) }),
  FriendRequestExpired: z.strictObject({ requestId: Id, ...pair }),
  FriendshipFormed: z.strictObject({
    friendshipId: Id,
    /** In order of id. */
    members: z.tuple([Id, Id]),
    formedBy: z.enum(['accept', 'mutual_request', 'import']),
    origin: FriendshipOrigin,
    /** Friends the two had in common at that instant, as far as the read model of friends had come (F9). */
    mutualFriendsAtFormation: z.int().min(0).optional(),
  }),
  FriendshipEnded: z.strictObject({
    friendshipId: Id,
    members: z.tuple([Id, Id]),
    endedBy: Id,
    reason: z.enum(['removed', 'blocked', 'account_erased']),
    durationDays: z.int().min(0),
  }),
  MemberBlocked: z.strictObject({
    blockerId: Id,
    blockedId: Id,
    context: z.enum(['profile', 'conversation', 'live', 'comment']),
    /** The report that was made with it. */
    reportId: Id.optional(),
  }),
  MemberUnblocked: z.strictObject({ blockerId: Id, blockedId: Id }),
};
export type FriendshipEvent = EventOf<typeof friendshipEvents>;
