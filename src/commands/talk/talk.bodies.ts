// Bodies that both sides of a conversation send.
import { z } from 'zod';
import { readmarkEvents } from '../../domain/readmark/readmark.events.js';
import { threadEvents } from '../../domain/thread/thread.events.js';
import { ContentRef, Id, ProductRef } from '../../domain/vocabulary.js';

/** Price and availability are the server's: a client cannot say what something cost. */
const Card = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('product_card'),
    productRef: ProductRef,
    cardId: Id.optional(),
    touchId: Id.optional(),
  }),
  z.strictObject({ kind: z.literal('share_card'), shareId: Id.optional(), contentRef: ContentRef }),
]);

const { body, mentions, bodyMeta, replyTo } = threadEvents.MessageSent.shape;
export const NewMessage = z
  .strictObject({
    messageId: Id.optional(),
    body,
    lang: bodyMeta.shape.lang,
    mentions,
    attachments: z.array(Card).max(30).default([]),
    replyTo,
  })
  .meta({ id: 'NewMessage' });

const { seq, visibility } = readmarkEvents.ConversationReadUpTo.shape;
/** Everything up to and including `seq` has been displayed. */
export const NewReadMark = z
  .strictObject({ seq, visibility: visibility.default('public') })
  .meta({ id: 'NewReadMark' });

export const sentAnswer = { messageId: Id, seq: z.int(), shareId: Id.optional() };
export const readMarkAnswer = { conversationId: Id, readUpTo: z.int() };
