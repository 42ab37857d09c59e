// How far one reader has read one conversation: a mark that only moves forward. Stream `readmark-<conversationId>_<readerId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { Id } from '../vocabulary.js';

export const readmarkEvents = {
  ConversationReadUpTo: z.strictObject({
    conversationId: Id,
    /** A member's id, or the brand's id for the brand's side. */
    readerId: Id,
    side: z.enum(['member', 'brand']),
    /** Everything up to and including this `seq` has been displayed. */
    seq: z.int().min(0),
    visibility: z.enum(['public', 'private']),
  }),
};
export type ReadmarkEvent = EventOf<typeof readmarkEvents>;
