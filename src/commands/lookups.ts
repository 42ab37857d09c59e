// What a decision has to know of other streams, read from their folded state: checked, not locked. Each decider's
// docstring says what a look-up that is late by a moment can do at worst.
import { Injectable } from '@nestjs/common';
import { brandDecider } from '../domain/brand/brand.decider.js';
import { conversationDecider, type StartedConversation } from '../domain/conversation/conversation.decider.js';
import type { MemberStanding } from '../domain/friendship/friendship.commands.js';
import { friendshipDecider } from '../domain/friendship/friendship.decider.js';
import { areFriends, type FriendshipState, isBlockedEitherWay } from '../domain/friendship/friendship.state.js';
import { type MemberState, memberDecider, type RegisteredMember } from '../domain/member/member.decider.js';
import { momentDecider, type PublishedMoment } from '../domain/moment/moment.decider.js';
import { type ProductState, productDecider } from '../domain/product/product.decider.js';
import type { SourceMoment } from '../domain/share/share.commands.js';
import { type InitiatedShare, shareDecider } from '../domain/share/share.decider.js';
import { threadDecider } from '../domain/thread/thread.decider.js';
import { EventStore } from '../event-log/transact.js';
import { pairId } from '../kernel/ids.js';
import { Rejection } from '../kernel/rejection.js';

export interface Pair {
  readonly areFriends: boolean;
  readonly blockedEitherWay: boolean;
  readonly friendship: FriendshipState['friendship'];
}
const strangers: Pair = { areFriends: false, blockedEitherWay: false, friendship: undefined };

export function standingOf(member: MemberState): MemberStanding {
  return { registered: member !== undefined, ageBand: member?.ageBand ?? 'unknown' };
}

@Injectable()
export class Lookups {
  constructor(private readonly store: EventStore) {}

  async member(memberId: string): Promise<MemberState> {
    return (await this.store.state(memberDecider, memberId)).state;
  }

  /** @throws Rejection member-not-available */
  async registeredMember(memberId: string): Promise<RegisteredMember> {
    const member = await this.member(memberId);
    if (!member) throw new Rejection('member-not-available', 'no such member');
    return member;
  }

  /** What stands between two members; nothing between somebody and themselves. */
  async pair(a: string, b: string): Promise<Pair> {
    if (a === b) return strangers;
    const { state } = await this.store.state(friendshipDecider, pairId(a, b));
    return { areFriends: areFriends(state), blockedEitherWay: isBlockedEitherWay(state), friendship: state.friendship };
  }

  async isBrandRegistered(brandId: string): Promise<boolean> {
    return (await this.store.state(brandDecider, brandId)).state !== undefined;
  }

  async product(productId: string): Promise<ProductState> {
    return (await this.store.state(productDecider, productId)).state;
  }

  async moment(momentId: string): Promise<PublishedMoment | undefined> {
    return (await this.store.state(momentDecider, momentId)).state;
  }

  /** A share as it began. */
  async share(shareId: string): Promise<(InitiatedShare['act'] & Pick<InitiatedShare, 'initiatedAt'>) | undefined> {
    const { state } = await this.store.state(shareDecider, shareId);
    return state && { ...state.act, initiatedAt: state.initiatedAt };
  }

  /** A moment that somebody shares on, and how they stand to its author. */
  async sourceMoment(momentId: string | undefined, sharerId: string): Promise<SourceMoment | undefined> {
    const moment = momentId === undefined ? undefined : await this.moment(momentId);
    return moment && { ...moment, ...(await this.pair(sharerId, moment.authorId)) };
  }

  async conversation(conversationId: string): Promise<StartedConversation | undefined> {
    return (await this.store.state(conversationDecider, conversationId)).state;
  }

  /** `seq` of the newest message, -1 when there is none. */
  async lastSeq(conversationId: string): Promise<number> {
    return (await this.store.state(threadDecider, conversationId)).revision;
  }
}
