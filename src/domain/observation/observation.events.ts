// Facts nobody may refuse: they come in batches, may be late, and are told apart by (source, id). Streams
// `observations-<nn>` by hash. `anonId` stands for a device without a member; one of the two is always there.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { ConversationKind } from '../conversation/conversation.events.js';
import { ContentRef, Country, Id, Money, ProductRef, SourceSystem, Surface, TouchRef } from '../vocabulary.js';

const person = { memberId: Id.optional(), anonId: Id.optional() };
const card = {
  cardId: Id,
  messageId: Id,
  conversationId: Id,
  conversationKind: ConversationKind,
  senderId: Id,
  productRef: ProductRef,
  viewerId: Id,
  sessionId: Id.optional(),
};
const shortText = /^[A-Za-z0-9 ._+-]{1,40}$/;
const durationMsMax = 24 * 3_600_000;

export const observationEvents = {
  SessionStarted: z.strictObject({
    sessionId: Id,
    ...person,
    entry: z.enum(['organic', 'push', 'share_link', 'notification']),
    linkId: Id.optional(),
    openId: Id.optional(),
    /** Of this session, where a batch carries sessions of several devices; else the batch's headers tell. */
    platform: z.string().regex(shortText).optional(),
    appVersion: z.string().regex(shortText).optional(),
    country: Country.optional(),
  }),
  SessionEnded: z.strictObject({ sessionId: Id, ...person, engagedMs: z.int().min(0).max(durationMsMax) }),
  /** Displayed for at least one second. */
  ContentViewed: z.strictObject({
    viewId: Id,
    ...person,
    contentRef: ContentRef,
    surface: Surface,
    dwellMs: z.int().min(0).max(durationMsMax),
    feedRequestId: Id.optional(),
    position: z.int().min(0).max(10_000).optional(),
    viaShareId: Id.optional(),
    sessionId: Id.optional(),
  }),
  MomentSeen: z.strictObject({
    momentId: Id,
    authorId: Id,
    viewerId: Id,
    dwellMs: z.int().min(0).max(durationMsMax),
    feedRequestId: Id.optional(),
    position: z.int().min(0).max(10_000).optional(),
  }),
  ProductCardDisplayed: z.strictObject({ ...card, dwellMs: z.int().min(0).max(durationMsMax).optional() }),
  ProductCardTapped: z.strictObject(card),
  ProductViewed: z.strictObject({
    ...person,
    productRef: ProductRef,
    contentRef: ContentRef.optional(),
    surface: Surface.optional(),
    sessionId: Id.optional(),
    sourceSystem: SourceSystem,
    /** The other system's own id of this view: however often and by whomever it is reported, it is one view (P2). */
    externalEventId: z.string().min(1).max(128).optional(),
    /** As the page showed it. */
    quantity: z.int().min(1).max(1_000).optional(),
    unitPrice: Money.optional(),
    ledBy: TouchRef.optional(),
  }),
};
export type ObservationEvent = EventOf<typeof observationEvents>;
/** How many streams the observations are spread over. */
export const observationStreams = 16;
