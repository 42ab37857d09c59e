// The messages of one conversation in total order: `seq` is the revision. Stream `thread-<conversationId>`.
import { z } from 'zod';
import { dayMs, hourMs } from '../../kernel/clock.js';
import type { EventOf } from '../../kernel/message.js';
import { personal } from '../../kernel/personal.js';
import { ConversationKind } from '../conversation/conversation.events.js';
import { ContentRef, Id, Money, ProductRef, text } from '../vocabulary.js';

export const Attachment = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('share_card'), shareId: Id, contentRef: ContentRef }),
  z.strictObject({
    kind: z.literal('product_card'),
    cardId: Id,
    productRef: ProductRef,
    /** As it was when the card was sent; the product page is live. */
    priceSnapshot: Money,
    availabilitySnapshot: z.boolean(),
    /** Names this card as a touch in the purchase path. */
    touchId: Id,
  }),
]);
export type Attachment = z.infer<typeof Attachment>;

const attachmentKinds = Attachment.options.map(({ shape }) => shape.kind.value);
/** What analysis may know of a message: its shape, never its words. */
export const BodyMeta = z.strictObject({
  graphemes: z.int().min(0),
  words: z.int().min(0),
  hasLink: z.boolean(),
  /** Each kind of attachment once. Absent in events from before it was recorded. */
  mediaKinds: z.array(z.enum(attachmentKinds)).max(attachmentKinds.length).optional(),
  /** As the app says it (BCP 47). */
  lang: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,35}$/, 'a language tag (BCP 47)')
    .optional(),
});

/** How long a brand may answer after the customer's last message (C13). */
export const botReplyWindowMs = 24 * hourMs;
export const humanReplyWindowMs = 7 * dayMs;

export const threadEvents = {
  MessageSent: z.strictObject({
    messageId: Id,
    conversationId: Id,
    conversationKind: ConversationKind,
    brandId: Id.optional(),
    side: z.enum(['customer', 'brand']).optional(),
    /** A member's id, or for the brand's side the agent's. */
    senderId: Id,
    senderKind: z.enum(['human', 'bot']),
    /** The people it was delivered to: without the sender, without either-way blocked; [] for a customer's message to a brand. */
    recipientIds: z.array(Id).max(2),
    body: personal(text(1_000), 'senderId'),
    bodyMeta: BodyMeta,
    attachments: z.array(Attachment).max(30),
    /** Those who take part and are named in the text. */
    mentions: z.array(Id).max(20).optional(),
    replyTo: z.strictObject({ messageId: Id, seq: z.int().min(0) }).optional(),
    /** Set by the server: the share this message delivers. */
    shareId: Id.optional(),
    /** Set by the server: the share this message talks back to (it replies to its card, or is the next message after it, by a recipient). */
    answersShareId: Id.optional(),
  }),
};
export type ThreadEvent = EventOf<typeof threadEvents>;
