// A moment of life shown to friends. Stream `moment-<momentId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { personal } from '../../kernel/personal.js';
import { ContentRef, Id, Instant, ProductRef, text } from '../vocabulary.js';

export const momentEvents = {
  MomentPublished: z.strictObject({
    momentId: Id,
    authorId: Id,
    contentRef: ContentRef,
    caption: personal(text(1_000), 'authorId'),
    audience: z.enum(['friends', 'public']),
    productRefs: z.array(ProductRef).max(10),
    allowReshare: z.boolean(),
    allowComments: z.boolean().optional(),
    mentions: z.array(Id).max(20).optional(),
    /** Friends who do not see it, and are not told so. */
    exceptMemberIds: z.array(Id).max(100).optional(),
    /** From then on only its author sees it (M5). */
    expiresAt: Instant.optional(),
    /** The share that this moment is the in-app landing of (a `feed_repost`). */
    shareId: Id.optional(),
  }),
  /** One reaction per person: reacting again replaces it. */
  MomentReacted: z.strictObject({ momentId: Id, authorId: Id, memberId: Id, reaction: z.string().min(1).max(64) }),
  MomentReactionRemoved: z.strictObject({ momentId: Id, authorId: Id, memberId: Id }),
  MomentDeleted: z.strictObject({ momentId: Id, authorId: Id }),
};
export type MomentEvent = EventOf<typeof momentEvents>;
