// What stands around the messages: who may start a conversation, how far it was read, and the moments people react to.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ConversationCommand } from '../../src/domain/conversation/conversation.commands.js';
import { conversationDecider } from '../../src/domain/conversation/conversation.decider.js';
import type { ConversationEvent } from '../../src/domain/conversation/conversation.events.js';
import type { MomentCommand } from '../../src/domain/moment/moment.commands.js';
import { momentDecider, reactionsRememberedMax } from '../../src/domain/moment/moment.decider.js';
import type { MomentEvent } from '../../src/domain/moment/moment.events.js';
import type { ReadmarkCommand } from '../../src/domain/readmark/readmark.commands.js';
import { effectiveSeq, readmarkDecider } from '../../src/domain/readmark/readmark.decider.js';
import { addMs, minuteMs } from '../../src/kernel/clock.js';
import { given, Story, t0 } from '../given.js';

describe('starting a conversation', () => {
  const conversation = given(conversationDecider);
  type Direct = Extract<ConversationCommand, { type: 'StartDirectConversation' }>['data'];
  const starts = (change: Partial<Direct> = {}): ConversationCommand => ({
    type: 'StartDirectConversation',
    now: t0,
    data: {
      conversationId: 'talk',
      startedBy: 'bob',
      otherMemberId: 'ann',
      starterAgeBand: '18_plus',
      origin: 'profile',
      other: { registered: true, ageBand: '18_plus', allowIncoming: 'everyone' },
      areFriends: true,
      blockedEitherWay: false,
      ...change,
    },
  });
  const other = { registered: true, ageBand: '18_plus', allowIncoming: 'everyone' } as const;
  const started: ConversationEvent = {
    type: 'ConversationStarted',
    data: { conversationId: 'talk', kind: 'direct', startedBy: 'bob', memberIds: ['ann', 'bob'], origin: 'profile' },
  };
  it('again finds it, even under a block', () => {
    conversation().when(starts()).then(started);
    conversation(started)
      .when(starts({ blockedEitherWay: true }))
      .thenNothing();
  });
  it.each<[string, Partial<Direct>, string]>([
    ['with nobody', { other: { ...other, registered: false } }, 'member-not-available'],
    ['under a block', { blockedEitherWay: true }, 'member-not-available'],
    [
      'with somebody who wants none',
      { other: { ...other, allowIncoming: 'none' }, areFriends: true },
      'member-not-available',
    ],
    [
      'with a friends-only stranger',
      { other: { ...other, allowIncoming: 'friends' }, areFriends: false },
      'member-not-available',
    ],
    ['with a child', { other: { ...other, ageBand: '13_15' }, areFriends: true }, 'member-not-available'],
    ['as a child', { starterAgeBand: '13_15' }, 'age-restricted'],
    ['with oneself', { otherMemberId: 'bob' }, 'not-yourself'],
  ])('%s is refused', (_, change, code) => conversation().when(starts(change)).thenRejects(code));
  it('with a friend who takes friends only is fine', () =>
    conversation()
      .when(starts({ other: { ...other, allowIncoming: 'friends' }, areFriends: true }))
      .then(started));
  const asked = { ...started, data: { ...started.data, requestTo: 'ann' } } as ConversationEvent;
  const answers = (
    type: 'AcceptConversationRequest' | 'DeclineConversationRequest',
    memberId: string,
    now = t0,
  ): ConversationCommand => {
    const request = { conversationId: 'talk', memberId };
    return type === 'AcceptConversationRequest'
      ? { type, now, data: { ...request, by: 'acceptance' } }
      : { type, now, data: request };
  };
  const answer = { conversationId: 'talk', memberId: 'ann', requestedBy: 'bob', latencySec: 60 };
  const accepted: ConversationEvent = {
    type: 'ConversationRequestAccepted',
    data: { ...answer, by: 'acceptance' },
  };
  const declined: ConversationEvent = { type: 'ConversationRequestDeclined', data: answer };
  const aMinuteLater = addMs(t0, minuteMs);

  it('as a stranger is a request, which the other accepts or declines, once', () => {
    conversation()
      .when(starts({ areFriends: false }))
      .then(asked);
    conversation(asked)
      .when(answers('AcceptConversationRequest', 'ann', aMinuteLater))
      .then(accepted);
    conversation(asked)
      .when(answers('DeclineConversationRequest', 'ann', aMinuteLater))
      .then(declined);
    conversation(asked, accepted).when(answers('AcceptConversationRequest', 'ann')).thenNothing();
    conversation(asked, declined).when(answers('DeclineConversationRequest', 'ann')).thenNothing();
    conversation(asked, accepted).when(answers('DeclineConversationRequest', 'ann')).thenRejects('no-open-request');
  });
  it('that was declined may be accepted after all', () =>
    conversation(asked, declined)
      .when(answers('AcceptConversationRequest', 'ann', aMinuteLater))
      .then(accepted));
  it.each(['AcceptConversationRequest', 'DeclineConversationRequest'] as const)('%s is not for others', (type) => {
    conversation(asked).when(answers(type, 'bob')).thenRejects('no-open-request');
    conversation(asked).when(answers(type, 'eve')).thenRejects('conversation-not-found');
    conversation().when(answers(type, 'ann')).thenRejects('conversation-not-found');
  });
  it('keeps what led to it', () =>
    conversation()
      .when(starts({ origin: 'share', originRef: 'share-1' }))
      .then({ ...started, data: { ...started.data, origin: 'share', originRef: 'share-1' } } as ConversationEvent));
  it('with a brand is the customer’s', () => {
    type Brand = Extract<ConversationCommand, { type: 'StartBrandConversation' }>['data'];
    const opens = (change: Partial<Brand> = {}): ConversationCommand => ({
      type: 'StartBrandConversation',
      now: t0,
      data: {
        conversationId: 'talk',
        startedBy: 'bob',
        starterAgeBand: '16_17',
        origin: 'product_page',
        brandId: 'acme',
        brandRegistered: true,
        ...change,
      },
    });
    conversation()
      .when(opens())
      .then({
        type: 'ConversationStarted',
        data: {
          conversationId: 'talk',
          kind: 'brand',
          startedBy: 'bob',
          memberIds: ['bob'],
          brandId: 'acme',
          origin: 'product_page',
        },
      });
    conversation()
      .when(opens({ brandRegistered: false }))
      .thenRejects('brand-not-found');
    conversation()
      .when(opens({ starterAgeBand: '13_15' }))
      .thenRejects('age-restricted');
  });
});

