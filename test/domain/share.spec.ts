// A share ends once, whatever is reported of it and whenever.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ShareCommand, SourceMoment } from '../../src/domain/share/share.commands.js';
import { shareDecider } from '../../src/domain/share/share.decider.js';
import type { ShareEvent } from '../../src/domain/share/share.events.js';
import { addMs, minuteMs } from '../../src/kernel/clock.js';
import { Rejection } from '../../src/kernel/rejection.js';
import { given, Story, stored, t0 } from '../given.js';

const share = given(shareDecider);
const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' } as const;
const act = {
  shareId: 'share-1',
  sharerId: 'ann',
  contentRef,
  productRefs: [],
  surface: 'feed',
  parentEvidence: 'none',
  rootShareId: 'share-1',
  depth: 0,
} satisfies Extract<ShareEvent, { type: 'ShareInitiated' }>['data'];
const initiated: ShareEvent = { type: 'ShareInitiated', data: act };
const completedOff: ShareEvent = {
  type: 'ShareCompleted',
  data: {
    ...act,
    timeToShareMs: 60_000,
    completionKnown: true,
    lateCompletion: false,
    destinationClass: 'off_platform',
    destination: 'whatsapp',
    channelEvidence: 'os_callback',
  },
};
const abandoned: ShareEvent = { type: 'ShareAbandoned', data: { ...act, stage: 'sheet', by: 'timer' } };

type InitiateData = Extract<ShareCommand, { type: 'InitiateShare' }>['data'];
function opensSheet(change: Partial<InitiateData> = {}): ShareCommand {
  const data = {
    shareId: 'share-1',
    sharerId: 'ann',
    contentRef,
    productRefs: [],
    surface: 'feed' as const,
    ...change,
  };
  return { type: 'InitiateShare', now: t0, data };
}
type OffData = Extract<ShareCommand, { type: 'CompleteShareOffPlatform' }>['data'];
function sendsTo(
  destination: OffData['destination'],
  channelEvidence: OffData['channelEvidence'],
  now = t0,
): ShareCommand {
  return {
    type: 'CompleteShareOffPlatform',
    now,
    data: { shareId: 'share-1', sharerId: 'ann', destination, channelEvidence },
  };
}
function sendsIn(now = t0, destination: 'dm' | 'feed_repost' = 'dm'): ShareCommand {
  return {
    type: 'CompleteShareInApp',
    now,
    data: {
      shareId: 'share-1',
      sharerId: 'ann',
      destination,
      channelEvidence: 'declared',
      conversationIds: ['talk-1', 'talk-2'],
      memberIds: ['bob', 'cid'],
      messageIds: ['m1', 'm2'],
    },
  };
}
const cancels = (now = t0): ShareCommand => ({
  type: 'CancelShare',
  now,
  data: { shareId: 'share-1', sharerId: 'ann', stage: 'target' },
});

describe('opening the share sheet', () => {
  it('begins a share', () => share().when(opensSheet()).then(initiated));
  it('again is the same share', () => share(initiated).when(opensSheet()).thenNothing());
  it('cannot take another share’s id', () =>
    share(initiated)
      .when(opensSheet({ sharerId: 'bob' }))
      .thenRejects('share-exists'));
  it('tells whom it suggested, and no later event repeats that', () => {
    const suggestedTargets = [{ memberId: 'bob', rank: 1 }];
    const offered: ShareEvent = { type: 'ShareInitiated', data: { ...act, suggestedTargets } };
    share().when(opensSheet({ suggestedTargets })).then(offered);
    share(offered)
      .when(cancels())
      .then({ type: 'ShareAbandoned', data: { ...act, stage: 'target', by: 'sharer' } });
  });
});

