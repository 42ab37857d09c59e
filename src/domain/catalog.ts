// Every event of the domain, keyed by type: for the codec, the golden fixtures and the docs.
import type { z } from 'zod';
import { brandEvents } from './brand/brand.events.js';
import { conversationEvents } from './conversation/conversation.events.js';
import { friendshipEvents } from './friendship/friendship.events.js';
import { intentEvents } from './intent/intent.events.js';
import { memberEvents } from './member/member.events.js';
import { momentEvents } from './moment/moment.events.js';
import { observationEvents } from './observation/observation.events.js';
import { orderEvents } from './order/order.events.js';
import { productEvents } from './product/product.events.js';
import { readmarkEvents } from './readmark/readmark.events.js';
import { shareEvents } from './share/share.events.js';
import { sharelinkEvents } from './sharelink/sharelink.events.js';
import { shareopenEvents } from './shareopen/shareopen.events.js';
import { threadEvents } from './thread/thread.events.js';

export const eventCatalog: Readonly<Record<string, z.ZodType>> = {
  ...memberEvents,
  ...brandEvents,
  ...productEvents,
  ...friendshipEvents,
  ...momentEvents,
  ...conversationEvents,
  ...threadEvents,
  ...readmarkEvents,
  ...shareEvents,
  ...sharelinkEvents,
  ...shareopenEvents,
  ...intentEvents,
  ...orderEvents,
  ...observationEvents,
};
