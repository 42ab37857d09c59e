// The link of one share and what came back through it. Stream `sharelink-<linkId>`; the public code is never stored:
// linkId is a keyed hash of it.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { ContentRef, Country, Id, Instant, OffPlatformDestination, ProductRef } from '../vocabulary.js';

export const Campaign = z.strictObject({
  source: z.string().max(100).optional(),
  medium: z.string().max(100).optional(),
  campaign: z.string().max(100).optional(),
  content: z.string().max(100).optional(),
  term: z.string().max(100).optional(),
});
export const ReferrerClass = z.enum(['none', 'messaging', 'social', 'search', 'email', 'own', 'other']);

const opened = { openId: Id, linkId: Id, shareId: Id, sharerId: Id, contentRef: ContentRef };

export const sharelinkEvents = {
  ShareLinkMinted: z.strictObject({
    linkId: Id,
    shareId: Id,
    sharerId: Id,
    contentRef: ContentRef,
    productRefs: z.array(ProductRef).max(10),
    destinationHint: OffPlatformDestination,
    campaign: Campaign.optional(),
    expiresAt: Instant.optional(),
    showSharer: z.boolean(),
    /** Of the device that minted it, so that its own opens are told apart. */
    minterVisitorKey: z.string().max(64).optional(),
  }),
  ShareLinkRevoked: z.strictObject({ linkId: Id, shareId: Id }),
  /** Every open, as it was; which of them count is ClickBackCounted. */
  ShareLinkOpened: z.strictObject({
    ...opened,
    /**
     * HMAC(salt of this link, ip, user agent): joins across links do not exist. The salt is destroyed; who comes later than
     * that has a key of the day of the visit.
     */
    visitorKey: z.string().max(64),
    openerMemberId: Id.optional(),
    openerStatus: z.enum(['member', 'non_member', 'unknown']),
    isSelfOpen: z.boolean(),
    isPreviewBot: z.boolean(),
    isPrefetch: z.boolean(),
    isRepeat: z.boolean(),
    firstForVisitor: z.boolean(),
    referrerClass: ReferrerClass,
    uaFamily: z.string().max(40),
    osFamily: z.string().max(40),
    inAppBrowser: z.string().max(40).optional(),
    country: Country.optional(),
    /** The app opens it, or was opened by it; false: the small page of those who have no app. */
    opensApp: z.boolean().optional(),
    /** Known when the opener is: friends now, and since before the link was minted. */
    wereFriendsAtShare: z.boolean().optional(),
  }),
  /** A human, not the sharer, not a repeat within 30 min (docs: S5). */
  ClickBackCounted: z.strictObject({
    ...opened,
    productRefs: z.array(ProductRef).max(10),
    destinationHint: OffPlatformDestination,
    visitorKey: z.string().max(64),
    openerMemberId: Id.optional(),
    openerStatus: z.enum(['member', 'non_member', 'unknown']),
    wereFriendsAtShare: z.boolean().optional(),
    mintedAt: Instant,
    /** In which it is the visitor's only one. Absent in events from before it was recorded: then it is 30 minutes too. */
    window: z.enum(['30m']).optional(),
  }),
};
export type SharelinkEvent = EventOf<typeof sharelinkEvents>;
