// The truth file: what happened, and what a perfect observer of the delivered stream could know of it. The service's
// figures are held against the latter; the difference between the two is what no service could see.
import { dayMs, toIso } from '../../kernel/clock.js';
import type { World } from '../world.js';
import { type AppView, appViews } from './app-views.js';
import { type BrandFigures, brandFigures, readCommerce } from './brands.js';
import { type Delivered, delivered, text } from './delivered.js';
import { AnalyticsConsent } from './eligibility.js';
import { type ShareView, shareViews } from './share-views.js';
import { readLinks, type SharingFigures, type Span, sharingFigures, within } from './sharing.js';
import { type Message, readThreads } from './threads.js';

export interface Truth {
  readonly profile: string;
  readonly seed: number;
  /** The month, `to` exclusive, and when the clock stops. */
  readonly from: string;
  readonly to: string;
  readonly endsAt: string;
  /** Links minted before this day have had their 7 days when the clock stops. */
  readonly clickBackMatureBefore: string;
  readonly brands: { readonly large: string; readonly small: string };
  readonly happened: Readonly<Record<string, number>>;
  readonly observable: Observable;
}
export interface Observable {
  readonly sharing: SharingFigures;
  readonly activeMembers: { readonly month: number; readonly perDay: readonly number[] };
  readonly messages: { readonly direct: number; readonly withBrands: number };
  readonly brands: Readonly<Record<string, BrandFigures>>;
  /** What the app of some members must show in the end. */
  readonly apps: readonly AppView[];
  /** What became of some shares. */
  readonly shares: readonly ShareView[];
}

/** Members whose apps are looked into, spread evenly over all. */
const appsMax = 50;
/** Shares that are looked at, likewise; and so many inferred parents with both their ends. */
const sharesMax = 125;

export function makeTruth(world: World): Truth {
  const span = { from: world.startsAt, to: world.closesAt };
  const matureBefore = Math.floor((world.endsAt - 7 * dayMs) / dayMs) * dayMs;
  const role = (wanted: string) => world.brands.find((brand) => brand.role === wanted)?.brandId ?? '';
  return {
    profile: world.profile.name,
    seed: world.seed,
    from: toIso(world.startsAt),
    to: toIso(world.closesAt),
    endsAt: toIso(world.endsAt),
    clickBackMatureBefore: toIso(matureBefore),
    brands: { large: role('large'), small: role('small') },
    happened: Object.fromEntries([...world.happened].sort(([a], [b]) => (a < b ? -1 : 1))),
    observable: observe(delivered(world.commands, world.observations), world, span, matureBefore),
  };
}

function observe(given: Delivered, world: World, span: Span, matureBefore: number): Observable {
  const messages = readThreads(given.commands);
  const commerce = readCommerce(given);
  const consent = new AnalyticsConsent(given.commands);
  return {
    sharing: sharingFigures({ commands: given.commands, messages }, span, matureBefore),
    activeMembers: activeMembers(given, span, consent),
    messages: countMessages(messages, span, consent),
    brands: Object.fromEntries(
      world.brands.map(({ brandId }) => [brandId, brandFigures(brandId, commerce, messages, span)]),
    ),
    apps: appViews(sampleOf(world), given.commands, messages),
    shares: shareViews(given, readLinks(given.commands), sharesMax),
  };
}

function sampleOf({ people }: World): string[] {
  const step = Math.ceil(people.length / appsMax);
  return people.filter(({ index }) => index % step === 0).map(({ id }) => id);
}

/** Active on a day: at least one session started (domain 1.12). */
function activeMembers(
  { observations }: Delivered,
  span: Span,
  consent: AnalyticsConsent,
): Observable['activeMembers'] {
  const days = Array.from({ length: Math.round((span.to - span.from) / dayMs) }, () => new Set<string>());
  const sessions = observations.filter(({ type, at }) => type === 'SessionStarted' && within(span, Number)(at));
  for (const { at, data } of sessions.filter(({ order, data }) => consent.agreed(text(data.memberId), order))) {
    days[Math.floor((at - span.from) / dayMs)]?.add(text(data.memberId));
  }
  const month = new Set(days.flatMap((day) => [...day]));
  return { month: month.size, perDay: days.map((day) => day.size) };
}

function countMessages(messages: readonly Message[], span: Span, consent: AnalyticsConsent): Observable['messages'] {
  const sent = messages
    .filter(within(span, ({ at }) => at))
    .filter(({ sender, order }) => consent.agreed(sender, order));
  const direct = sent.filter(({ kind }) => kind === 'direct').length;
  return { direct, withBrands: sent.length - direct };
}
