// Messages of a conversation: who may write, what talks back to a share, and when a brand may answer.
import { describe, expect, it } from '@jest/globals';
import { bodyMeta } from '../../src/domain/thread/body-meta.js';
import type { Sender, ThreadCommand } from '../../src/domain/thread/thread.commands.js';
import { messagesRememberedMax, threadDecider } from '../../src/domain/thread/thread.decider.js';
import type { ThreadEvent } from '../../src/domain/thread/thread.events.js';
import { addMs, dayMs, hourMs } from '../../src/kernel/clock.js';
import { given, Story, t0 } from '../given.js';

const thread = given(threadDecider);
const direct = { kind: 'direct', memberIds: ['ann', 'bob'] } as const;
const withBrand = { kind: 'brand', memberIds: ['ann'], brandId: 'acme' } as const;
const clip = { kind: 'clip_ref', contentId: 'clip-1', creatorId: 'cleo' } as const;
const agent: Sender = { kind: 'brand_agent', brandId: 'acme', agentId: 'agent-7', bot: false };
const bot: Sender = { kind: 'brand_agent', brandId: 'acme', agentId: 'helper', bot: true };
const member = (memberId: string): Sender => ({ kind: 'member', memberId });

type Send = Extract<ThreadCommand, { type: 'SendMessage' }>;
function says(sender: Sender, messageId: string, change: Partial<Send['data']> = {}, now = t0): Send {
  const data = {
    messageId,
    conversationId: 'talk',
    conversation: direct,
    sender,
    blockedEitherWay: false,
    areFriends: true,
  };
  return { type: 'SendMessage', now, data: { ...data, body: 'hello', attachments: [], ...change } };
}
function sent(messageId: string, senderId: string, change: Partial<ThreadEvent['data']> = {}): ThreadEvent {
  return {
    type: 'MessageSent',
    data: {
      messageId,
      conversationId: 'talk',
      conversationKind: 'direct',
      senderId,
      senderKind: 'human',
      recipientIds: [senderId === 'ann' ? 'bob' : 'ann'],
      body: 'hello',
      bodyMeta: { graphemes: 5, words: 1, hasLink: false, mediaKinds: [] },
      attachments: [],
      ...change,
    },
  };
}
const card = {
  attachments: [{ kind: 'share_card', shareId: 'share-1', contentRef: clip }],
  shareId: 'share-1',
} as const;
const cardSent = sent('m1', 'ann', { shareId: 'share-1', attachments: [...card.attachments] });

describe('a message', () => {
  it('goes to the other one', () =>
    thread()
      .when(says(member('ann'), 'm1'))
      .then(sent('m1', 'ann')));
  it('sent again under the same id is the same message', () =>
    thread(sent('m1', 'ann'))
      .when(says(member('ann'), 'm1'))
      .thenNothing());
  it('cannot take somebody else’s id', () =>
    thread(sent('m1', 'ann'))
      .when(says(member('bob'), 'm1'))
      .thenRejects('message-exists'));
  it('from outside finds no conversation', () =>
    thread()
      .when(says(member('eve'), 'm1'))
      .thenRejects('conversation-not-found'));
  it('needs a conversation', () =>
    thread()
      .when(says(member('ann'), 'm1', { conversation: undefined }))
      .thenRejects('conversation-not-found'));
  it('does not pass a block', () =>
    thread()
      .when(says(member('ann'), 'm1', { blockedEitherWay: true }))
      .thenRejects('member-not-available'));
  it('needs a text or a card', () =>
    thread()
      .when(says(member('ann'), 'm1', { body: undefined }))
      .thenRejects('empty-message'));
  it.each([
    ['1,001 characters', 'x'.repeat(1_001)],
    ['more than 10,000 bytes in fewer characters', '👩‍👩‍👧‍👦'.repeat(500)],
  ])('of %s is too long', (_, body) =>
    thread()
      .when(says(member('ann'), 'm1', { body }))
      .thenRejects('body-too-long'),
  );
  it('may have 1,000 characters', () =>
    thread()
      .when(says(member('ann'), 'm1', { body: 'é'.repeat(1_000) }))
      .thenTypes('MessageSent'));
  it('carries one share', () =>
    thread()
      .when(says(member('ann'), 'm1', { attachments: [...card.attachments, ...card.attachments], shareId: 'share-1' }))
      .thenRejects('too-many-attachments'));
  it('carries the share of its card', () =>
    thread()
      .when(says(member('ann'), 'm1', { ...card, shareId: 'share-2' }))
      .thenRejects('share-mismatch'));
});

describe('talking back to a share', () => {
  const answered = (past: ThreadEvent[], command: Send) => {
    const [event] = thread(...past)
      .when(command)
      .outcome().events;
    return event?.data.answersShareId;
  };
  it('is the recipient’s message directly after it', () =>
    expect(answered([cardSent], says(member('bob'), 'm2'))).toBe('share-1'));
  it('is not the sharer’s own next message', () =>
    expect(answered([cardSent], says(member('ann'), 'm2'))).toBeUndefined());
  it('is not the second message after it', () =>
    expect(answered([cardSent, sent('m2', 'ann')], says(member('bob'), 'm3'))).toBeUndefined());
  it('is any reply to its card', () => {
    const replyTo = { messageId: 'm1', seq: 0 };
    expect(answered([cardSent, sent('m2', 'ann')], says(member('bob'), 'm3', { replyTo }))).toBe('share-1');
  });
  it('is not a reply to something else', () => {
    const replyTo = { messageId: 'm0', seq: 0 };
    expect(answered([sent('m0', 'ann'), cardSent], says(member('bob'), 'm2', { replyTo }))).toBeUndefined();
  });
  it('a reply names a message that is there', () => {
    const to = (seq: number) => says(member('bob'), 'm2', { replyTo: { messageId: 'm0', seq } });
    thread(cardSent).when(to(0)).thenRejects('unknown-reply-target');
    thread(cardSent).when(to(7)).thenRejects('unknown-reply-target');
  });
});