describe('sharing a moment on', () => {
  const moment: SourceMoment = {
    authorId: 'bob',
    contentId: 'clip-1',
    audience: 'public',
    allowReshare: true,
    deleted: false,
    areFriends: false,
    blockedEitherWay: false,
  };
  const fromMoment = { sourceMomentId: 'moment-1' };
  const begun: ShareEvent = { type: 'ShareInitiated', data: { ...act, ...fromMoment } };
  const toFriends = (now: SourceMoment | undefined, destination: 'dm' | 'feed_repost' = 'dm'): ShareCommand => ({
    type: 'CompleteShareInApp',
    now: t0,
    data: {
      shareId: 'share-1',
      sharerId: 'ann',
      destination,
      channelEvidence: 'declared',
      conversationIds: [],
      memberIds: [],
      messageIds: [],
      moment: now,
    },
  });
  it('names the moment', () =>
    share()
      .when(opensSheet({ ...fromMoment, moment }))
      .then(begun));
  it('to friends of its author only is the friends’ to do', () =>
    share()
      .when(opensSheet({ ...fromMoment, moment: { ...moment, audience: 'friends', areFriends: true } }))
      .then(begun));
  it.each<[string, SourceMoment | undefined, string]>([
    ['that there is not', undefined, 'moment-not-found'],
    ['that was deleted', { ...moment, deleted: true }, 'moment-not-found'],
    ['of somebody who blocks', { ...moment, blockedEitherWay: true }, 'moment-not-found'],
    ['for friends, by a stranger', { ...moment, audience: 'friends' }, 'moment-not-found'],
    ['whose author does not want it', { ...moment, allowReshare: false }, 'reshare-not-allowed'],
  ])('%s is refused, at the beginning and in the end', (_, now, code) => {
    share()
      .when(opensSheet({ ...fromMoment, moment: now }))
      .thenRejects(code);
    share(begun).when(toFriends(now)).thenRejects(code);
  });
  it('with other content is refused', () =>
    share()
      .when(opensSheet({ ...fromMoment, moment: { ...moment, contentId: 'clip-2' } }))
      .thenRejects('share-mismatch'));
  it('as a repost never shows friends’ things to more people; one’s own may go anywhere', () => {
    const forFriends: SourceMoment = { ...moment, audience: 'friends', areFriends: true };
    share(begun).when(toFriends(forFriends)).thenTypes('ShareCompleted');
    share(begun).when(toFriends(forFriends, 'feed_repost')).thenRejects('reshare-not-allowed');
    share(begun).when(toFriends(moment, 'feed_repost')).thenTypes('ShareCompleted');
    const own: SourceMoment = { ...forFriends, authorId: 'ann', areFriends: false, allowReshare: false };
    share(begun).when(toFriends(own, 'feed_repost')).thenTypes('ShareCompleted');
  });
});

