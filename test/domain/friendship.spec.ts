// One pair of people: F1 to F5, F8 and F10 by example, and as invariants of any history.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FriendshipCommand } from '../../src/domain/friendship/friendship.commands.js';
import { friendshipDecider } from '../../src/domain/friendship/friendship.decider.js';
import type { FriendshipEvent } from '../../src/domain/friendship/friendship.events.js';
import type { AgeBand } from '../../src/domain/vocabulary.js';
import { addMs, dayMs } from '../../src/kernel/clock.js';
import { deriveId } from '../../src/kernel/ids.js';
import { Rejection } from '../../src/kernel/rejection.js';
import { given, Story, stored, t0 } from '../given.js';

const pair = given(friendshipDecider);
const adult = { registered: true, ageBand: '18_plus', registeredAt: '2025-01-01T00:00:00.000Z' } as const;

const counts = { friendsOfActor: 0, friendsOfOther: 0, openOutgoingOfActor: 0, requestsOfActorLast24h: 0 };

type Send = Extract<FriendshipCommand, { type: 'SendFriendRequest' }>;
function asks(from: string, to: string, now = t0, change: Partial<Send['data']> = {}): Send {
  return {
    type: 'SendFriendRequest',
    now,
    data: {
      requestId: `request-of-${from}`,
      fromMemberId: from,
      toMemberId: to,
      origin: 'search',
      from: adult,
      to: adult,
      counts,
      ...change,
    },
  };
}
function answers(
  type: 'AcceptFriendRequest' | 'DeclineFriendRequest' | 'CancelFriendRequest' | 'RemoveFriend',
  byMemberId: string,
  now = t0,
): FriendshipCommand {
  const act = { byMemberId, otherMemberId: byMemberId === 'ann' ? 'bob' : 'ann' };
  return type === 'AcceptFriendRequest' ? { type, now, data: { ...act, counts } } : { type, now, data: act };
}
function blocks(blockerId: string, now = t0): FriendshipCommand {
  const blockedId = blockerId === 'ann' ? 'bob' : 'ann';
  return { type: 'BlockMember', now, data: { blockerId, blockedId, context: 'profile', blockedRegistered: true } };
}
function unblocks(blockerId: string, now = t0): FriendshipCommand {
  return { type: 'UnblockMember', now, data: { blockerId, blockedId: blockerId === 'ann' ? 'bob' : 'ann' } };
}

const request = { requestId: 'request-of-ann', fromMemberId: 'ann', toMemberId: 'bob' };
const annAsked: FriendshipEvent = {
  type: 'FriendRequestSent',
  data: { ...request, origin: 'search', expiresAt: addMs(t0, 90 * dayMs) },
};
const bobDeclined: FriendshipEvent = { type: 'FriendRequestDeclined', data: { ...request, decisionLatencySec: 0 } };
const accepted: FriendshipEvent = { type: 'FriendRequestAccepted', data: { ...request, decisionLatencySec: 0 } };
const friendshipId = deriveId('friendship', 'request-of-ann');
const formed: FriendshipEvent = {
  type: 'FriendshipFormed',
  data: { friendshipId, members: ['ann', 'bob'], formedBy: 'accept', origin: 'search' },
};
const annBlocks: FriendshipEvent = {
  type: 'MemberBlocked',
  data: { blockerId: 'ann', blockedId: 'bob', context: 'profile' },
};

describe('a friend request', () => {
  it('waits 90 days for an answer', () => pair().when(asks('ann', 'bob')).then(annAsked));
  it('may carry a note', () =>
    pair()
      .when(asks('ann', 'bob', t0, { note: 'we met at the lake' }))
      .then({ ...annAsked, data: { ...annAsked.data, note: 'we met at the lake' } } as FriendshipEvent));
  it('asked again is the same request', () => pair(annAsked).when(asks('ann', 'bob')).thenNothing());
  it('that crosses the other’s is the acceptance', () =>
    pair(annAsked)
      .when(asks('bob', 'ann', addMs(t0, 5_000)))
      .then({ type: 'FriendRequestAccepted', data: { ...request, decisionLatencySec: 5 } }, {
        ...formed,
        data: { ...formed.data, formedBy: 'mutual_request' },
      } as FriendshipEvent));
  it('to oneself is refused', () => pair().when(asks('ann', 'ann')).thenRejects('not-yourself'));
  it('to nobody is refused', () =>
    pair()
      .when(asks('ann', 'bob', t0, { to: { registered: false, ageBand: 'unknown' } }))
      .thenRejects('member-not-available'));
  it('between friends changes nothing', () => pair(annAsked, accepted, formed).when(asks('bob', 'ann')).thenNothing());
});

