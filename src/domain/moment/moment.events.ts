// A moment of life shown to friends. Stream `moment-<momentId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { personal } from '../../kernel/personal.js';
import { ContentRef, Id, ProductRef, text } from '../vocabulary.js';

export const momentEvents = {
  MomentPublished: z.strictObject({
    momentId: Id,
    authorId: Id,
    contentRef: ContentRef,
    caption: personal(text(1_000), 'authorId'),
    audience: z.enum(['friends', 'public']),
    productRefs: z.array(ProductRef).max(10),
    allowReshare: z.boolean(),
    /** The share that this moment is the in-app landing of (a `feed_repost`). */
    shareId: Id.optional(),
  }),
  /** One reaction per person: reacting again replaces it. */
  MomentReacted: z.strictObject({ momentId: Id, authorId: Id, memberId: Id, reaction: z.string().min(1).max(64) }),
  MomentReactionRemoved: z.strictObject({ momentId: Id, authorId: Id, memberId: Id }),
  MomentDeleted: z.strictObject({ momentId: Id, authorId: Id }),
};
export type MomentEvent = EventOf<typeof momentEvents>;