describe('a read mark', () => {
  type Mark = Extract<ReadmarkCommand, { type: 'MarkRead' }>['data'];
  const reads = (seq: number, change: Partial<Mark> = {}): ReadmarkCommand => ({
    type: 'MarkRead',
    now: t0,
    data: {
      conversationId: 'talk',
      readerId: 'ann',
      side: 'member',
      seq,
      visibility: 'public',
      isParticipant: true,
      lastSeq: 10,
      readReceipts: true,
      ...change,
    },
  });
  const mark = given(readmarkDecider);
  it('is for who takes part, of what is there', () => {
    mark()
      .when(reads(3, { isParticipant: false }))
      .thenRejects('conversation-not-found');
    mark().when(reads(11)).thenRejects('seq-not-reached');
    mark().when(reads(10)).thenTypes('ConversationReadUpTo');
  });
  it('is private for who sends no receipts', () => {
    const { events } = mark()
      .when(reads(3, { readReceipts: false }))
      .outcome();
    expect(events[0]?.data.visibility).toBe('private');
  });
  it('after a private one may still be told to the others', () => {
    const told = new Story(readmarkDecider);
    told.carryOut(reads(5, { visibility: 'private' }));
    expect(told.carryOut(reads(4)).length).toBe(1);
    expect(told.carryOut(reads(4, { visibility: 'private' }))).toEqual([]);
    expect(effectiveSeq(told.state)).toBe(5);
  });
  it('only ever moves forward, and the same mark twice is one', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10), fc.boolean())), (marks) => {
        const told = new Story(readmarkDecider);
        let furthest = -1;
        for (const [seq, isPublic] of marks) {
          const command = reads(seq, { visibility: isPublic ? 'public' : 'private' });
          const before = told.state;
          told.carryOut(command);
          expect(told.carryOut(command)).toEqual([]);
          furthest = Math.max(furthest, seq);
          expect(effectiveSeq(told.state)).toBe(furthest);
          expect(told.state.publicSeq).toBeGreaterThanOrEqual(before.publicSeq);
          expect(told.state.privateSeq).toBeGreaterThanOrEqual(before.privateSeq);
        }
      }),
    ));
});

