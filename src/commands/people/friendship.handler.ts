// One pair of members: requests, friendship, blocks.
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import type { FriendshipCommand } from '../../domain/friendship/friendship.commands.js';
import { friendshipDecider } from '../../domain/friendship/friendship.decider.js';
import type { FriendshipEvent, FriendshipOrigin } from '../../domain/friendship/friendship.events.js';
import type { FriendshipState } from '../../domain/friendship/friendship.state.js';
import type { RegisteredMember } from '../../domain/member/member.decider.js';
import { EventStore, type Transacted } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId, pairId } from '../../kernel/ids.js';
import { Rejection } from '../../kernel/rejection.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';
import { Lookups, standingOf } from '../lookups.js';
import { FRIEND_COUNTS, type FriendCounts } from './friend-counts.js';

export type BlockContext = Extract<FriendshipCommand, { type: 'BlockMember' }>['data']['context'];
interface Asking {
  readonly origin: z.infer<typeof FriendshipOrigin>;
  readonly suggestionId?: string | undefined;
  readonly shareLinkId?: string | undefined;
  readonly note?: string | undefined;
}
export type FriendshipWish =
  | ({ readonly type: 'ask' } & Asking)
  | { readonly type: 'accept' | 'decline' | 'cancel' | 'remove' | 'unblock' }
  | { readonly type: 'block'; readonly context: BlockContext; readonly reportId?: string | undefined };

export class FriendshipRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly otherMemberId: string,
    readonly wish: FriendshipWish,
  ) {
    super();
  }
}

@CommandHandler(FriendshipRequest)
export class FriendshipHandler implements ICommandHandler<FriendshipRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly lookups: Lookups,
    @Inject(FRIEND_COUNTS) private readonly counts: FriendCounts,
  ) {}

  async execute({ caller, otherMemberId, wish }: FriendshipRequest): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    // A pair is two; the decider refuses oneself too, but oneself has no pair's stream.
    if (otherMemberId === member.memberId) throw new Rejection('not-yourself', 'that is you');
    const command = await this.commandOf(wish, member, otherMemberId, context, caller.now);
    const done = await this.store.transact({
      decider: friendshipDecider,
      id: pairId(member.memberId, otherMemberId),
      commands: [command],
      context,
      ...(caller.ifRevision === undefined ? {} : { ifRevision: caller.ifRevision }),
    });
    const { position, revision } = done;
    return { result: wish.type === 'ask' ? asked(done) : { revision }, position };
  }

  private async commandOf(
    wish: FriendshipWish,
    member: RegisteredMember,
    otherMemberId: string,
    { commandId }: IdentifiedContext,
    now: string,
  ): Promise<FriendshipCommand> {
    const act = { byMemberId: member.memberId, otherMemberId };
    switch (wish.type) {
      case 'ask': {
        const { origin, suggestionId, shareLinkId, note } = wish;
        const requestId = deriveId('friend-request', commandId);
        const parties = { fromMemberId: member.memberId, toMemberId: otherMemberId };
        const from = { ...standingOf(member), registeredAt: member.registeredAt };
        const to = standingOf(await this.lookups.member(otherMemberId));
        const [counts, pair] = await Promise.all([
          this.counts.of(member.memberId, otherMemberId, now),
          this.store.state(friendshipDecider, pairId(member.memberId, otherMemberId)),
        ]);
        // Only an acceptance needs it: they have asked already.
        const mutualFriends = pair.state.open && (await this.counts.mutual(member.memberId, otherMemberId));
        const request = { requestId, ...parties, origin, suggestionId, shareLinkId, note };
        return { type: 'SendFriendRequest', data: { ...request, from, to, counts, mutualFriends }, now };
      }
      case 'accept': {
        const [counts, mutualFriends] = await Promise.all([
          this.counts.of(member.memberId, otherMemberId, now),
          this.counts.mutual(member.memberId, otherMemberId),
        ]);
        return { type: 'AcceptFriendRequest', data: { ...act, counts, mutualFriends }, now };
      }
      case 'decline':
        return { type: 'DeclineFriendRequest', data: act, now };
      case 'cancel':
        return { type: 'CancelFriendRequest', data: act, now };
      case 'remove':
        return { type: 'RemoveFriend', data: act, now };
      case 'block': {
        const blockedRegistered = (await this.lookups.member(otherMemberId)) !== undefined;
        const parties = { blockerId: member.memberId, blockedId: otherMemberId };
        const { context, reportId } = wish;
        return { type: 'BlockMember', data: { ...parties, context, reportId, blockedRegistered }, now };
      }
      case 'unblock':
        return { type: 'UnblockMember', data: { blockerId: member.memberId, blockedId: otherMemberId }, now };
    }
  }
}

/** What the request led to; when it led to nothing new, how things stand. */
function asked({ events, state, revision }: Transacted<FriendshipEvent, FriendshipState>): object {
  const formed = events.find((event) => event.type === 'FriendRequestAccepted');
  if (formed) return { requestId: formed.data.requestId, state: 'friends', revision };
  const sent = events.find((event) => event.type === 'FriendRequestSent');
  if (sent) return { requestId: sent.data.requestId, state: 'requested', revision };
  return state.friendship
    ? { state: 'friends', revision }
    : { requestId: state.open?.requestId, state: 'requested', revision };
}
