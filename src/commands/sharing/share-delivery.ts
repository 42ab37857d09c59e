// Where a share went. Inside the app something carries it: a message in each conversation, or a moment. Those come
// first and the share's completion last, so that a write that broke off half-way is carried on by sending it again.
import { Inject, Injectable } from '@nestjs/common';
import { momentDecider } from '../../domain/moment/moment.decider.js';
import type { ShareCommand, SourceMoment } from '../../domain/share/share.commands.js';
import { type InitiatedShare, type ShareState, shareDecider } from '../../domain/share/share.decider.js';
import { EventStore } from '../../event-log/transact.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { Rejection } from '../../kernel/rejection.js';
import { COMMAND_SECRETS, type CommandSecrets, type IdentifiedContext } from '../command-context.js';
import { Lookups } from '../lookups.js';
import { MessageParts } from '../talk/message-parts.js';
import { linkCodeOf, linkIdOf } from './link-names.js';
import type { Completion } from './share.bodies.js';

type OffPlatform = Extract<Completion, { destinationClass: 'off_platform' }>;
type ByMessage = Extract<Completion, { conversationIds: string[] }>;
type ByRepost = Extract<Completion, { destination: 'feed_repost' }>;
type CompleteInApp = Extract<ShareCommand, { type: 'CompleteShareInApp' }>;

interface Completing {
  readonly shareId: string;
  readonly sharerId: string;
  readonly share: InitiatedShare;
  /** The moment it hands on, as it is now. */
  readonly moment: SourceMoment | undefined;
  readonly context: IdentifiedContext;
}

/** What has been said of a completed share before is what is answered again. */
function answerOf(state: ShareState): object {
  if (state?.terminal?.kind !== 'in_app') return {};
  const { recipients, messageIds, momentId } = state.terminal;
  return momentId === undefined ? { messageIds, recipients } : { momentId };
}

function newestOf(done: readonly { readonly position: bigint }[]): bigint {
  let newest = 0n;
  for (const { position } of done) if (position > newest) newest = position;
  return newest;
}

@Injectable()
export class ShareDelivery {
  constructor(
    private readonly store: EventStore,
    private readonly lookups: Lookups,
    private readonly parts: MessageParts,
    @Inject(COMMAND_SECRETS) private readonly secrets: CommandSecrets,
  ) {}

  /** @throws Rejection share-not-found, share-already-completed, destination-unavailable, and what sending a message may refuse */
  async complete(
    shareId: string,
    sharerId: string,
    completion: Completion,
    context: IdentifiedContext,
  ): Promise<Written> {
    const { state: share } = await this.store.state(shareDecider, shareId);
    if (share?.act.sharerId !== sharerId) throw new Rejection('share-not-found', 'no such share');
    const moment = await this.lookups.sourceMoment(share.act.sourceMomentId, sharerId);
    const completing = { shareId, sharerId, share, moment, context };
    if (completion.destinationClass === 'off_platform') return this.offPlatform(completing, completion);
    if ('conversationIds' in completion) return this.byMessage(completing, completion);
    if (completion.destination === 'feed_repost') return this.byRepost(completing, completion);
    if (completion.destination === 'group') {
      throw new Rejection('destination-unavailable', 'there are no group conversations yet that could carry a share');
    }
    return this.finish(completing, this.command(completing, completion));
  }

  private async offPlatform(completing: Completing, completion: OffPlatform): Promise<Written> {
    const { shareId, sharerId, context } = completing;
    if (
      completion.linkId !== undefined &&
      completion.linkId !== linkIdOf(linkCodeOf(shareId, this.secrets), this.secrets)
    ) {
      throw new Rejection('share-mismatch', 'the link is another share’s');
    }
    const { destination, channelEvidence, linkId, completionKnown, timeToShareMs } = completion;
    const data = { shareId, sharerId, destination, channelEvidence, linkId, completionKnown, timeToShareMs };
    return this.finish(completing, { type: 'CompleteShareOffPlatform', data, now: context.occurredAt });
  }

