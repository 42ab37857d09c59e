// How lively it is: what happens, how many people do it, and how much the active ones share. Quantities per person, not
// proportions: they have no interval, and may pass 1.
import type { MetricSpec } from '../metric.js';

export interface ActivitySpec extends MetricSpec {
  readonly kind: 'activity' | 'per-active-member';
}

const noWindow = { windows: [], maturesAfterMs: () => 0 } as const;

export const activitySpecs: readonly ActivitySpec[] = [
  {
    name: 'activity',
    kind: 'activity',
    title: 'What happens, by kind, and how many people do it',
    numerator: 'events of the kind',
    denominator: 'people who did it at least once',
    anchor: 'the event',
    dimensions: ['day'],
    ...noWindow,
  },
  {
    name: 'shares-per-active-member',
    number: 3,
    kind: 'per-active-member',
    title: 'Shares per active member',
    numerator: 'completed shares',
    denominator: 'members with at least one session',
    anchor: 'completion, and the session',
    dimensions: ['day'],
    ...noWindow,
  },
];

/** The kinds of `activity`, by the fact that each is counted from. */
export const activityKinds: Readonly<Record<string, string>> = {
  SessionStarted: 'session',
  ContentViewed: 'view',
  MomentSeen: 'moment_view',
  ShareCompleted: 'share',
  ShareLinkMinted: 'link_minted',
  ShareLinkOpened: 'link_open',
  ClickBackCounted: 'click_back',
  MessageSent: 'message',
  ProductViewed: 'product_view',
  ProductAddedToCart: 'cart',
  CheckoutStarted: 'checkout',
  PurchaseCompleted: 'purchase',
};