describe('a moment', () => {
  const moment = given(momentDecider);
  const data = {
    momentId: 'moment-1',
    authorId: 'ann',
    contentRef: { kind: 'photo', contentId: 'photo-1', creatorId: 'ann' },
    audience: 'friends',
    productRefs: [],
    allowReshare: true,
  } as const;
  const publishes = (change = {}): MomentCommand => ({
    type: 'PublishMoment',
    now: t0,
    data: { ...data, productRefs: [], ...change },
  });
  const published: MomentEvent = { type: 'MomentPublished', data: { ...data, productRefs: [] } };
  const deleted: MomentEvent = { type: 'MomentDeleted', data: { momentId: 'moment-1', authorId: 'ann' } };
  const reacts = (memberId: string, reaction = '❤️', change = {}): MomentCommand => ({
    type: 'ReactToMoment',
    now: t0,
    data: { momentId: 'moment-1', memberId, reaction, areFriends: true, blockedEitherWay: false, ...change },
  });
  const takesBack = (memberId: string): MomentCommand => ({
    type: 'UnreactToMoment',
    now: t0,
    data: { momentId: 'moment-1', memberId },
  });
  const deletes = (memberId: string): MomentCommand => ({
    type: 'DeleteMoment',
    now: t0,
    data: { momentId: 'moment-1', memberId },
  });
  const liked: MomentEvent = {
    type: 'MomentReacted',
    data: { momentId: 'moment-1', authorId: 'ann', memberId: 'bob', reaction: '❤️' },
  };

  it('is published once', () => {
    moment().when(publishes()).then(published);
    moment(published).when(publishes()).thenNothing();
    moment(published)
      .when(publishes({ authorId: 'eve' }))
      .thenRejects('moment-exists');
  });
  it('has one reaction per person', () => {
    moment(published).when(reacts('bob')).then(liked);
    moment(published, liked).when(reacts('bob')).thenNothing();
    moment(published, liked).when(reacts('bob', '😂')).thenTypes('MomentReacted');
    moment(published, liked).when(takesBack('bob')).thenTypes('MomentReactionRemoved');
    moment(published).when(takesBack('bob')).thenNothing();
  });
  it('is not there for strangers and the blocked', () => {
    moment(published)
      .when(reacts('eve', '❤️', { areFriends: false }))
      .thenRejects('moment-not-found');
    moment(published)
      .when(reacts('bob', '❤️', { blockedEitherWay: true }))
      .thenRejects('moment-not-found');
    const open = { ...published, data: { ...published.data, audience: 'public' } } as MomentEvent;
    moment(open)
      .when(reacts('eve', '❤️', { areFriends: false }))
      .thenTypes('MomentReacted');
  });
  it('kept from some, or expired, is not there for them', () => {
    const expiresAt = addMs(t0, minuteMs);
    const kept = { ...published, data: { ...published.data, exceptMemberIds: ['bob'], expiresAt } } as MomentEvent;
    const late = { ...reacts('cid'), now: expiresAt } as MomentCommand;
    moment(kept).when(reacts('bob')).thenRejects('moment-not-found');
    moment(kept).when(reacts('cid')).thenTypes('MomentReacted');
    moment(kept).when(late).thenRejects('moment-not-found');
    moment(kept)
      .when({ ...reacts('ann'), now: expiresAt } as MomentCommand)
      .thenTypes('MomentReacted');
    moment()
      .when(publishes({ expiresAt: t0 }))
      .thenRejects('expiry-passed');
  });
  it('is deleted by its author, and then gone', () => {
    moment(published).when(deletes('ann')).then(deleted);
    moment(published, deleted).when(deletes('ann')).thenNothing();
    moment(published).when(deletes('bob')).thenRejects('moment-not-found');
    moment(published, deleted).when(reacts('bob')).thenRejects('moment-not-found');
  });
  it('remembers a bounded number of reactions, and can still take the oldest back', () => {
    const told = new Story(momentDecider);
    told.carryOut(publishes());
    for (let number = 0; number <= reactionsRememberedMax; number += 1) told.carryOut(reacts(`friend-${number}`));
    expect(told.state?.reactions.size).toBe(reactionsRememberedMax);
    expect(told.carryOut(takesBack('friend-0')).length).toBe(1);
  });
});
