// The commerce metrics (domain 2.5) as data. docs/metrics.md says the same in prose; a test compares them.
import { type BrandDimension, type MetricSpec, windows } from '../metric.js';

export type ReachStep = 'view' | 'cart' | 'purchase';

export interface BrandSpec extends Omit<MetricSpec, 'dimensions'> {
  readonly dimensions: readonly BrandDimension[];
  readonly kind: 'reach' | 'revenue' | 'response';
  /** Of a reach metric: what the people then did. */
  readonly step?: ReachStep;
}

/** How long after a display a tap of the same card still belongs to it, and how long after a tap a step does. */
export const clickWindowMs = windows['7d'];
/** How long after a display a step belongs to it without a tap. */
export const viewWindowMs = windows['24h'];
/** A session is never longer, so a view in a tap's session is at most this long after it. */
export const sessionMsMax = windows['24h'];
/** How long a touch may lie before an order it is credited for. */
export const creditWindowMs = windows['7d'];
/** A silence of this length ends an episode of a brand conversation. */
export const episodeGapMs = windows['24h'];

const displayed = "people to whom a friend's product card was displayed";
const reach = {
  kind: 'reach',
  denominator: displayed,
  anchor: 'display',
  windows: [],
  dimensions: ['day', 'week', 'product'],
} as const;

export const brandSpecs: readonly BrandSpec[] = [
  {
    ...reach,
    name: 'dm-product-view-rate',
    number: 40,
    title: 'DM-driven product view rate',
    numerator: 'of those, people who then viewed that product',
    step: 'view',
    maturesAfterMs: () => clickWindowMs + sessionMsMax,
  },
  {
    ...reach,
    name: 'dm-cart-rate',
    number: 41,
    title: 'DM-driven cart rate',
    numerator: 'of those, people who then added that product to a cart',
    step: 'cart',
    maturesAfterMs: () => clickWindowMs + clickWindowMs,
  },
  {
    ...reach,
    name: 'dm-purchase-rate',
    number: 42,
    title: 'DM-driven purchase rate',
    numerator: 'of those, people who then bought that product',
    step: 'purchase',
    maturesAfterMs: () => clickWindowMs + clickWindowMs,
  },
  {
    name: 'revenue-per-conversation',
    number: 44,
    kind: 'revenue',
    title: 'Revenue per conversation, friends and the brand apart',
    numerator: 'net revenue credited to product cards, in minor units of one currency',
    denominator: 'conversations with at least one card displayed',
    anchor: 'see below',
    windows: [],
    maturesAfterMs: () => creditWindowMs,
    dimensions: ['day', 'week', 'kind'],
  },
  {
    name: 'first-response-time',
    number: 46,
    kind: 'response',
    title: "The brand's first human answer to an episode that a customer opened",
    numerator: "time to the brand's first human message",
    denominator: 'episodes that a customer opened',
    anchor: "the customer's first message",
    windows: [],
    maturesAfterMs: () => episodeGapMs,
    dimensions: ['day', 'week'],
  },
];
