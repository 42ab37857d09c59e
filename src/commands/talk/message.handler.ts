// Sending a message, by a member or for a brand, with its cards.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Sender } from '../../domain/thread/thread.commands.js';
import { rememberedMessage } from '../../domain/thread/thread.decider.js';
import { EventStore } from '../../event-log/transact.js';
import { type Caller, present } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';
import { MessageParts, type MessageWish } from './message-parts.js';

export class MessageRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly conversationId: string,
    readonly message: MessageWish,
    /** Set when the request comes from the brand's side. */
    readonly brandId?: string,
  ) {
    super();
  }
}

@CommandHandler(MessageRequest)
export class MessageHandler implements ICommandHandler<MessageRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly parts: MessageParts,
  ) {}

  async execute({ caller, conversationId, message, brandId }: MessageRequest): Promise<Written> {
    const { context, sender } = await this.senderOf(caller, brandId);
    const messageId = message.messageId ?? deriveId('message', context.commandId);
    const named = message.attachments.find((card) => card.kind === 'share_card')?.shareId;
    const made = message.attachments.length > 0 ? deriveId('share', conversationId, messageId) : undefined;
    const shareId = sender.kind === 'member' ? (named ?? made) : undefined;
    const attachments = await this.parts.filledCards(message.attachments, shareId, messageId);
    const { sessionId } = caller;
    const delivering = shareId === undefined ? undefined : { shareId, messageId, attachments, sessionId };
    const sharePart =
      delivering && sender.kind === 'member'
        ? await this.parts.sharePart(context, conversationId, sender.memberId, delivering, named !== undefined)
        : undefined;
    const { body, lang, mentions, replyTo } = message;
    const threadPart = await this.parts.threadPart(context, conversationId, sender, {
      messageId,
      body,
      lang,
      mentions,
      attachments,
      replyTo,
      shareId,
    });
    const acceptancePart = await this.parts.acceptancePart(context, conversationId, sender);
    const thread = await this.send(sharePart, acceptancePart, threadPart);
    const seq = thread.events[0]?.revision ?? rememberedMessage(thread.state, messageId)?.seq;
    return { result: present({ messageId, seq, shareId }), position: thread.position };
  }

  /** All or, on the embedded log, nothing; the message last, for what it carries and what lets it in are its causes. */
  private async send(
    sharePart: Awaited<ReturnType<MessageParts['sharePart']>> | undefined,
    acceptancePart: Awaited<ReturnType<MessageParts['acceptancePart']>>,
    threadPart: Awaited<ReturnType<MessageParts['threadPart']>>,
  ) {
    if (sharePart && acceptancePart) return (await this.store.transactMany([sharePart, acceptancePart, threadPart]))[2];
    if (sharePart) return (await this.store.transactMany([sharePart, threadPart]))[1];
    if (acceptancePart) return (await this.store.transactMany([acceptancePart, threadPart]))[1];
    return this.store.transact(threadPart);
  }

  private async senderOf(
    caller: Caller,
    brandId: string | undefined,
  ): Promise<{ context: IdentifiedContext; sender: Sender }> {
    if (brandId === undefined) {
      const { context, member } = await this.contexts.byMember(caller);
      return { context, sender: { kind: 'member', memberId: member.memberId } };
    }
    const { context, agent } = this.contexts.byAgent(caller);
    return { context, sender: { kind: 'brand_agent', brandId, ...agent } };
  }
}
