// Who talks with whom. Stream `conversation-<conversationId>`; the messages are in `thread-<conversationId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { Id } from '../vocabulary.js';

export const ConversationKind = z.enum(['direct', 'brand']);
export const ConversationOrigin = z.enum([
  'share',
  'profile',
  'product_page',
  'ad',
  'click_back',
  'live',
  'moment_reply',
]);

export const conversationEvents = {
  /** A direct conversation's id derives from the pair, a brand conversation's from (member, brand). */
  ConversationStarted: z.strictObject({
    conversationId: Id,
    kind: ConversationKind,
    startedBy: Id,
    /** direct: the two, in order of id; brand: the customer alone. */
    memberIds: z.array(Id).min(1).max(2),
    brandId: Id.optional(),
    origin: ConversationOrigin,
  }),
};
export type ConversationEvent = EventOf<typeof conversationEvents>;
