// Words that several categories share: references, the destination taxonomy, touches. Terms: Activity Streams 2.0,
// schema.org, GA4/Segment commerce.
import { z } from 'zod';

/** An opaque id. No underscore: it separates the two members in a pair's stream name. */
export const Id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/, 'an id: 1 to 64 letters, digits, ".", "~" or "-"');
/** An instant in UTC, ISO 8601 with a `Z`. */
export const Instant = z.iso.datetime({ precision: 3 }).or(z.iso.datetime());
export const Country = z.string().regex(/^[A-Z]{2}$/, 'a country: two capital letters (ISO 3166-1)');
export const Currency = z.string().regex(/^[A-Z]{3}$/, 'a currency: three capital letters (ISO 4217)');
/** Integer minor units, at most 10^13. */
export const AmountMinor = z.int().min(0).max(1e13);
export const Money = z.strictObject({ amountMinor: AmountMinor, currency: Currency });

export const AgeBand = z.enum(['13_15', '16_17', '18_plus', 'unknown']);
export const Surface = z.enum([
  'feed',
  'profile',
  'moment',
  'conversation',
  'live',
  'product_page',
  'search',
  'share_landing',
  'notification',
]);

/** Where a step of the purchase path was reported from. */
export const SourceSystem = z.enum(['native', 'shopify', 'woocommerce', 'ga4', 'meta', 'custom']);

/**
 * Carries what analysis needs, as it was at that moment: no join to learn the creator or the category. A product is named
 * by its own id, its brand as the creator, and its category.
 */
export const ContentRef = z.strictObject({
  kind: z.enum(['video', 'photo', 'text', 'clip_ref', 'repost', 'product']),
  contentId: Id,
  creatorId: Id,
  category: z.string().max(64).optional(),
});
export const ProductRef = z.strictObject({
  productId: Id,
  variantId: Id.optional(),
  brandId: Id,
  category: z.string().max(64).optional(),
});

/** Version 1 of the destination taxonomy: class → destinations. */
export const destinations = {
  in_app: [
    'dm',
    'group',
    'brand_conversation',
    'feed_repost',
    'story_moment',
    'close_friends',
    'live_chat',
    'profile_pin',
  ],
  off_platform: [
    'sms_imessage',
    'whatsapp',
    'messenger',
    'instagram_dm',
    'telegram',
    'snapchat',
    'wechat',
    'line',
    'kakaotalk',
    'viber',
    'signal',
    'discord',
    'slack',
    'teams',
    'facebook',
    'instagram_story',
    'x',
    'threads',
    'bluesky',
    'mastodon',
    'pinterest',
    'reddit',
    'linkedin',
    'youtube',
    'tumblr',
    'vk',
    'copy_link',
    'system_share_sheet',
    'email',
    'qr_code',
    'embed',
    'save_media',
    'nearby',
    'screenshot',
    'other',
  ],
} as const;
export const InAppDestination = z.enum(destinations.in_app);
export const OffPlatformDestination = z.enum(destinations.off_platform);
export const ChannelEvidence = z.enum(['declared', 'os_callback', 'inferred', 'unknown']);
export const ParentEvidence = z.enum(['explicit', 'session', 'window', 'none']);
/** Deepest chain that is recorded; a deeper reshare keeps this depth. */
export const shareDepthMax = 64;

/** What the client says led to a step of the purchase path. The server keeps the claim; the metrics judge it. */
export const TouchRef = z.strictObject({
  touchId: Id.optional(),
  kind: z.enum([
    'dm_message',
    'group_message',
    'brand_conversation',
    'share_link_open',
    'in_app_share_open',
    'live_chat',
    'live_pin',
    'moment_view',
    'suggestion',
    'ad_click',
    'direct',
  ]),
  ref: Id.optional(),
  interaction: z.enum(['click', 'tap', 'display', 'reply', 'ask']).optional(),
  at: Instant.optional(),
  conversationId: Id.optional(),
  senderId: Id.optional(),
  shareId: Id.optional(),
  openId: Id.optional(),
});
export type AgeBand = z.infer<typeof AgeBand>;
export type TouchRef = z.infer<typeof TouchRef>;
export type ContentRef = z.infer<typeof ContentRef>;
export type ProductRef = z.infer<typeof ProductRef>;
export type Money = z.infer<typeof Money>;

export const consentPurposes = [
  'product_analytics',
  'personal_suggestions',
  'contact_matching',
  'brand_measurement',
  'partner_sharing',
  'show_me_as_sharer',
  'social_proof',
] as const;
export const ConsentPurpose = z.enum(consentPurposes);
export type ConsentPurpose = z.infer<typeof ConsentPurpose>;

const graphemeSegmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** User-perceived characters. */
export function graphemes(text: string): number {
  let count = 0;
  for (const _ of graphemeSegmenter.segment(text)) count += 1;
  return count;
}
const emoji =
  /^(?:\p{RI}\p{RI}|[0-9#*]\uFE0F?\u20E3|\p{ExtPict}(?:\p{ExtPict}|\p{EMod}|\uFE0F|\u200D|[\u{E0020}-\u{E007F}])*)$/u;
/** A pictograph, flag or keycap that people see as one character (M3). */
export function isEmoji(text: string): boolean {
  return emoji.test(text) && graphemes(text) === 1;
}

/** A text of at most `max` graphemes and 10,000 bytes. */
export function text(max: number): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .refine((value) => Buffer.byteLength(value) <= 10_000, 'at most 10,000 bytes')
    .refine((value) => graphemes(value) <= max, `at most ${max} graphemes`);
}