describe('the answer', () => {
  it('is the recipient’s', () => pair(annAsked).when(answers('AcceptFriendRequest', 'bob')).then(accepted, formed));
  it('is not the sender’s', () =>
    pair(annAsked).when(answers('AcceptFriendRequest', 'ann')).thenRejects('no-open-request'));
  it('given twice changes nothing', () =>
    pair(annAsked, accepted, formed).when(answers('AcceptFriendRequest', 'bob')).thenNothing());
  it('may be no, once', () => {
    pair(annAsked).when(answers('DeclineFriendRequest', 'bob')).then(bobDeclined);
    pair(annAsked, bobDeclined).when(answers('DeclineFriendRequest', 'bob')).thenNothing();
  });
  it('cannot come after 90 days: the request has expired, on its day', () =>
    pair(annAsked)
      .when(answers('AcceptFriendRequest', 'bob', addMs(t0, 91 * dayMs)))
      .thenRejects('no-open-request'));
  it('is not needed when the sender takes the request back', () =>
    pair(annAsked)
      .when(answers('CancelFriendRequest', 'ann', addMs(t0, 60_000)))
      .then({ type: 'FriendRequestCancelled', data: { ...request, ageSec: 60 } }));
});

describe('after a no', () => {
  it('the sender waits 30 days, and cannot tell it from a block', () => {
    pair(annAsked, bobDeclined)
      .when(asks('ann', 'bob', addMs(t0, 29 * dayMs)))
      .thenRejects('member-not-available');
    pair(annAsked, bobDeclined)
      .when(asks('ann', 'bob', addMs(t0, 30 * dayMs)))
      .thenTypes('FriendRequestSent');
  });
  it('the one who declined may ask at any time', () =>
    pair(annAsked, bobDeclined).when(asks('bob', 'ann')).thenTypes('FriendRequestSent'));
  it('for the third time the sender may not ask again', () => {
    const thrice = [annAsked, bobDeclined, annAsked, bobDeclined, annAsked, bobDeclined];
    pair(...thrice)
      .when(asks('ann', 'bob', addMs(t0, 900 * dayMs)))
      .thenRejects('member-not-available');
  });
  it('the count starts again once the one who declined has asked', () => {
    const bobAsked: FriendshipEvent = {
      type: 'FriendRequestSent',
      data: { ...request, fromMemberId: 'bob', toMemberId: 'ann', origin: 'qr', expiresAt: addMs(t0, 90 * dayMs) },
    };
    const taken: FriendshipEvent = {
      type: 'FriendRequestCancelled',
      data: { ...request, fromMemberId: 'bob', toMemberId: 'ann', ageSec: 0 },
    };
    pair(annAsked, bobDeclined, bobAsked, taken).when(asks('ann', 'bob')).thenTypes('FriendRequestSent');
  });
});

describe('a block', () => {
  it('ends the friendship in the same append', () =>
    pair(annAsked, accepted, formed)
      .when(blocks('ann', addMs(t0, 3 * dayMs)))
      .then(annBlocks, {
        type: 'FriendshipEnded',
        data: { friendshipId, members: ['ann', 'bob'], endedBy: 'ann', reason: 'blocked', durationDays: 3 },
      }));
  it('by the one who asked takes the request back', () =>
    pair(annAsked).when(blocks('ann')).thenTypes('MemberBlocked', 'FriendRequestCancelled'));
  it('by the one who was asked declines it', () =>
    pair(annAsked).when(blocks('bob')).thenTypes('MemberBlocked', 'FriendRequestDeclined'));
  it('reads to both as if the other were not there', () => {
    pair(annBlocks).when(asks('bob', 'ann')).thenRejects('member-not-available');
    pair(annBlocks).when(asks('ann', 'bob')).thenRejects('member-not-available');
  });
  it('taken back restores nothing', () => {
    pair(annAsked, accepted, formed, annBlocks)
      .when(unblocks('ann'))
      .then({ type: 'MemberUnblocked', data: { blockerId: 'ann', blockedId: 'bob' } });
    pair().when(unblocks('ann')).thenNothing();
  });
});

describe('age', () => {
  const child = { registered: true, ageBand: '13_15' } as const;
  it.each<[AgeBand, 'FriendRequestSent' | 'member-not-available']>([
    ['13_15', 'FriendRequestSent'],
    ['16_17', 'FriendRequestSent'],
    ['18_plus', 'member-not-available'],
    ['unknown', 'member-not-available'],
  ])('a %s who asks a child of 13 to 15: %s', (ageBand, outcome) => {
    const command = asks('ann', 'bob', t0, { from: { ...adult, ageBand }, to: child });
    if (outcome === 'FriendRequestSent') pair().when(command).thenTypes(outcome);
    else pair().when(command).thenRejects(outcome);
  });
  it('does not matter once the child has asked', () =>
    pair(annAsked)
      .when(asks('bob', 'ann', t0, { to: child }))
      .thenTypes('FriendRequestAccepted', 'FriendshipFormed'));
});

