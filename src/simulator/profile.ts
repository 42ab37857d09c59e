// How big a world is and how lively. The dates are constants of the profile, so that a seed alone names the bytes.

export interface Profile {
  readonly name: string;
  /** First instant of the month, UTC midnight. The day before it is the opening day: people register, old friends connect. */
  readonly startsAt: string;
  readonly days: number;
  /** After the last day only what is already under way goes on (opens, replies, deliveries); then the clock stops. */
  readonly settleDays: number;
  readonly people: number;
  /** Share of people who register during the month instead of on the opening day. */
  readonly newcomerShare: number;
  readonly meanFriends: number;
  readonly clips: number;
  readonly creators: number;
  /** Per active member and day. */
  readonly sessionsPerActiveDay: number;
  readonly activeDayChance: number;
  readonly viewsPerSession: number;
  /** Chance that a view opens the share sheet. */
  readonly shareChance: number;
  readonly momentsPerDay: number;
  readonly episodesPerDay: number;
  readonly productViewsPerDay: number;
  readonly brandEpisodesPerDay: number;
  /** Friends' messages with a product card outside the planted brands. */
  readonly productCardsPerDay: number;
  readonly planted: {
    /** Distinct consenting adults who get a consenting adult friend's card of the large brand. */
    readonly largeRecipients: number;
    /** … and of these, how many buy after tapping it. */
    readonly largeBuyers: number;
    /** Recipients of the small brand's cards: under 50, so that its figures must be suppressed. */
    readonly smallRecipients: number;
  };
}

/** A month of a small town: September 2026, 1,000 people, about 40,000 commands and under 150,000 observations. */
const tiny: Profile = {
  name: 'tiny',
  startsAt: '2026-09-01T00:00:00.000Z',
  days: 30,
  settleDays: 1,
  people: 1_000,
  newcomerShare: 0.05,
  meanFriends: 6.4,
  clips: 400,
  creators: 60,
  sessionsPerActiveDay: 1.35,
  activeDayChance: 0.5,
  viewsPerSession: 2.2,
  shareChance: 0.068,
  momentsPerDay: 55,
  episodesPerDay: 48,
  productViewsPerDay: 180,
  brandEpisodesPerDay: 18,
  productCardsPerDay: 9,
  planted: { largeRecipients: 190, largeBuyers: 138, smallRecipients: 18 },
};

/** A week of a few people, for the test suite: small, yet its large brand passes the threshold. */
const nano: Profile = {
  ...tiny,
  name: 'nano',
  days: 7,
  people: 200,
  newcomerShare: 0.03,
  meanFriends: 6,
  clips: 40,
  creators: 8,
  momentsPerDay: 6,
  episodesPerDay: 10,
  productViewsPerDay: 20,
  brandEpisodesPerDay: 4,
  productCardsPerDay: 1,
  planted: { largeRecipients: 60, largeBuyers: 54, smallRecipients: 6 },
};

export const profiles: Readonly<Record<string, Profile>> = { tiny, nano };
/** The ones a user is told about. */
export const offeredProfiles: readonly string[] = ['tiny'];
