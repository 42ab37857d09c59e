// A brand that talks and sells. Stream `brand-<brandId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { Id } from '../vocabulary.js';

export const BusinessHours = z.strictObject({
  /** ISO weekdays, Monday = 1. */
  days: z.array(z.int().min(1).max(7)).max(7),
  /** Local times, `HH:MM`. */
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
  to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
});

export const brandEvents = {
  BrandRegistered: z.strictObject({
    brandId: Id,
    name: z.string().min(1).max(100),
    /** IANA name. */
    timeZone: z.string().max(64),
    businessHours: BusinessHours.optional(),
  }),
};
export type BrandEvent = EventOf<typeof brandEvents>;
