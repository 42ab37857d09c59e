// A life that only grows: with every step each read model gets one more of something, so that a reader knows what must
// be there and that it never becomes less.
import type { ChainableCommander } from 'ioredis';
import { cardKeys } from '../../projections/cards.document.js';
import { feedKeys } from '../../projections/friend-feed.document.js';
import { friendKeys } from '../../projections/friends.document.js';
import { inboxKeys } from '../../projections/inbox.document.js';
import { shareKeys } from '../../projections/shares.document.js';
import { threadKeys } from '../../projections/thread.document.js';
import { directConversationId, pairId } from '../../src/kernel/ids.js';
import { dueKey, timersName } from '../../src/kernel/timer.js';
import { scoredReply } from '../../src/stores/documents/replies.js';
import type { SocialEvent } from '../projections/social-history.js';

const startMs = Date.parse('2026-03-01T08:00:00.000Z');
const dayMs = 86_400_000;
const [hub, pal] = ['hub', 'pal'];
const conversationId = directConversationId(hub, pal);
const content = { kind: 'video', contentId: 'v1', creatorId: pal };
const share = { shareId: 's1', sharerId: hub, contentRef: content, productRefs: [] };
const chain = { surface: 'feed', parentEvidence: 'none', rootShareId: 's1', depth: 0 };
const link = { linkId: 'l1', ...share, destinationHint: 'whatsapp', showSharer: false };

function at(ms: number, stream: string, type: string, data: Record<string, unknown>): SocialEvent {
  return { stream, type, data, occurredAt: new Date(ms).toISOString() };
}
function member(ms: number, memberId: string): SocialEvent {
  const data = { memberId, handle: memberId, displayName: 'Name 0', ageBand: '18_plus', country: 'AT' };
  return at(ms, `member-${memberId}`, 'MemberRegistered', data);
}

/** Friends, their conversation and a share, before anything grows. */
export const beginning: readonly SocialEvent[] = [
  member(startMs, hub),
  member(startMs, pal),
  at(startMs, `friendship-${pairId(hub, pal)}`, 'FriendshipFormed', {
    friendshipId: 'f1',
    members: [hub, pal],
    formedBy: 'accept',
    origin: 'search',
  }),
  at(startMs, `conversation-${conversationId}`, 'ConversationStarted', {
    conversationId,
    kind: 'direct',
    startedBy: pal,
    memberIds: [hub, pal],
    origin: 'profile',
  }),
  at(startMs, 'share-s1', 'ShareInitiated', { ...share, ...chain }),
  at(startMs, 'sharelink-l1', 'ShareLinkMinted', link),
];

/** The events of step n, counted from 1: one for each read model. */
export function step(n: number): readonly SocialEvent[] {
  const ms = startMs + n * 1_000;
  const guest = `guest-${n}`;
  return [
    at(ms, `member-${hub}`, 'MemberProfileChanged', { memberId: hub, displayName: `Name ${n}` }),
    at(ms, `friendship-${pairId(guest, hub)}`, 'FriendRequestSent', {
      requestId: `q${n}`,
      fromMemberId: guest,
      toMemberId: hub,
      origin: 'search',
      expiresAt: new Date(ms + 90 * dayMs).toISOString(),
    }),
    at(ms, `moment-m${n}`, 'MomentPublished', {
      momentId: `m${n}`,
      authorId: pal,
      contentRef: content,
      audience: 'friends',
      productRefs: [],
      allowReshare: true,
    }),
    at(ms, `thread-${conversationId}`, 'MessageSent', {
      messageId: `x${n}`,
      conversationId,
      conversationKind: 'direct',
      senderKind: 'human',
      senderId: pal,
      recipientIds: [hub],
      body: `text ${n}`,
      bodyMeta: { graphemes: 5, words: 1, hasLink: false },
      attachments: [],
    }),
    at(ms, 'sharelink-l1', 'ShareLinkOpened', {
      openId: `o${n}`,
      linkId: 'l1',
      shareId: 's1',
      sharerId: hub,
      contentRef: content,
      visitorKey: `v${n}`,
      openerStatus: 'unknown',
      isSelfOpen: false,
      isPreviewBot: false,
      isPrefetch: false,
      isRepeat: false,
      firstForVisitor: true,
      referrerClass: 'none',
      uaFamily: 'any',
      osFamily: 'any',
    }),
  ];
}

interface Reading {
  readonly ask: (pipeline: ChainableCommander, key: (relative: string) => string) => void;
  /** How many steps the answer shows; undefined: what must be there is not. */
  readonly steps: (reply: unknown) => number | undefined;
}

function field<Document>(pick: (document: Document) => number): (reply: unknown) => number | undefined {
  return (reply) => (typeof reply === 'string' ? pick(JSON.parse(reply) as Document) : undefined);
}
const counted = (reply: unknown) => (typeof reply === 'number' ? reply : undefined);

/** By read model: a document of the hub (with one shard, so wherever it is) that grows with every step. */
export const readings: Readonly<Record<string, Reading>> = {
  cards: {
    ask: (pipeline, key) => pipeline.get(key(cardKeys.member(hub))),
    steps: field<{ displayName: string }>(({ displayName }) => Number(displayName.slice('Name '.length))),
  },
  friends: { ask: (pipeline, key) => pipeline.zcard(key(friendKeys.requestsIn(hub))), steps: counted },
  // Feeds are bounded: the newest entry tells of which step it is.
  'friend-feed': {
    ask: (pipeline, key) => pipeline.zrange(key(feedKeys.feed(hub)), '-1', '-1', 'WITHSCORES'),
    steps: (reply) => scoredReply(reply).map(({ score }) => (score - startMs) / 1_000)[0],
  },
  inbox: {
    ask: (pipeline, key) => pipeline.hget(key(inboxKeys.rows(hub)), conversationId),
    steps: field<{ lastSeq: number }>(({ lastSeq }) => lastSeq + 1),
  },
  thread: {
    ask: (pipeline, key) => pipeline.get(key(threadKeys.last(conversationId))),
    steps: field<{ seq: number }>(({ seq }) => seq + 1),
  },
  shares: {
    ask: (pipeline, key) => pipeline.get(key(shareKeys.link('s1'))),
    steps: field<{ opens: number }>(({ opens }) => opens),
  },
  // The share that nobody completes has a timer of its own.
  [timersName]: {
    ask: (pipeline, key) => pipeline.zcard(key(dueKey)),
    steps: (reply) => (typeof reply === 'number' ? reply - 1 : undefined),
  },
};