  private async byMessage(completing: Completing, completion: ByMessage): Promise<Written> {
    const { shareId, sharerId, share, context } = completing;
    const conversationIds = [...new Set(completion.conversationIds)];
    const memberIds = await this.recipientsOf(conversationIds, sharerId, completion.destination);
    const messages = conversationIds.map((conversationId) => ({
      conversationId,
      messageId: deriveId('share-message', shareId, conversationId),
    }));
    const messageIds = messages.map(({ messageId }) => messageId);
    const command = this.command(completing, completion, { conversationIds, memberIds, messageIds });
    // Whoever completed it before sent the messages; the decider says whether this is the same completion.
    if (share.terminal && share.terminal.kind !== 'abandoned') return this.finish(completing, command);
    const { contentRef } = share.act;
    const sender = { kind: 'member', memberId: sharerId } as const;
    const body = completion.body === undefined ? {} : { body: completion.body };
    const attachments = [{ kind: 'share_card', shareId, contentRef }] as const;
    const threads = await Promise.all(
      messages.map(({ conversationId, messageId }) =>
        this.parts.threadPart(context, conversationId, sender, { messageId, ...body, attachments, shareId }),
      ),
    );
    const acceptances = await Promise.all(
      conversationIds.map((conversationId) => this.parts.acceptancePart(context, conversationId, sender)),
    );
    const sharePart = { decider: shareDecider, id: shareId, commands: [command], context };
    type ThreadPart = (typeof threads)[number];
    const parts = [...acceptances.filter((part) => part !== undefined), ...threads, sharePart] as unknown as [
      ThreadPart,
      ...(ThreadPart | typeof sharePart)[],
    ];
    const done = await this.store.transactMany(parts);
    const { state } = await this.store.state(shareDecider, shareId);
    return { result: { shareId, ...answerOf(state) }, position: newestOf(done) };
  }

  private async byRepost(completing: Completing, completion: ByRepost): Promise<Written> {
    const { shareId, sharerId, share, context } = completing;
    const momentId = deriveId('repost', shareId);
    const command = this.command(completing, completion, { momentId });
    if (share.terminal && share.terminal.kind !== 'abandoned') return this.finish(completing, command);
    const { contentRef, productRefs } = share.act;
    const moment = {
      momentId,
      authorId: sharerId,
      contentRef: { ...contentRef, kind: 'repost' as const },
      caption: completion.caption,
      audience: 'friends' as const,
      productRefs,
      allowReshare: true,
      shareId,
    };
    const publish = { type: 'PublishMoment', data: moment, now: context.occurredAt } as const;
    const momentPart = { decider: momentDecider, id: momentId, commands: [publish], context };
    const sharePart = { decider: shareDecider, id: shareId, commands: [command], context };
    const [, done] = await this.store.transactMany([momentPart, sharePart]);
    return { result: { shareId, ...answerOf(done.state) }, position: done.position };
  }

  private command(
    { shareId, sharerId, moment, context }: Completing,
    { destination, channelEvidence, timeToShareMs }: Exclude<Completion, OffPlatform>,
    delivered: Partial<Pick<CompleteInApp['data'], 'conversationIds' | 'memberIds' | 'messageIds' | 'momentId'>> = {},
  ): ShareCommand {
    const nobody = { conversationIds: [], memberIds: [], messageIds: [] };
    const data = { shareId, sharerId, destination, channelEvidence, timeToShareMs, moment, ...nobody, ...delivered };
    return { type: 'CompleteShareInApp', data, now: context.occurredAt };
  }

  private async finish({ shareId, context }: Completing, command: ShareCommand): Promise<Written> {
    const part = { decider: shareDecider, id: shareId, commands: [command], context };
    const { state, position } = await this.store.transact(part);
    return { result: { shareId, ...answerOf(state) }, position };
  }

  /** The other people in these conversations. @throws Rejection when one is not of the kind that the destination says */
  private async recipientsOf(
    conversationIds: readonly string[],
    sharerId: string,
    destination: ByMessage['destination'],
  ): Promise<string[]> {
    const found = await Promise.all(conversationIds.map((id) => this.lookups.conversation(id)));
    const wanted = destination === 'dm' ? 'direct' : 'brand';
    const members = found.flatMap((conversation) => {
      if (!conversation?.memberIds.includes(sharerId)) {
        throw new Rejection('conversation-not-found', 'no such conversation');
      }
      if (conversation.kind !== wanted) {
        throw new Rejection('share-mismatch', `a share to ${destination} goes to ${wanted} conversations`);
      }
      return conversation.memberIds.filter((memberId) => memberId !== sharerId);
    });
    return [...new Set(members)];
  }
}