describe('friends in common', () => {
  it('are recorded with the friendship, however it was formed', () => {
    const withMutual = { ...formed, data: { ...formed.data, mutualFriendsAtFormation: 3 } } as FriendshipEvent;
    const accepts: FriendshipCommand = {
      type: 'AcceptFriendRequest',
      now: t0,
      data: { byMemberId: 'bob', otherMemberId: 'ann', counts, mutualFriends: 3 },
    };
    pair(annAsked).when(accepts).then(accepted, withMutual);
    const crossed = { ...withMutual, data: { ...withMutual.data, formedBy: 'mutual_request' } } as FriendshipEvent;
    pair(annAsked)
      .when(asks('bob', 'ann', t0, { mutualFriends: 3 }))
      .then(accepted, crossed);
  });
});

describe('limits', () => {
  it.each([
    [{ ...counts, friendsOfActor: 5_000 }, 'friend-limit-reached'],
    [{ ...counts, friendsOfOther: 5_000 }, 'member-not-available'],
    [{ ...counts, openOutgoingOfActor: 1_000 }, 'open-request-limit-reached'],
    [{ ...counts, requestsOfActorLast24h: 50 }, 'request-limit-reached'],
  ])('%j: %s', (reached, code) =>
    pair()
      .when(asks('ann', 'bob', t0, { counts: reached }))
      .thenRejects(code),
  );
  it('that cannot be looked at let nobody through, and keep nobody from what is so already', () => {
    const unknown = { counts: undefined };
    pair()
      .when(asks('ann', 'bob', t0, unknown))
      .thenRejects('friend-limits-unknown');
    pair(annAsked)
      .when(asks('bob', 'ann', t0, unknown))
      .thenRejects('friend-limits-unknown');
    const accepts: FriendshipCommand = {
      type: 'AcceptFriendRequest',
      now: t0,
      data: { byMemberId: 'bob', otherMemberId: 'ann', ...unknown },
    };
    pair(annAsked).when(accepts).thenRejects('friend-limits-unknown');
    pair(annAsked)
      .when(asks('ann', 'bob', t0, unknown))
      .thenNothing();
    pair(annAsked, accepted, formed).when(accepts).thenNothing();
  });
  it('a new account may ask 20 people a day', () =>
    pair()
      .when(
        asks('ann', 'bob', t0, {
          from: { ...adult, registeredAt: t0 },
          counts: { ...counts, requestsOfActorLast24h: 20 },
        }),
      )
      .thenRejects('request-limit-reached'));
});

const anyStep = fc.record({
  who: fc.constantFrom('ann', 'bob'),
  what: fc.constantFrom(
    'ask',
    'AcceptFriendRequest',
    'DeclineFriendRequest',
    'CancelFriendRequest',
    'RemoveFriend',
    'block',
    'unblock',
  ),
  daysLater: fc.integer({ min: 0, max: 100 }),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

function commandOf({ who, what }: Step, now: string, number: number): FriendshipCommand {
  if (what === 'ask') return asks(who, who === 'ann' ? 'bob' : 'ann', now, { requestId: `request-${number}` });
  if (what === 'block') return blocks(who, now);
  if (what === 'unblock') return unblocks(who, now);
  return answers(what as 'RemoveFriend', who, now);
}

function run(
  steps: readonly Step[],
  onStep: (story: Story<FriendshipCommand, FriendshipEvent, unknown>, command: FriendshipCommand) => void,
): void {
  const story = new Story(friendshipDecider);
  let now = t0;
  for (const [number, step] of steps.entries()) {
    now = addMs(now, step.daysLater * dayMs);
    const command = commandOf(step, now, number);
    try {
      story.carryOut(command);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      continue;
    }
    onStep(story as never, command);
  }
}

describe('any history of a pair', () => {
  it('never has a request or a friendship under a block, nor both at once', () =>
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) =>
        run(steps, ({ state }) => {
          const { open, friendship, blockedBy } = state as typeof friendshipDecider.initialState;
          expect([open, friendship, blockedBy.length > 0 || undefined].filter(Boolean).length).toBeLessThanOrEqual(1);
          expect(new Set(blockedBy).size).toBe(blockedBy.length);
        }),
      ),
    ));

  it('takes the same command twice as once', () =>
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) =>
        run(steps, (story, command) => {
          // Asking one's blocker again, or asking for what only a first answer can give, may be refused; nothing is doubled.
          const length = story.events.length;
          try {
            expect(story.carryOut(command)).toEqual([]);
          } catch (error) {
            expect(error).toBeInstanceOf(Rejection);
          }
          expect(story.events.length).toBe(length);
        }),
      ),
    ));

  it('is the same whether the timer was in time or never came', () =>
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        const late = new Story(friendshipDecider);
        const inTime = new Story(friendshipDecider);
        let now = t0;
        for (const [number, step] of steps.entries()) {
          for (let day = 0; day < step.daysLater; day += 1) inTime.tick(addMs(now, day * dayMs));
          now = addMs(now, step.daysLater * dayMs);
          for (const story of [late, inTime]) {
            try {
              story.carryOut(commandOf(step, now, number));
            } catch (error) {
              if (!(error instanceof Rejection)) throw error;
              story.tick(now);
            }
          }
        }
        expect(stored(late.events)).toEqual(stored(inTime.events));
      }),
    ));
});
