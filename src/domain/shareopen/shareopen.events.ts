// What one member opened of what others shared of one content: the evidence by which the parent of a share is told when no
// app names it. Stream `shareopen-<memberId>_<contentId>`. Nothing is counted of it: the view, or the link's open, is.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { Id, TouchRef } from '../vocabulary.js';

export const shareopenEvents = {
  ShareOpened: z.strictObject({
    openerId: Id,
    contentId: Id,
    shareId: Id,
    /** A view of the content that came through the share, or an open of its link. */
    kind: TouchRef.shape.kind.extract(['in_app_share_open', 'share_link_open']),
    /** The event of the view, or the open of the link. */
    ref: Id,
    sessionId: Id.optional(),
  }),
};
export type ShareopenEvent = EventOf<typeof shareopenEvents>;
