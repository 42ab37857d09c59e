// Starting conversations, and marks of how far they were read.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import type { ConversationCommand } from '../../domain/conversation/conversation.commands.js';
import { conversationDecider } from '../../domain/conversation/conversation.decider.js';
import type { ConversationOrigin } from '../../domain/conversation/conversation.events.js';
import type { RegisteredMember } from '../../domain/member/member.decider.js';
import { readmarkDecider } from '../../domain/readmark/readmark.decider.js';
import { type CommandContext, EventStore } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { brandConversationId, directConversationId } from '../../kernel/ids.js';
import { CommandContexts } from '../command-context.js';
import { Lookups, standingOf } from '../lookups.js';

interface Beginning {
  readonly origin: z.infer<typeof ConversationOrigin>;
  readonly originRef?: string | undefined;
}
export interface ReadMark {
  readonly conversationId: string;
  readonly seq: number;
  readonly visibility: 'public' | 'private';
}
export type ConversationWish =
  | ({ readonly type: 'start-direct'; readonly memberId: string } & Beginning)
  | ({ readonly type: 'start-brand'; readonly brandId: string } & Beginning)
  | { readonly type: 'accept' | 'decline'; readonly conversationId: string }
  | { readonly type: 'read'; readonly mark: ReadMark }
  | { readonly type: 'read-as-brand'; readonly brandId: string; readonly mark: ReadMark };

export class ConversationRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: ConversationWish,
  ) {
    super();
  }
}

@CommandHandler(ConversationRequest)
export class ConversationHandler implements ICommandHandler<ConversationRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly lookups: Lookups,
  ) {}

  async execute({ caller, wish }: ConversationRequest): Promise<Written> {
    if (wish.type === 'read-as-brand') return this.readAsBrand(caller, wish.brandId, wish.mark);
    const { context, member } = await this.contexts.byMember(caller);
    if (wish.type === 'read') return this.readAsMember(context, member, wish.mark);
    if (!('origin' in wish)) return this.answerRequest(context, member, wish);
    const command = await this.startOf(wish, member, caller.now);
    const { conversationId } = command.data;
    const part = { decider: conversationDecider, id: conversationId, commands: [command], context };
    const { events, position } = await this.store.transact(part);
    // 200: it was there already, and this is the same one.
    return { result: { conversationId }, position, status: events.length > 0 ? 201 : 200 };
  }

  private async startOf(
    wish: Extract<ConversationWish, Beginning>,
    member: RegisteredMember,
    now: string,
  ): Promise<ConversationCommand> {
    const { origin, originRef } = wish;
    const start = { startedBy: member.memberId, starterAgeBand: member.ageBand, origin, originRef };
    if (wish.type === 'start-brand') {
      const { brandId } = wish;
      const conversationId = brandConversationId(member.memberId, brandId);
      const brandRegistered = await this.lookups.isBrandRegistered(brandId);
      return { type: 'StartBrandConversation', data: { ...start, conversationId, brandId, brandRegistered }, now };
    }
    const otherMemberId = wish.memberId;
    const conversationId = directConversationId(member.memberId, otherMemberId);
    const [found, pair] = await Promise.all([
      this.lookups.member(otherMemberId),
      this.lookups.pair(member.memberId, otherMemberId),
    ]);
    const other = { ...standingOf(found), allowIncoming: found?.settings.allowIncoming ?? 'none' };
    const { areFriends, blockedEitherWay } = pair;
    return {
      type: 'StartDirectConversation',
      data: { ...start, conversationId, otherMemberId, other, areFriends, blockedEitherWay },
      now,
    };
  }

  private async answerRequest(
    context: CommandContext,
    { memberId }: RegisteredMember,
    { type, conversationId }: Extract<ConversationWish, { type: 'accept' | 'decline' }>,
  ): Promise<Written> {
    const now = context.occurredAt;
    const command: ConversationCommand =
      type === 'accept'
        ? { type: 'AcceptConversationRequest', data: { conversationId, memberId, by: 'acceptance' }, now }
        : { type: 'DeclineConversationRequest', data: { conversationId, memberId }, now };
    const part = { decider: conversationDecider, id: conversationId, commands: [command], context };
    const { position } = await this.store.transact(part);
    return { result: { conversationId }, position };
  }

  private async readAsMember(context: CommandContext, member: RegisteredMember, mark: ReadMark): Promise<Written> {
    const { memberId, settings } = member;
    const conversation = await this.lookups.conversation(mark.conversationId);
    const isParticipant = conversation?.memberIds.includes(memberId) ?? false;
    const reader = { readerId: memberId, side: 'member', isParticipant, readReceipts: settings.readReceipts } as const;
    return this.mark(context, mark, reader);
  }

  private async readAsBrand(caller: Caller, brandId: string, mark: ReadMark): Promise<Written> {
    const { context } = this.contexts.byAgent(caller);
    const conversation = await this.lookups.conversation(mark.conversationId);
    const isParticipant = conversation?.brandId === brandId;
    return this.mark(context, mark, { readerId: brandId, side: 'brand', isParticipant, readReceipts: true });
  }

  private async mark(
    context: CommandContext,
    mark: ReadMark,
    reader: { readerId: string; side: 'member' | 'brand'; isParticipant: boolean; readReceipts: boolean },
  ): Promise<Written> {
    const lastSeq = await this.lookups.lastSeq(mark.conversationId);
    const data = { ...mark, ...reader, lastSeq };
    const { position, state } = await this.store.transact({
      decider: readmarkDecider,
      id: `${mark.conversationId}_${reader.readerId}`,
      commands: [{ type: 'MarkRead', data, now: context.occurredAt }],
      context,
    });
    return { result: { conversationId: mark.conversationId, readUpTo: readUpTo(state) }, position };
  }
}

function readUpTo({ publicSeq, privateSeq }: { publicSeq: number; privateSeq: number }): number {
  return Math.max(publicSeq, privateSeq);
}
