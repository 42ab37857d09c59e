// What may be asked of a pair's stream, `friendship-<lo>_<hi>`. Both ids are in every command; who acts comes first.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { AgeBand } from '../vocabulary.js';
import type { FriendshipEvent } from './friendship.events.js';

/** A member as the command layer found them in `member-<id>`. */
export interface MemberStanding {
  readonly registered: boolean;
  readonly ageBand: AgeBand;
}

/** Counts over the members' other pairs. Absent: not to be had, and then nothing that they limit is decided. */
export interface GraphCounts {
  readonly friendsOfActor: number;
  readonly friendsOfOther: number;
  readonly openOutgoingOfActor: number;
  readonly requestsOfActorLast24h: number;
}

interface Act {
  readonly byMemberId: string;
  readonly otherMemberId: string;
}

export type FriendshipCommand = CommandOf<{
  /** A request to somebody who already asked is the acceptance. */
  SendFriendRequest: {
    readonly requestId: string;
    readonly fromMemberId: string;
    readonly toMemberId: string;
    readonly origin: DataOf<FriendshipEvent, 'FriendRequestSent'>['origin'];
    readonly suggestionId?: string | undefined;
    readonly shareLinkId?: string | undefined;
    readonly note?: string | undefined;
    readonly from: MemberStanding & { readonly registeredAt: string };
    readonly to: MemberStanding;
    readonly counts: GraphCounts | undefined;
    /** Friends the two have in common, as the command layer counted them; absent: not known. */
    readonly mutualFriends?: number | undefined;
  };
  AcceptFriendRequest: Act & {
    readonly counts: GraphCounts | undefined;
    readonly mutualFriends?: number | undefined;
  };
  DeclineFriendRequest: Act;
  CancelFriendRequest: Act;
  RemoveFriend: Act;
  BlockMember: {
    readonly blockerId: string;
    readonly blockedId: string;
    readonly context: DataOf<FriendshipEvent, 'MemberBlocked'>['context'];
    readonly reportId?: string | undefined;
    /** Look-up: `member-<blockedId>` is registered. */
    readonly blockedRegistered: boolean;
  };
  UnblockMember: { readonly blockerId: string; readonly blockedId: string };
}>;
