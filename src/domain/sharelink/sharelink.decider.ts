// The link of one share. Every open is kept as it was; the ones that are a person coming back (not a crawler, not a
// prefetch, not the sharer, not the same person again within half an hour) are counted as click-backs (S5).
import { minuteMs, toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/message.js';
import { Rejection } from '../../kernel/rejection.js';
import type { SharelinkCommand } from './sharelink.commands.js';
import type { SharelinkEvent } from './sharelink.events.js';

/** An open this close to the same visitor's previous open is the same visit going on. */
export const repeatOpenMs = 30 * minuteMs;
/** The same, as the events that are counted by it name it. */
const window = '30m' as const;
/** The device that minted the link is the sharer's for so long. */
export const minterOpenMs = 10 * minuteMs;
/**
 * So many newest visitors are remembered. Worst case beyond it: an early visitor of a link that thousands opened comes
 * back and is taken for new (`firstForVisitor`), or within half an hour and is counted again.
 */
export const visitorsRememberedMax = 1_000;

type Minted = DataOf<SharelinkEvent, 'ShareLinkMinted'>;

export interface MintedLink {
  readonly minted: Minted;
  readonly mintedAt: string;
  readonly revoked: boolean;
  /** visitorKey, or `member:<id>` → the last open by a human, the newest last. */
  readonly visitors: ReadonlyMap<string, { readonly at: string; readonly openId: string }>;
}
export type SharelinkState = MintedLink | undefined;

type Open = Extract<SharelinkCommand, { type: 'OpenShareLink' }>;

function visitorNames({ visitorKey, openerMemberId }: Pick<Open['data'], 'visitorKey' | 'openerMemberId'>): string[] {
  return openerMemberId === undefined ? [visitorKey] : [visitorKey, `member:${openerMemberId}`];
}

function remember(
  visitors: MintedLink['visitors'],
  opened: DataOf<SharelinkEvent, 'ShareLinkOpened'>,
  at: string,
): MintedLink['visitors'] {
  const next = new Map(visitors);
  for (const name of visitorNames(opened)) {
    next.delete(name);
    next.set(name, { at, openId: opened.openId });
  }
  for (const name of next.keys()) {
    if (next.size <= visitorsRememberedMax) break;
    next.delete(name);
  }
  return next;
}

/** The sharer: the same member, or the device that minted the link a moment ago. */
function isSelf({ data, now }: Open, { minted, mintedAt }: MintedLink): boolean {
  if (data.openerMemberId !== undefined) return data.openerMemberId === minted.sharerId;
  const sinceMintedMs = toMs(now) - toMs(mintedAt);
  return data.visitorKey === minted.minterVisitorKey && sinceMintedMs <= minterOpenMs;
}

function open(command: Open, link: MintedLink): readonly SharelinkEvent[] {
  const { data, now } = command;
  const { openId, linkId, visitorKey, openerMemberId, openerStatus, isPreviewBot, isPrefetch } = data;
  const { referrerClass, uaFamily, osFamily, inAppBrowser, country, opensApp, wereFriendsAtShare } = data;
  const { shareId, sharerId, contentRef, productRefs, destinationHint } = link.minted;
  const previous = visitorNames(data).flatMap((name) => link.visitors.get(name) ?? []);
  if (previous.some((visit) => visit.openId === openId)) return [];
  const isHuman = !isPreviewBot && !isPrefetch;
  const isSelfOpen = isSelf(command, link);
  const isRepeat = isHuman && previous.some(({ at }) => Math.abs(toMs(now) - toMs(at)) < repeatOpenMs);
  const subject = { openId, linkId, shareId, sharerId, contentRef };
  const opener = { visitorKey, openerMemberId, openerStatus };
  const opened: SharelinkEvent = {
    type: 'ShareLinkOpened',
    data: {
      ...subject,
      ...opener,
      isSelfOpen,
      isPreviewBot,
      isPrefetch,
      isRepeat,
      firstForVisitor: isHuman && previous.length === 0,
      referrerClass,
      uaFamily,
      osFamily,
      inAppBrowser,
      country,
      opensApp,
      wereFriendsAtShare,
    },
  };
  if (!isHuman || isSelfOpen || isRepeat) return [opened];
  const { mintedAt } = link;
  const counted = { ...subject, productRefs, destinationHint, ...opener, wereFriendsAtShare, mintedAt, window };
  return [opened, { type: 'ClickBackCounted', data: counted }];
}

export const sharelinkDecider: Decider<SharelinkCommand, SharelinkEvent, SharelinkState> = {
  category: 'sharelink',
  initialState: undefined,
  decide: {
    /** S4: one link per share, because its id derives from the share's. The share is looked up and never taken back. */
    MintShareLink: ({ data: { askedBy, ...minted }, now }, state) => {
      if (minted.sharerId !== askedBy) throw new Rejection('share-not-found', 'no such share');
      if (state?.revoked) throw new Rejection('link-revoked', 'the link of this share was revoked: share again');
      if (state) return [];
      if (minted.expiresAt !== undefined && toMs(minted.expiresAt) <= toMs(now)) {
        throw new Rejection('expiry-passed', 'the link would expire before it exists');
      }
      return [{ type: 'ShareLinkMinted', data: minted }];
    },
    RevokeShareLink: ({ data: { linkId, askedBy } }, state) => {
      if (state?.minted.sharerId !== askedBy) throw new Rejection('link-not-found', 'no such link');
      return state.revoked ? [] : [{ type: 'ShareLinkRevoked', data: { linkId, shareId: state.minted.shareId } }];
    },
    /** A link that was never minted, is revoked or has expired answers alike. */
    OpenShareLink: (command, state) => {
      const expired = state?.minted.expiresAt !== undefined && toMs(command.now) >= toMs(state.minted.expiresAt);
      if (!state || state.revoked || expired) throw new Rejection('link-not-found', 'no such link');
      return open(command, state);
    },
  },
  evolve: {
    ShareLinkMinted: (_, { data }, { occurredAt }) => ({
      minted: data,
      mintedAt: occurredAt,
      revoked: false,
      visitors: new Map(),
    }),
    ShareLinkRevoked: (state) => state && { ...state, revoked: true, visitors: new Map() },
    ShareLinkOpened: (state, { data }, { occurredAt }) =>
      state && !data.isPreviewBot && !data.isPrefetch
        ? { ...state, visitors: remember(state.visitors, data, occurredAt) }
        : state,
    ClickBackCounted: (state) => state,
  },
};
