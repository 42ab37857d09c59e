// Sharing as a perfect observer of what was delivered would count it: where shares went, which links brought somebody
// back, which shares were talked about. Definitions: docs/metrics.md and domain 2.1, 2.2 (metrics 4, 8, 12, 19).
import { dayMs, minuteMs, toIso } from '../../kernel/clock.js';
import { type Command, text } from './delivered.js';
import { AnalyticsConsent } from './eligibility.js';
import { bareShareId, type Message } from './threads.js';

export interface Ratio {
  readonly numerator: number;
  readonly denominator: number;
}
export interface Span {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface CompletedShare {
  readonly id: string;
  readonly at: number;
  readonly order: number;
  readonly sharer: string;
  readonly inApp: boolean;
  readonly destination: string;
  readonly evidence: string;
  /** What a later hint said. */
  readonly hinted?: string;
}
export interface Link {
  readonly mintedAt: number;
  readonly order: number;
  readonly sharer: string;
  readonly destination: string;
  readonly clickBacks: readonly ClickBack[];
}
interface ClickBack {
  readonly at: number;
  readonly order: number;
  /** Nobody in particular: ''. */
  readonly member: string;
}

const repeatMs = 30 * minuteMs;
const minterMs = 10 * minuteMs;
/** Crawlers that fetch previews name themselves; some of them belong to one place only. */
const crawlers: readonly (readonly [RegExp, string])[] = [
  [/facebookexternalhit/, ''],
  [/Applebot/, ''],
  [/WhatsApp\//, 'whatsapp'],
  [/TelegramBot/, 'telegram'],
  [/Discordbot/, 'discord'],
  [/Twitterbot/, 'x'],
];
/** They say how a share left, not where it went: a hint of a place is better. */
const vague = new Set(['copy_link', 'system_share_sheet']);

export function readShares(commands: readonly Command[], messages: readonly Message[]): CompletedShare[] {
  const shares = new Map<string, CompletedShare>();
  for (const { at, order, route, params, body, member, headers } of commands) {
    if (route === 'POST complete' && !shares.has(params[0] as string)) {
      const id = params[0] as string;
      const inApp = body.destinationClass === 'in_app';
      const where = { inApp, destination: text(body.destination), evidence: text(body.channelEvidence) };
      shares.set(id, { id, at, order, sharer: member, ...where });
    } else if (route === 'open' && !member) {
      const share = shares.get(params[0] as string);
      const hinted = hintOf(text(headers['User-Agent']));
      if (share && !share.hinted && hinted && vague.has(share.destination)) shares.set(share.id, { ...share, hinted });
    }
  }
  for (const { shareId, at, order, sender, kind } of messages) {
    if (!shareId.startsWith(bareShareId(''))) continue;
    const destination = kind === 'direct' ? 'dm' : 'brand_conversation';
    const where = { inApp: true, destination, evidence: 'declared' };
    shares.set(shareId, { id: shareId, at, order, sharer: sender, ...where });
  }
  return [...shares.values()];
}

function hintOf(userAgent: string): string {
  if (/FBAN\/Messenger/.test(userAgent)) return 'messenger';
  if (/FBAV\//.test(userAgent)) return 'facebook';
  return crawlers.find(([pattern]) => pattern.test(userAgent))?.[1] ?? '';
}

interface Minted {
  readonly at: number;
  readonly order: number;
  readonly sharer: string;
  readonly visitor: string;
  readonly destination: string;
  /** Visitor or member → last open by a person. */
  readonly seen: Map<string, number>;
  readonly clickBacks: ClickBack[];
}

/** Share → its link. */
export function readLinks(commands: readonly Command[]): Map<string, Link> {
  const links = new Map<string, Minted>();
  for (const { at, order, route, params, body, member, headers } of commands) {
    const userAgent = text(body.userAgent) || text(headers['User-Agent']);
    const visitor = `${headers['X-Forwarded-For']} ${userAgent}`;
    if (route === 'POST link') {
      const destination = text(body.destinationHint);
      const minted = { at, order, sharer: member, visitor, destination, seen: new Map(), clickBacks: [] };
      links.set(params[0] as string, minted);
    } else if (route === 'open' || route === 'member open') {
      const link = links.get(params[0] ?? codeOf(body)) as Minted;
      const prefetch = headers['Sec-Purpose'] === 'prefetch' || body.prefetch === true;
      if (prefetch || crawlers.some(([pattern]) => pattern.test(userAgent))) continue;
      countOpen(link, { at, order, visitor, member });
    }
  }
  return new Map(
    [...links].map(([id, { at, order, sharer, destination, clickBacks }]) => [
      id,
      { mintedAt: at, order, sharer, destination, clickBacks },
    ]),
  );
}

function codeOf(body: Command['body']): string {
  return text(body.code).replace('{{code:', '').replace('}}', '');
}

function countOpen(link: Minted, { at, order, visitor, member }: ClickBack & { readonly visitor: string }): void {
  const names = member ? [visitor, `member ${member}`] : [visitor];
  const repeat = names.some((name) => at - (link.seen.get(name) ?? Number.NEGATIVE_INFINITY) < repeatMs);
  for (const name of names) link.seen.set(name, at);
  const self = member ? member === link.sharer : visitor === link.visitor && at - link.at <= minterMs;
  if (!repeat && !self) link.clickBacks.push({ at, order, member });
}

export interface SharingFigures {
  readonly inApp: number;
  readonly offPlatform: number;
  readonly leakageRate: Ratio;
  readonly channelMix: {
    readonly declared: Readonly<Record<string, number>>;
    readonly reclassified: Readonly<Record<string, number>>;
  };
  readonly clickBackRate: { readonly mature: Ratio; readonly all: Ratio };
  readonly talkBackRate: Ratio;
  /** UTC days. */
  readonly perDay: readonly { readonly day: string; readonly inApp: number; readonly offPlatform: number }[];
}

export function sharingFigures(
  { commands, messages }: { commands: readonly Command[]; messages: readonly Message[] },
  span: Span,
  /** Links minted before this instant have had their 7 days when the clock stops. */
  matureBefore: number,
): SharingFigures {
  const consent = new AnalyticsConsent(commands);
  const counts = ({ sharer, order }: { sharer: string; order: number }) => consent.stillAgreed(sharer, order);
  const shares = readShares(commands, messages)
    .filter(within(span, ({ at }) => at))
    .filter(counts);
  const links = [...readLinks(commands).values()].filter(within(span, ({ mintedAt }) => mintedAt)).filter(counts);
  const offPlatform = shares.filter(({ inApp }) => !inApp).length;
  return {
    inApp: shares.length - offPlatform,
    offPlatform,
    leakageRate: { numerator: offPlatform, denominator: shares.length },
    channelMix: {
      declared: tally(shares.map(declaredChannel)),
      reclassified: tally(shares.map((share) => share.hinted ?? reclassifiedChannel(share))),
    },
    clickBackRate: {
      mature: clickBackRate(
        links.filter(({ mintedAt }) => mintedAt < matureBefore),
        consent,
      ),
      all: clickBackRate(links, consent),
    },
    talkBackRate: talkBackRate(shares, messages, consent),
    perDay: perDay(shares, span),
  };
}

function perDay(shares: readonly CompletedShare[], { from, to }: Span): SharingFigures['perDay'] {
  const days = Array.from({ length: Math.round((to - from) / dayMs) }, (_, index) => from + index * dayMs);
  return days.map((day) => {
    const own = shares.filter(within({ from: day, to: day + dayMs }, ({ at }) => at));
    const inApp = own.filter((share) => share.inApp).length;
    return { day: toIso(day).slice(0, 10), inApp, offPlatform: own.length - inApp };
  });
}

export function within<Item>({ from, to }: Span, when: (item: Item) => number): (item: Item) => boolean {
  return (item) => when(item) >= from && when(item) < to;
}

/** A button or the system named the place; the system's own sheet names none. */
function declaredChannel({ destination, evidence }: CompletedShare): string {
  const told = evidence === 'declared' || evidence === 'os_callback';
  return told && destination !== 'system_share_sheet' ? destination : 'unknown';
}
function reclassifiedChannel({ destination, evidence }: CompletedShare): string {
  return evidence === 'unknown' ? 'unknown' : destination;
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function clickBackRate(links: readonly Link[], consent: AnalyticsConsent): Ratio {
  const came = links.filter(({ mintedAt, clickBacks }) =>
    clickBacks.some(
      ({ at, order, member }) => at >= mintedAt && at < mintedAt + 7 * dayMs && consent.agreed(member, order),
    ),
  );
  return { numerator: came.length, denominator: links.length };
}

/** A brand is no recipient: what it answers is its response time. */
const talkedIn = new Set(['dm', 'group']);

function talkBackRate(
  shares: readonly CompletedShare[],
  messages: readonly Message[],
  consent: AnalyticsConsent,
): Ratio {
  const answers = new Map<string, number>();
  for (const { answers: share, at, order, sender } of messages) {
    if (share && !answers.has(share) && consent.agreed(sender, order)) answers.set(share, at);
  }
  const told = shares.filter(({ inApp, destination }) => inApp && talkedIn.has(destination));
  const answered = told.filter(({ id, at }) => (answers.get(id) ?? Number.POSITIVE_INFINITY) < at + dayMs);
  return { numerator: answered.length, denominator: told.length };
}
