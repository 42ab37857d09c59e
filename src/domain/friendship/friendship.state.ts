// What a pair's past comes to. Other categories look it up: are they friends, does a block stand between them.
import type { Decider } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/message.js';
import type { FriendshipCommand } from './friendship.commands.js';
import type { FriendshipEvent } from './friendship.events.js';

export interface OpenRequest {
  readonly requestId: string;
  readonly fromMemberId: string;
  readonly toMemberId: string;
  readonly origin: DataOf<FriendshipEvent, 'FriendRequestSent'>['origin'];
  readonly sentAt: string;
  readonly expiresAt: string;
}

export interface Friendship {
  readonly friendshipId: string;
  readonly members: [string, string];
  readonly formedAt: string;
}

export interface FriendshipState {
  readonly open?: OpenRequest | undefined;
  readonly friendship?: Friendship | undefined;
  /** Those of the two who block the other. */
  readonly blockedBy: readonly string[];
  /** How often, and when last, the requests of each were declined since the other last asked. */
  readonly declines: Readonly<Record<string, { readonly count: number; readonly lastAt: string }>>;
  /** How the last request ended and by whose act: so that the same act again is no error. */
  readonly lastClosed?: { readonly outcome: 'declined' | 'cancelled'; readonly by: string } | undefined;
}

export function areFriends(state: FriendshipState): boolean {
  return state.friendship !== undefined;
}

/** Blocks win over everything, whoever set them. */
export function isBlockedEitherWay(state: FriendshipState): boolean {
  return state.blockedBy.length > 0;
}

function declined(state: FriendshipState, fromMemberId: string, lastAt: string): FriendshipState['declines'] {
  const count = (state.declines[fromMemberId]?.count ?? 0) + 1;
  return { ...state.declines, [fromMemberId]: { count, lastAt } };
}

export const friendshipEvolve: Decider<FriendshipCommand, FriendshipEvent, FriendshipState>['evolve'] = {
  /** Who asks takes back the own declines of the other. */
  FriendRequestSent: (state, { data }, { occurredAt }) => ({
    ...state,
    open: {
      requestId: data.requestId,
      fromMemberId: data.fromMemberId,
      toMemberId: data.toMemberId,
      origin: data.origin,
      sentAt: occurredAt,
      expiresAt: data.expiresAt,
    },
    declines: Object.fromEntries(Object.entries(state.declines).filter(([memberId]) => memberId !== data.toMemberId)),
    lastClosed: undefined,
  }),
  FriendRequestAccepted: (state) => ({ ...state, open: undefined }),
  FriendRequestDeclined: (state, { data }, { occurredAt }) => ({
    ...state,
    open: undefined,
    declines: declined(state, data.fromMemberId, occurredAt),
    lastClosed: { outcome: 'declined', by: data.toMemberId },
  }),
  FriendRequestCancelled: (state, { data }) => ({
    ...state,
    open: undefined,
    lastClosed: { outcome: 'cancelled', by: data.fromMemberId },
  }),
  FriendRequestExpired: (state) => ({ ...state, open: undefined }),
  FriendshipFormed: (state, { data }, { occurredAt }) => ({
    ...state,
    friendship: { friendshipId: data.friendshipId, members: data.members, formedAt: occurredAt },
    declines: {},
  }),
  FriendshipEnded: (state) => ({ ...state, friendship: undefined }),
  MemberBlocked: (state, { data }) => ({ ...state, blockedBy: [...state.blockedBy, data.blockerId] }),
  MemberUnblocked: (state, { data }) => ({
    ...state,
    blockedBy: state.blockedBy.filter((memberId) => memberId !== data.blockerId),
  }),
};
