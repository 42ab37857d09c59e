// What an app says of a share, from the opened sheet to where it went.
import { z } from 'zod';
import { shareEvents } from '../../domain/share/share.events.js';
import { sharelinkEvents } from '../../domain/sharelink/sharelink.events.js';
import {
  ChannelEvidence,
  Id,
  InAppDestination,
  Instant,
  OffPlatformDestination,
  text,
} from '../../domain/vocabulary.js';

const initiated = shareEvents.ShareInitiated.shape;
export const NewShare = z
  .strictObject({
    shareId: Id.optional(),
    contentRef: initiated.contentRef,
    productRefs: initiated.productRefs.default([]),
    surface: initiated.surface,
    sessionId: initiated.sessionId,
    viewId: initiated.viewId,
    feedRequestId: initiated.feedRequestId,
    position: initiated.position,
    suggestedTargets: initiated.suggestedTargets,
    /** The share that this one hands on, if the app knows it; else what the sharer opened last of the same content is taken. */
    parentShareId: Id.optional(),
    /** The moment it was seen in: sharing on must be allowed there, and its author's audience is not widened. */
    sourceMomentId: Id.optional(),
  })
  .meta({ id: 'NewShare' });

const timeToShareMs = z.int().min(0).optional();
const inApp = {
  destinationClass: z.literal('in_app'),
  channelEvidence: ChannelEvidence.default('declared'),
  timeToShareMs,
};
/** One shape per kind of destination: which of them it is, `destination` says. */
export const Completion = z
  .union([
    z.strictObject({
      ...inApp,
      destination: z.enum(['dm', 'brand_conversation']),
      conversationIds: z.array(Id).min(1).max(50),
      body: text(1_000).optional(),
    }),
    z.strictObject({ ...inApp, destination: z.literal('feed_repost'), caption: text(1_000).optional() }),
    z.strictObject({ ...inApp, destination: InAppDestination.exclude(['dm', 'brand_conversation', 'feed_repost']) }),
    z.strictObject({
      destinationClass: z.literal('off_platform'),
      destination: OffPlatformDestination,
      channelEvidence: ChannelEvidence,
      linkId: Id.optional(),
      completionKnown: z.boolean().optional(),
      timeToShareMs,
    }),
  ])
  .meta({ id: 'ShareCompletion' });
export type Completion = z.infer<typeof Completion>;

export const Cancellation = z
  .strictObject({ stage: shareEvents.ShareAbandoned.shape.stage })
  .meta({ id: 'ShareCancellation' });

const minted = sharelinkEvents.ShareLinkMinted.shape;
export const NewLink = z
  .strictObject({
    destinationHint: minted.destinationHint.default('copy_link'),
    campaign: minted.campaign,
    expiresAt: Instant.optional(),
  })
  .meta({ id: 'NewShareLink' });

/** An app that opened a link itself, and so knows who did. */
export const LinkOpen = z
  .strictObject({
    code: z.string().regex(/^[0-9A-Za-z]{22}$/, 'the code of a link: 22 letters and digits'),
    userAgent: z.string().max(1_024).optional(),
    referrer: z.string().max(1_024).optional(),
    prefetch: z.boolean().default(false),
  })
  .meta({ id: 'LinkOpen' });