describe('handing on', () => {
  const parent = {
    shareId: 'share-0',
    contentRef,
    productRefs: [],
    rootShareId: 'share-root',
    depth: 3,
    initiatedAt: t0,
  };
  it('is one deeper, under the same root', () =>
    share()
      .when(opensSheet({ parentShareId: 'share-0', parent }))
      .then({
        type: 'ShareInitiated',
        data: { ...act, parentShareId: 'share-0', parentEvidence: 'explicit', rootShareId: 'share-root', depth: 4 },
      }));
  it('stays at depth 64', () => {
    const [event] = share()
      .when(opensSheet({ parentShareId: 'share-0', parent: { ...parent, depth: 64 } }))
      .outcome().events;
    expect(event?.data).toMatchObject({ depth: 64, parentEvidence: 'explicit' });
  });
  it('of the same product counts as the same thing', () => {
    const productRefs = [{ productId: 'shoe', brandId: 'acme' }];
    const other = { ...contentRef, contentId: 'clip-2' };
    share()
      .when(
        opensSheet({ parentShareId: 'share-0', productRefs, parent: { ...parent, contentRef: other, productRefs } }),
      )
      .thenTypes('ShareInitiated');
  });
  it('without a named parent hands on what was opened last, and tells its place without it too', () => {
    for (const evidence of ['session', 'window'] as const) {
      share()
        .when(opensSheet({ opened: { share: parent, evidence } }))
        .then({
          type: 'ShareInitiated',
          data: {
            ...act,
            parentShareId: 'share-0',
            parentEvidence: evidence,
            rootShareId: 'share-root',
            depth: 4,
            explicit: { rootShareId: 'share-1', depth: 0 },
          },
        });
    }
  });
  it('of a named parent below an inferred one goes on from where that stands by named ones', () => {
    const explicit = { rootShareId: 'share-9', depth: 1 };
    const [event] = share()
      .when(opensSheet({ parentShareId: 'share-0', parent: { ...parent, explicit } }))
      .outcome().events;
    expect(event?.data).toMatchObject({
      parentEvidence: 'explicit',
      rootShareId: 'share-root',
      depth: 4,
      explicit: { rootShareId: 'share-9', depth: 2 },
    });
  });
  it('never takes what was opened for the parent where the app names one', () => {
    const opened = { share: { ...parent, shareId: 'share-7', rootShareId: 'share-7' }, evidence: 'session' } as const;
    const [event] = share()
      .when(opensSheet({ parentShareId: 'share-0', parent, opened }))
      .outcome().events;
    expect(event?.data).toMatchObject({ parentShareId: 'share-0', parentEvidence: 'explicit' });
  });
  it.each([
    ['of other content', { ...parent, contentRef: { ...contentRef, contentId: 'clip-2' } }],
    ['that came later', { ...parent, initiatedAt: addMs(t0, 1) }],
  ])('an opened share %s led to nothing: the share is a root', (_, found) =>
    share()
      .when(opensSheet({ opened: { share: found, evidence: 'window' } }))
      .then(initiated),
  );
  it('is decided once: what was opened since changes nothing', () =>
    share(initiated)
      .when(opensSheet({ opened: { share: parent, evidence: 'session' } }))
      .thenNothing());
  it('keeps its place in every later event', () => {
    const place = { parentShareId: 'share-0', parentEvidence: 'window', rootShareId: 'share-root', depth: 4 } as const;
    const handedOn = { ...act, ...place, explicit: { rootShareId: 'share-1', depth: 0 } };
    share({ type: 'ShareInitiated', data: handedOn })
      .when(cancels())
      .then({ type: 'ShareAbandoned', data: { ...handedOn, stage: 'target', by: 'sharer' } });
  });
  it.each([
    ['that does not exist', undefined, 'parent-share-not-found'],
    ['of other content', { ...parent, contentRef: { ...contentRef, contentId: 'clip-2' } }, 'parent-share-differs'],
    ['that came later', { ...parent, initiatedAt: addMs(t0, 1) }, 'parent-share-later'],
  ])('a share %s is refused', (_, found, code) =>
    share()
      .when(opensSheet({ parentShareId: 'share-0', parent: found }))
      .thenRejects(code),
  );
});

