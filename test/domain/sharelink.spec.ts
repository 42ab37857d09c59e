// Which opens of a link are a person coming back.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SharelinkCommand } from '../../src/domain/sharelink/sharelink.commands.js';
import { repeatOpenMs, sharelinkDecider, visitorsRememberedMax } from '../../src/domain/sharelink/sharelink.decider.js';
import type { SharelinkEvent } from '../../src/domain/sharelink/sharelink.events.js';
import { addMs, minuteMs } from '../../src/kernel/clock.js';
import { given, Story, t0 } from '../given.js';

const link = given(sharelinkDecider);
const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' } as const;
const minted = {
  linkId: 'link-1',
  shareId: 'share-1',
  sharerId: 'ann',
  contentRef,
  productRefs: [],
  destinationHint: 'whatsapp',
  showSharer: false,
  minterVisitorKey: 'anns-phone',
} satisfies Extract<SharelinkEvent, { type: 'ShareLinkMinted' }>['data'];
const wasMinted: SharelinkEvent = { type: 'ShareLinkMinted', data: minted };
const wasRevoked: SharelinkEvent = { type: 'ShareLinkRevoked', data: { linkId: 'link-1', shareId: 'share-1' } };

type OpenData = Extract<SharelinkCommand, { type: 'OpenShareLink' }>['data'];
function opens(visitorKey: string, minutes: number, change: Partial<OpenData> = {}): SharelinkCommand {
  return {
    type: 'OpenShareLink',
    now: addMs(t0, minutes * minuteMs),
    data: {
      openId: `open-${visitorKey}-${minutes}`,
      linkId: 'link-1',
      visitorKey,
      openerStatus: 'unknown',
      isPreviewBot: false,
      isPrefetch: false,
      referrerClass: 'none',
      uaFamily: 'Safari',
      osFamily: 'iOS',
      ...change,
    },
  };
}
const mints = (askedBy: string): SharelinkCommand => ({ type: 'MintShareLink', now: t0, data: { ...minted, askedBy } });
const revokes = (askedBy: string): SharelinkCommand => ({
  type: 'RevokeShareLink',
  now: t0,
  data: { linkId: 'link-1', askedBy },
});

function story(...commands: SharelinkCommand[]): Story<SharelinkCommand, SharelinkEvent, unknown> {
  const told = new Story(sharelinkDecider);
  told.carryOut(mints('ann'));
  for (const command of commands) told.carryOut(command);
  return told as never;
}
const clickBacks = (told: { events: readonly SharelinkEvent[] }) =>
  told.events.filter(({ type }) => type === 'ClickBackCounted').length;

describe('a link', () => {
  it('is minted once per share, by the sharer', () => {
    link().when(mints('ann')).then(wasMinted);
    link(wasMinted).when(mints('ann')).thenNothing();
    link().when(mints('eve')).thenRejects('share-not-found');
  });
  it('is revoked by the sharer, once and for good', () => {
    link(wasMinted).when(revokes('ann')).then(wasRevoked);
    link(wasMinted, wasRevoked).when(revokes('ann')).thenNothing();
    link(wasMinted).when(revokes('eve')).thenRejects('link-not-found');
    link(wasMinted, wasRevoked).when(mints('ann')).thenRejects('link-revoked');
  });
  it('unknown, revoked and expired answer alike', () => {
    const expires = { ...wasMinted, data: { ...minted, expiresAt: addMs(t0, 5 * minuteMs) } } as SharelinkEvent;
    link().when(opens('bob', 1)).thenRejects('link-not-found');
    link(wasMinted, wasRevoked).when(opens('bob', 1)).thenRejects('link-not-found');
    link(expires).when(opens('bob', 5)).thenRejects('link-not-found');
    link(expires).when(opens('bob', 4)).thenTypes('ShareLinkOpened', 'ClickBackCounted');
  });
});

