// Messages in total order. State is what the next message may need: the last few messages (is this one a repeat, what
// does it reply to, which share does it talk back to) and when the customer last wrote (may the brand still answer).
import { hourMs, toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';
import { messagesBeforeAcceptanceMax } from '../conversation/conversation.events.js';
import { graphemes } from '../vocabulary.js';
import { bodyMeta, hasLink } from './body-meta.js';
import type { Sender, ThreadCommand } from './thread.commands.js';
import { botReplyWindowMs, humanReplyWindowMs, type ThreadEvent } from './thread.events.js';

export const bodyGraphemesMax = 1_000;
export const bodyBytesMax = 10_000;
export const attachmentsMax = 30;
/**
 * So many newest messages are remembered. Worst case beyond it: a repeat of an older message's id under a new command is
 * sent again, a reply to an older share card counts for no share, and a brand that wrote so many in a row has to wait.
 */
export const messagesRememberedMax = 256;

export interface RememberedMessage {
  readonly seq: number;
  readonly messageId: string;
  readonly senderId: string;
  readonly side?: 'customer' | 'brand' | undefined;
  readonly at: string;
  readonly shareId?: string | undefined;
  readonly recipientIds: readonly string[];
}

export interface ThreadState {
  /** Revision of the last message, -1 when there is none. */
  readonly lastSeq: number;
  /** The newest, oldest first, without gaps. */
  readonly recent: readonly RememberedMessage[];
}

/** Where a message stands, when it is one of the remembered. */
export function rememberedMessage(state: ThreadState, messageId: string): RememberedMessage | undefined {
  return state.recent.findLast((message) => message.messageId === messageId);
}

type SendMessage = Extract<ThreadCommand, { type: 'SendMessage' }>;
type MessageSent = DataOf<ThreadEvent, 'MessageSent'>;
type Participation = Pick<
  MessageSent,
  'conversationKind' | 'brandId' | 'side' | 'senderId' | 'senderKind' | 'recipientIds'
>;

const noConversation = (): Rejection => new Rejection('conversation-not-found', 'no such conversation');

/** Who writes to whom, if they may. To anybody outside, the conversation is not there. */
function participation({ conversation, sender }: SendMessage['data']): Participation {
  if (!conversation) throw noConversation();
  if (sender.kind === 'member') {
    const { memberId } = sender;
    if (!conversation.memberIds.includes(memberId)) throw noConversation();
    const by = { senderId: memberId, senderKind: 'human' } as const;
    if (conversation.kind === 'brand') {
      return { ...by, conversationKind: 'brand', brandId: conversation.brandId, side: 'customer', recipientIds: [] };
    }
    const recipientIds = conversation.memberIds.filter((id) => id !== memberId);
    return { ...by, conversationKind: 'direct', recipientIds };
  }
  if (conversation.kind !== 'brand' || conversation.brandId !== sender.brandId) throw noConversation();
  return {
    conversationKind: 'brand',
    brandId: sender.brandId,
    side: 'brand',
    senderId: sender.agentId,
    senderKind: sender.bot ? 'bot' : 'human',
    recipientIds: [...conversation.memberIds],
  };
}

function withinLimits({ body, attachments, shareId }: SendMessage['data']): void {
  if (body === undefined && attachments.length === 0)
    throw new Rejection('empty-message', 'a text or a card is needed');
  if (body !== undefined) {
    if (body.trim() === '') throw new Rejection('empty-message', 'the text is empty');
    const bytes = Buffer.byteLength(body);
    if (bytes > bodyBytesMax)
      throw new Rejection('body-too-long', 'too many bytes', { limit: bodyBytesMax, current: bytes });
    const length = graphemes(body);
    if (length > bodyGraphemesMax) {
      throw new Rejection('body-too-long', 'too many characters', { limit: bodyGraphemesMax, current: length });
    }
  }
  if (attachments.length > attachmentsMax) {
    const extra = { limit: attachmentsMax, current: attachments.length };
    throw new Rejection('too-many-attachments', 'too many cards', extra);
  }
  const shareCards = attachments.filter((attachment) => attachment.kind === 'share_card');
  if (shareCards.length > 1) throw new Rejection('too-many-attachments', 'one share card per message', { limit: 1 });
  if (shareCards.some((card) => card.shareId !== shareId)) {
    throw new Rejection('share-mismatch', 'the message delivers another share than its card');
  }
}

/** C2: until the other has accepted, a stranger writes little, and plain text alone. A no looks like nobody there. */
function withinRequest({ conversation, sender, areFriends, ...data }: SendMessage['data'], state: ThreadState): void {
  const request = conversation?.request;
  if (!request || areFriends || (sender.kind === 'member' && sender.memberId === request.to)) return;
  if (request.declined) throw new Rejection('member-not-available', 'no such member');
  if (data.attachments.length > 0 || hasLink(data.body)) {
    throw new Rejection('text-only-before-acceptance', 'no links and no cards before the other has accepted');
  }
  // Whoever was asked accepts by answering, so all that is there is the stranger's.
  const current = state.lastSeq + 1;
  if (current >= messagesBeforeAcceptanceMax) {
    const limit = messagesBeforeAcceptanceMax;
    throw new Rejection('acceptance-awaited', 'no more messages before the other has accepted', { limit, current });
  }
}

function withinReplyWindow(sender: Sender, state: ThreadState, now: string): void {
  if (sender.kind !== 'brand_agent') return;
  const asked = state.recent.findLast((message) => message.side === 'customer');
  const windowMs = sender.bot ? botReplyWindowMs : humanReplyWindowMs;
  if (!asked || toMs(now) - toMs(asked.at) > windowMs) {
    throw new Rejection('reply-window-closed', 'a brand answers within a window after the customer wrote', {
      windowHours: windowMs / hourMs,
    });
  }
}

/**
 * Metric 19. A recipient of a share talks back to it by replying to the message that carried it, or, replying to nothing,
 * with the message directly after it. One message answers one share.
 */
function answeredShare({ replyTo }: SendMessage['data'], senderId: string, state: ThreadState): string | undefined {
  const asked = replyTo ? state.recent.find((message) => message.seq === replyTo.seq) : state.recent.at(-1);
  return asked?.recipientIds.includes(senderId) ? asked.shareId : undefined;
}

function replyTarget({ replyTo }: SendMessage['data'], state: ThreadState): MessageSent['replyTo'] {
  if (!replyTo) return undefined;
  const known = state.recent.find((message) => message.seq === replyTo.seq);
  if (replyTo.seq > state.lastSeq || (known && known.messageId !== replyTo.messageId)) {
    throw new Rejection('unknown-reply-target', 'the message replied to is not in this conversation');
  }
  return replyTo;
}

function mentioned({ mentions, conversation }: SendMessage['data']): string[] | undefined {
  if (!mentions?.every((memberId) => conversation?.memberIds.includes(memberId))) {
    if (mentions) throw new Rejection('unknown-mention', 'only who takes part in the conversation is mentioned');
    return undefined;
  }
  return [...new Set(mentions)];
}

export const threadDecider: Decider<ThreadCommand, ThreadEvent, ThreadState> = {
  category: 'thread',
  initialState: { lastSeq: -1, recent: [] },
  tail: messagesRememberedMax,
  decide: {
    /**
     * The block is read from the pair and not locked. Worst case: a message that crosses a block is in the log; every read
     * at or after the block's position hides it.
     */
    SendMessage: ({ data, now }, state) => {
      const who = participation(data);
      const sent = rememberedMessage(state, data.messageId);
      if (sent) {
        if (sent.senderId !== who.senderId) throw new Rejection('message-exists', 'this id is taken');
        return [];
      }
      if (data.blockedEitherWay) throw new Rejection('member-not-available', 'no such member');
      withinLimits(data);
      withinRequest(data, state);
      withinReplyWindow(data.sender, state, now);
      const { messageId, conversationId, body, attachments, shareId } = data;
      return [
        {
          type: 'MessageSent',
          data: {
            messageId,
            conversationId,
            ...who,
            body,
            bodyMeta: bodyMeta(data),
            attachments: [...attachments],
            mentions: mentioned(data),
            replyTo: replyTarget(data, state),
            shareId,
            answersShareId: answeredShare(data, who.senderId, state),
          },
        },
      ];
    },
  },
  evolve: {
    MessageSent: (state, { data }, { revision, occurredAt }) => {
      const { messageId, senderId, side, shareId, recipientIds } = data;
      const message = { seq: revision, messageId, senderId, side, at: occurredAt, shareId, recipientIds };
      return { lastSeq: revision, recent: [...state.recent, message].slice(-messagesRememberedMax) };
    },
  },
};
