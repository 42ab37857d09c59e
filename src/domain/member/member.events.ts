// A person of the app: registration, profile, settings, consent. Stream `member-<memberId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { personal } from '../../kernel/personal.js';
import { AgeBand, ConsentPurpose, Country, Id, text } from '../vocabulary.js';

export const PrivacySettings = z.strictObject({
  allowIncoming: z.enum(['everyone', 'friends', 'none']),
  readReceipts: z.boolean(),
  discoverable: z.boolean(),
  showSharer: z.boolean(),
  /** Who may add this member to a group. */
  allowGroupInvites: z.enum(['everyone', 'friends', 'none']).optional(),
  /** Others see when this member is there. */
  presence: z.boolean().optional(),
});

export const memberEvents = {
  MemberRegistered: z.strictObject({
    memberId: Id,
    handle: personal(text(30), 'memberId'),
    displayName: personal(text(50), 'memberId'),
    ageBand: AgeBand,
    country: Country,
    viaLinkId: Id.optional(),
  }),
  MemberProfileChanged: z.strictObject({
    memberId: Id,
    handle: personal(text(30), 'memberId'),
    displayName: personal(text(50), 'memberId'),
    country: Country.optional(),
  }),
  /** The settings as they are from now on, whole. */
  PrivacySettingsChanged: z.strictObject({ memberId: Id, settings: PrivacySettings }),
  ConsentGranted: z.strictObject({ memberId: Id, purpose: ConsentPurpose, policyVersion: z.string().max(32) }),
  ConsentWithdrawn: z.strictObject({ memberId: Id, purpose: ConsentPurpose, policyVersion: z.string().max(32) }),
};
export type MemberEvent = EventOf<typeof memberEvents>;
export type PrivacySettings = z.infer<typeof PrivacySettings>;

/** The settings a person begins with, by declared age: nobody writes to under-16s, receipts are off under 18. */
export const presetSettings: Readonly<Record<AgeBand, PrivacySettings>> = {
  '13_15': { allowIncoming: 'none', readReceipts: false, discoverable: false, showSharer: false },
  '16_17': { allowIncoming: 'friends', readReceipts: false, discoverable: true, showSharer: false },
  '18_plus': { allowIncoming: 'everyone', readReceipts: true, discoverable: true, showSharer: false },
  unknown: { allowIncoming: 'everyone', readReceipts: true, discoverable: true, showSharer: false },
};