describe('an open', () => {
  it('by a person is counted, with when the link was minted and the window in which it is the only one', () => {
    const { events } = link(wasMinted)
      .when(opens('bob', 1, { openerMemberId: 'bob', wereFriendsAtShare: true }))
      .outcome();
    expect(events[1]).toMatchObject({
      type: 'ClickBackCounted',
      data: {
        mintedAt: t0,
        openerMemberId: 'bob',
        wereFriendsAtShare: true,
        destinationHint: 'whatsapp',
        window: '30m',
      },
    });
  });
  it.each<[string, Partial<OpenData>]>([
    ['by a preview crawler', { isPreviewBot: true }],
    ['by a prefetch', { isPrefetch: true }],
    ['by the sharer', { openerMemberId: 'ann' }],
    ['by the device that minted it a moment ago', { visitorKey: 'anns-phone' }],
  ])('%s is kept and not counted', (_, change) => {
    link(wasMinted)
      .when(opens('bob', 10, change))
      .thenTypes('ShareLinkOpened');
  });
  it('from the minting device after ten minutes is a visitor’s', () =>
    link(wasMinted).when(opens('anns-phone', 11)).thenTypes('ShareLinkOpened', 'ClickBackCounted'));
  it('by another member on the minting device is that member’s', () =>
    link(wasMinted)
      .when(opens('anns-phone', 5, { openerMemberId: 'bob' }))
      .thenTypes('ShareLinkOpened', 'ClickBackCounted'));
  it('repeated within half an hour is the same visit, as the window of what is counted says', () => {
    expect(repeatOpenMs).toBe(30 * minuteMs);
    expect(clickBacks(story(opens('bob', 0), opens('bob', 29)))).toBe(1);
    expect(clickBacks(story(opens('bob', 0), opens('bob', 30)))).toBe(2);
    expect(clickBacks(story(opens('bob', 0), opens('bob', 20), opens('bob', 40)))).toBe(1);
  });
  it('by the same member on another device is a repeat', () => {
    const openerMemberId = 'bob';
    expect(clickBacks(story(opens('phone', 0, { openerMemberId }), opens('desk', 5, { openerMemberId })))).toBe(1);
  });
  it('by a crawler before a person does not make the person a repeat', () => {
    const told = story(opens('bob', 0, { isPreviewBot: true }), opens('bob', 1));
    expect(clickBacks(told)).toBe(1);
    expect(told.events.map(({ data }) => 'firstForVisitor' in data && data.firstForVisitor)).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });
  it('reported twice is one', () => {
    const told = story(opens('bob', 0), opens('bob', 0));
    expect(told.events.length).toBe(3);
  });
});

describe('any history of a link', () => {
  it('counts no more click-backs than opens by people, and never two of one visitor within half an hour', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(20), fc.boolean()), { maxLength: 60 }), (visits) => {
        let minute = 0;
        const told = story(
          ...visits.map(([visitor, minutes, isPreviewBot], number) => {
            minute += minutes;
            return opens(`v${visitor}`, minute, { isPreviewBot, openId: `open-${number}` });
          }),
        );
        const opened = new Map<string, number>();
        for (const event of told.events) {
          if (event.type !== 'ClickBackCounted') continue;
          const number = Number(event.data.openId.slice('open-'.length));
          const at = visits.slice(0, number + 1).reduce((sum, [, minutes]) => sum + minutes, 0);
          expect(visits[number]?.[2]).toBe(false);
          const before = opened.get(event.data.visitorKey);
          if (before !== undefined) expect(at - before).toBeGreaterThanOrEqual(30);
          opened.set(event.data.visitorKey, at);
        }
      }),
    ));
  it('remembers a bounded number of visitors', () => {
    const told = story(
      ...Array.from({ length: visitorsRememberedMax + 50 }, (_, number) => opens(`v${number}`, number)),
    );
    expect((told.state as { visitors: Map<string, unknown> }).visitors.size).toBe(visitorsRememberedMax);
  });
});