describe('completion', () => {
  it('in the app counts people, not conversations', () =>
    share(initiated)
      .when(sendsIn(addMs(t0, 2_000)))
      .then({
        type: 'ShareCompleted',
        data: {
          ...act,
          timeToShareMs: 2_000,
          completionKnown: true,
          lateCompletion: false,
          destinationClass: 'in_app',
          destination: 'dm',
          channelEvidence: 'declared',
          recipients: { conversationIds: ['talk-1', 'talk-2'], memberIds: ['bob', 'cid'], count: 2 },
          messageIds: ['m1', 'm2'],
        },
      }));
  it('off the platform', () =>
    share(initiated)
      .when(sendsTo('whatsapp', 'os_callback', addMs(t0, minuteMs)))
      .then(completedOff));
  it('is unknown when the system’s sheet tells nothing', () => {
    const [event] = share(initiated).when(sendsTo('system_share_sheet', 'unknown')).outcome().events;
    expect(event?.data).toMatchObject({ completionKnown: false });
  });
  it('reported twice is one', () => {
    share(initiated, completedOff).when(sendsTo('whatsapp', 'os_callback')).thenNothing();
    share(initiated, completedOff).when(sendsTo('whatsapp', 'unknown')).thenNothing();
  });
  it('of somebody else’s share finds no share', () =>
    share({ ...initiated, data: { ...act, sharerId: 'bob' } } as ShareEvent)
      .when(sendsIn())
      .thenRejects('share-not-found'));
  it('elsewhere on no better evidence is refused', () => {
    share(initiated, completedOff).when(sendsTo('telegram', 'inferred')).thenRejects('share-already-completed');
    share(initiated, completedOff).when(sendsIn()).thenRejects('share-already-completed');
    share(initiated, completedOff).when(cancels()).thenRejects('share-already-completed');
  });
  it('elsewhere on better evidence corrects the channel', () =>
    share(initiated, completedOff)
      .when(sendsTo('telegram', 'declared'))
      .then({
        type: 'ShareChannelReclassified',
        data: { shareId: 'share-1', from: 'whatsapp', to: 'telegram', evidence: 'declared' },
      }));
  it('by an unspecific way is corrected by any hint of the place', () => {
    const copied = {
      ...completedOff,
      data: { ...completedOff.data, destination: 'copy_link', channelEvidence: 'declared' },
    };
    const hint: ShareCommand = {
      type: 'ReclassifyShare',
      now: t0,
      data: { shareId: 'share-1', destination: 'whatsapp', channelEvidence: 'inferred' },
    };
    share(initiated, copied as ShareEvent)
      .when(hint)
      .thenTypes('ShareChannelReclassified');
    share(initiated, completedOff).when(hint).thenNothing();
    share(initiated).when(hint).thenNothing();
  });
});

describe('silence', () => {
  it('of half an hour abandons the share, dated when it was due', () => {
    const story = new Story(shareDecider);
    story.carryOut(opensSheet());
    expect(story.tick(addMs(t0, 30 * minuteMs - 1))).toEqual([]);
    expect(stored(story.tick(addMs(t0, 300 * minuteMs)))).toEqual(
      stored([{ ...abandoned, occurredAt: addMs(t0, 30 * minuteMs) }]),
    );
    expect(story.tick(addMs(t0, 400 * minuteMs))).toEqual([]);
  });
  it('is undone by a late callback', () => {
    const { events } = share(initiated)
      .when(sendsTo('whatsapp', 'os_callback', addMs(t0, 40 * minuteMs)))
      .outcome();
    expect(events.map(({ type }) => type)).toEqual(['ShareAbandoned', 'ShareCompleted']);
    expect(events[1]?.data).toMatchObject({ lateCompletion: true });
  });
  it('the sharer may say so at once', () => {
    share(initiated)
      .when(cancels())
      .then({ type: 'ShareAbandoned', data: { ...act, stage: 'target', by: 'sharer' } });
    share(initiated, abandoned).when(cancels()).thenNothing();
  });
});

describe('any history of a share', () => {
  const anyCommand = fc.constantFrom(
    (now: string) => sendsIn(now),
    (now: string) => sendsIn(now, 'feed_repost'),
    (now: string) => sendsTo('whatsapp', 'os_callback', now),
    (now: string) => sendsTo('copy_link', 'declared', now),
    (now: string) => sendsTo('system_share_sheet', 'unknown', now),
    cancels,
  );
  it('has at most one abandonment and then at most one completion, and takes every command twice as once', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(anyCommand, fc.nat(40)), { maxLength: 20 }), (steps) => {
        const story = new Story(shareDecider);
        story.carryOut(opensSheet());
        let now = t0;
        for (const [make, minutes] of steps) {
          now = addMs(now, minutes * minuteMs);
          try {
            story.carryOut(make(now));
            expect(story.carryOut(make(now))).toEqual([]);
          } catch (error) {
            if (!(error instanceof Rejection)) throw error;
          }
        }
        const ends = story.events
          .map(({ type }) => type)
          .filter((type) => type === 'ShareCompleted' || type === 'ShareAbandoned');
        expect([[], ['ShareAbandoned'], ['ShareCompleted'], ['ShareAbandoned', 'ShareCompleted']]).toContainEqual(ends);
      }),
    ));
});
