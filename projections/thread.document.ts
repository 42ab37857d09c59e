// The newest messages of each conversation, who takes part and how far the others have read. Older messages are read
// from the log by `seq`, which is the thread stream's revision. Owner: the conversation.
import type { z } from 'zod';
import type { conversationEvents } from '../src/domain/conversation/conversation.events.js';
import type { readmarkEvents } from '../src/domain/readmark/readmark.events.js';
import type { threadEvents } from '../src/domain/thread/thread.events.js';
import type { AnyEvent, DocumentProjection } from '../src/kernel/projection.js';

type Started = z.infer<(typeof conversationEvents)['ConversationStarted']>;
type Sent = z.infer<(typeof threadEvents)['MessageSent']>;
type Read = z.infer<(typeof readmarkEvents)['ConversationReadUpTo']>;

/** Messages of one conversation kept in Redis. */
export const threadMessagesMax = 100;

export interface ConversationDocument {
  readonly conversationId: string;
  readonly kind: 'direct' | 'brand';
  readonly memberIds: readonly string[];
  readonly brandId?: string | undefined;
  readonly startedAt: string;
}

export interface MessageDocument extends Omit<Sent, 'body' | 'bodyMeta' | 'recipientIds' | 'conversationKind'> {
  readonly seq: number;
  readonly sentAt: string;
  /** Absent when there is no text, or the sender's key is gone. */
  readonly body?: string | undefined;
}

/** A reader's public mark. */
export interface ReadMark {
  readonly seq: number;
  readonly at: string;
}

export const threadKeys = {
  conversation: (conversationId: string) => `conversation:${conversationId}`,
  /** A hash: seq → MessageDocument; the newest `threadMessagesMax`. */
  messages: (conversationId: string) => `messages:${conversationId}`,
  /** Of the newest message: `{ seq }`. */
  last: (conversationId: string) => `last:${conversationId}`,
  /** A hash: reader (member or brand) → ReadMark. */
  marks: (conversationId: string) => `marks:${conversationId}`,
};

/** The one way from the event to what is shown of it, whether it comes through Redis or from the log. */
export function messageDocument(event: AnyEvent): MessageDocument {
  const { bodyMeta: _meta, recipientIds: _recipients, conversationKind: _kind, ...shown } = event.data as Sent;
  return { ...shown, seq: event.revision, sentAt: event.metadata.occurredAt };
}

export const thread: DocumentProjection = {
  name: 'thread',
  version: 1,
  routingKeys: (event) => [`conversation-${(event.data as Started).conversationId}`],
  on: {
    ConversationStarted: {
      apply(event, view) {
        const { conversationId, kind, memberIds, brandId } = event.data as Started;
        if (!view.owns(conversationId)) return;
        const startedAt = event.metadata.occurredAt;
        const document: ConversationDocument = { conversationId, kind, memberIds, brandId, startedAt };
        view.put(threadKeys.conversation(conversationId), document);
      },
    },
    MessageSent: {
      apply(event, view) {
        const { conversationId } = event.data as Sent;
        if (!view.owns(conversationId)) return;
        const seq = event.revision;
        view.setField(threadKeys.messages(conversationId), String(seq), messageDocument(event));
        if (seq >= threadMessagesMax) {
          view.deleteField(threadKeys.messages(conversationId), String(seq - threadMessagesMax));
        }
        view.put(threadKeys.last(conversationId), { seq });
      },
    },
    ConversationReadUpTo: {
      reads: (event) => {
        const { conversationId, readerId } = event.data as Read;
        return [{ hash: threadKeys.marks(conversationId), field: readerId }];
      },
      apply(event, view) {
        const { conversationId, readerId, seq, visibility } = event.data as Read;
        if (!view.owns(conversationId) || visibility === 'private') return;
        const marks = threadKeys.marks(conversationId);
        if ((view.field<ReadMark>(marks, readerId)?.seq ?? -1) >= seq) return;
        view.setField(marks, readerId, { seq, at: event.metadata.occurredAt } satisfies ReadMark);
      },
    },
  },
};
