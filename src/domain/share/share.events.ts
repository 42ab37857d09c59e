// One act of sharing, from the opened sheet to where it went. Stream `share-<shareId>`.
import { z } from 'zod';
import { minuteMs } from '../../kernel/clock.js';
import type { EventOf } from '../../kernel/message.js';
import {
  ChannelEvidence,
  ContentRef,
  Id,
  InAppDestination,
  OffPlatformDestination,
  ParentEvidence,
  ProductRef,
  Surface,
  shareDepthMax,
} from '../vocabulary.js';

/** So many products a share names. */
export const productRefsMax = 10;
/** Whom the sheet offered, best first. */
const SuggestedTarget = z.union([
  z.strictObject({ memberId: Id, rank: z.int().min(1).max(1_000) }),
  z.strictObject({ conversationId: Id, rank: z.int().min(1).max(1_000) }),
]);
const depth = z.int().min(0).max(shareDepthMax);
const act = {
  shareId: Id,
  sharerId: Id,
  contentRef: ContentRef,
  productRefs: z.array(ProductRef).max(productRefsMax),
  surface: Surface,
  sessionId: Id.optional(),
  viewId: Id.optional(),
  feedRequestId: Id.optional(),
  position: z.int().min(0).max(10_000).optional(),
  /** The moment it was seen in and shared on from. */
  sourceMomentId: Id.optional(),
  parentShareId: Id.optional(),
  /** `explicit`: the app named it. Else what the sharer opened last, in the same `session` or a `window` of 7 days. */
  parentEvidence: ParentEvidence,
  rootShareId: Id,
  /** 0 for a root; parent's depth + 1. */
  depth,
  /** The same by named parents alone. Absent when no parent on the way to the root is inferred: then it is no other. */
  explicit: z.strictObject({ rootShareId: Id, depth }).optional(),
};
const completed = {
  ...act,
  timeToShareMs: z.int().min(0),
  /** False when the system's share sheet did not say where it went. */
  completionKnown: z.boolean(),
  /** A callback after the share was taken for abandoned: the abandonment no longer counts. */
  lateCompletion: z.boolean(),
};

export const shareEvents = {
  ShareInitiated: z.strictObject({
    ...act,
    /** What the sheet showed: which suggestions are taken can be told of this, and of nothing later. */
    suggestedTargets: z.array(SuggestedTarget).max(50).optional(),
  }),
  ShareCompleted: z.discriminatedUnion('destinationClass', [
    z.strictObject({
      ...completed,
      destinationClass: z.literal('in_app'),
      destination: InAppDestination,
      channelEvidence: ChannelEvidence,
      recipients: z.strictObject({
        conversationIds: z.array(Id).max(50),
        memberIds: z.array(Id).max(100),
        /** People, not conversations. */
        count: z.int().min(0),
      }),
      messageIds: z.array(Id).max(50),
      momentId: Id.optional(),
    }),
    z.strictObject({
      ...completed,
      destinationClass: z.literal('off_platform'),
      destination: OffPlatformDestination,
      channelEvidence: ChannelEvidence,
      linkId: Id.optional(),
    }),
  ]),
  /** 30 min after ShareInitiated without a terminal fact, or cancelled by the sharer. */
  ShareAbandoned: z.strictObject({ ...act, stage: z.enum(['sheet', 'target']), by: z.enum(['timer', 'sharer']) }),
  /** A late hint told more of where it went; `from` is kept so that both columns can be shown. */
  ShareChannelReclassified: z.strictObject({
    shareId: Id,
    from: OffPlatformDestination,
    to: OffPlatformDestination,
    evidence: ChannelEvidence,
  }),
};
export type ShareEvent = EventOf<typeof shareEvents>;
/** Silence after ShareInitiated that counts as abandoned (1.12). */
export const shareAbandonedAfterMs = 30 * minuteMs;
