// The mirror of a catalogue's product: what cards and roll-ups need. Stream `product-<productId>`.
import { z } from 'zod';
import type { EventOf } from '../../kernel/message.js';
import { Money, ProductRef } from '../vocabulary.js';

const facts = {
  productRef: ProductRef,
  name: z.string().min(1).max(200),
  price: Money,
  available: z.boolean(),
  /** Health, religion, politics, sexuality …: no DM-driven metric at all (docs: privacy). */
  sensitive: z.boolean(),
};

export const productEvents = {
  ProductListed: z.strictObject(facts),
  /** The product as it is from now on, whole. */
  ProductChanged: z.strictObject(facts),
};
export type ProductEvent = EventOf<typeof productEvents>;