describe('a brand', () => {
  const asked = sent('m1', 'ann', { conversationKind: 'brand', brandId: 'acme', side: 'customer', recipientIds: [] });
  const answers = (sender: Sender, now: string) => says(sender, 'm2', { conversation: withBrand }, now);

  it('does not write first', () => thread().when(answers(agent, t0)).thenRejects('reply-window-closed'));
  it('answers the customer', () =>
    thread(asked)
      .when(answers(agent, t0))
      .then(
        sent('m2', 'agent-7', { conversationKind: 'brand', brandId: 'acme', side: 'brand', recipientIds: ['ann'] }),
      ));
  it('by a bot for 24 hours', () => {
    thread(asked)
      .when(answers(bot, addMs(t0, 24 * hourMs)))
      .thenTypes('MessageSent');
    thread(asked)
      .when(answers(bot, addMs(t0, 24 * hourMs + 1)))
      .thenRejects('reply-window-closed');
  });
  it('by a person for 7 days', () => {
    thread(asked)
      .when(answers(agent, addMs(t0, 7 * dayMs)))
      .thenTypes('MessageSent');
    thread(asked)
      .when(answers(agent, addMs(t0, 7 * dayMs + 1)))
      .thenRejects('reply-window-closed');
  });
  it('does not find another brand’s conversation', () =>
    thread(asked)
      .when(answers({ ...agent, brandId: 'other' } as Sender, t0))
      .thenRejects('conversation-not-found'));
});

describe('the state of a thread', () => {
  it('is the fold of its last messages, wherever the reading began', () => {
    const whole = new Story(threadDecider);
    for (let number = 0; number < 3 * messagesRememberedMax; number += 1) whole.record(sent(`m${number}`, 'ann'), t0);
    expect(threadDecider.tail).toBe(messagesRememberedMax);
    expect(whole.state.recent.length).toBe(messagesRememberedMax);
    expect(whole.state.recent[0]?.seq).toBe(2 * messagesRememberedMax);
  });
});

describe('what analysis may know of a message', () => {
  it.each([
    [undefined, { graphemes: 0, words: 0, hasLink: false }],
    ['two words', { graphemes: 9, words: 2, hasLink: false }],
    ['see https://example.org/x', { graphemes: 25, words: 4, hasLink: true }],
    ['👩‍👩‍👧‍👦', { graphemes: 1, words: 0, hasLink: false }],
    ['おはようございます', { graphemes: 9, words: 2, hasLink: false }],
  ])('%s: %j', (body, meta) => {
    const { graphemes, hasLink, words } = bodyMeta({ body, attachments: [] });
    expect({ graphemes, hasLink }).toEqual({ graphemes: meta.graphemes, hasLink: meta.hasLink });
    expect(words > 0).toBe(meta.words > 0);
  });
  it('is each kind of what it carries, once and in a fixed order, with a text or without', () => {
    const shoe = {
      kind: 'product_card',
      cardId: 'card-1',
      productRef: { productId: 'shoe', brandId: 'acme' },
      priceSnapshot: { amountMinor: 9_900, currency: 'EUR' },
      availabilitySnapshot: true,
      touchId: 'touch-1',
    } as const;
    const attachments = [...card.attachments, shoe, { ...shoe, cardId: 'card-2' }];
    for (const body of ['look', undefined]) {
      const [event] = thread()
        .when(says(member('ann'), 'm1', { ...card, body, attachments }))
        .outcome().events;
      expect(event?.data.bodyMeta.mediaKinds).toEqual(['product_card', 'share_card']);
    }
  });
});

describe('a stranger’s request', () => {
  const conversation = { ...direct, request: { to: 'ann', declined: false } };
  const toAnn = { conversation, areFriends: false };
  const [m1, m2, m3] = [sent('m1', 'bob'), sent('m2', 'bob'), sent('m3', 'bob')];

  it('is three messages at most before the other has accepted', () => {
    thread(m1, m2)
      .when(says(member('bob'), 'm3', toAnn))
      .thenTypes('MessageSent');
    thread(m1, m2, m3)
      .when(says(member('bob'), 'm4', toAnn))
      .thenRejects('acceptance-awaited');
    thread(m1, m2, m3)
      .when(says(member('bob'), 'm3', toAnn))
      .thenNothing();
    thread(m1, m2, m3)
      .when(says(member('bob'), 'm4', { conversation: direct, areFriends: false }))
      .thenTypes('MessageSent');
  });
  it('is plain text: no links, no cards', () => {
    const refused = 'text-only-before-acceptance';
    thread()
      .when(says(member('bob'), 'm1', { ...toAnn, body: 'see https://example.org/win' }))
      .thenRejects(refused);
    thread()
      .when(says(member('bob'), 'm1', { ...toAnn, ...card }))
      .thenRejects(refused);
  });
  it('that was declined reads as if nobody were there', () =>
    thread(m1)
      .when(
        says(member('bob'), 'm2', { ...toAnn, conversation: { ...direct, request: { to: 'ann', declined: true } } }),
      )
      .thenRejects('member-not-available'));
  it('limits neither the one who was asked, nor friends', () => {
    thread(m1)
      .when(says(member('ann'), 'm2', { ...toAnn, ...card }))
      .thenTypes('MessageSent');
    thread(m1, m2, m3)
      .when(says(member('bob'), 'm4', { ...toAnn, ...card, areFriends: true }))
      .thenTypes('MessageSent');
  });
});
