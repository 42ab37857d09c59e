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

/** What a stranger may write before the other has accepted (C2). */
export const messagesBeforeAcceptanceMax = 3;

const request = {
  conversationId: Id,
  /** Who accepts or declines, and who asked. */
  memberId: Id,
  requestedBy: Id,
  latencySec: z.int().min(0),
};

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
    /** What led here, as the origin says: a share, a moment, a product … */
    originRef: Id.optional(),
    /** direct: a stranger began it, and it waits among this member's requests until they accept. */
    requestTo: Id.optional(),
  }),
  ConversationRequestAccepted: z.strictObject({ ...request, by: z.enum(['acceptance', 'answer', 'friendship']) }),
  /** Never told to who asked. */
  ConversationRequestDeclined: z.strictObject(request),
};
export type ConversationEvent = EventOf<typeof conversationEvents>;
