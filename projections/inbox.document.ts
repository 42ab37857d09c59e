// Conversations by last activity, each with its last message and an exact count of what is unread. Unread is not a
// counter: it is lastSeq minus the further of the read mark and the reader's own last message, which in a conversation of
// two sides counts exactly the other side's messages after it. What strangers begin is a list of its own until it is
// accepted. Owner: the member, or for the brand's side the brand.
import type { z } from 'zod';
import {
  type conversationEvents,
  messagesBeforeAcceptanceMax,
} from '../src/domain/conversation/conversation.events.js';
import type { friendshipEvents } from '../src/domain/friendship/friendship.events.js';
import type { readmarkEvents } from '../src/domain/readmark/readmark.events.js';
import { botReplyWindowMs, humanReplyWindowMs, type threadEvents } from '../src/domain/thread/thread.events.js';
import { toMs } from '../src/kernel/clock.js';
import { directConversationId } from '../src/kernel/ids.js';
import type {
  AnyEvent,
  DocumentHandler,
  DocumentProjection,
  DocumentView,
  ReadSpec,
} from '../src/kernel/projection.js';
import { moveInLists, type Place } from './listed.js';

type Started = z.infer<(typeof conversationEvents)['ConversationStarted']>;
type Answered = z.infer<(typeof conversationEvents)['ConversationRequestDeclined']>;
type Formed = z.infer<(typeof friendshipEvents)['FriendshipFormed']>;
type Sent = z.infer<(typeof threadEvents)['MessageSent']>;
type Read = z.infer<(typeof readmarkEvents)['ConversationReadUpTo']>;
type Blocked = z.infer<(typeof friendshipEvents)['MemberBlocked']>;

/** Characters of a message shown in the list. */
export const previewCharactersMax = 120;

export interface LastMessage {
  readonly messageId: string;
  readonly seq: number;
  readonly senderId: string;
  readonly side?: 'customer' | 'brand' | undefined;
  readonly sentAt: string;
  /** Absent when there is no text, or the sender's key is gone. */
  readonly preview?: string | undefined;
  readonly attachments: readonly string[];
}

export interface InboxRow {
  readonly conversationId: string;
  readonly kind: 'direct' | 'brand';
  /** The member on the other side; for a customer's brand conversation absent. */
  readonly otherId?: string | undefined;
  readonly brandId?: string | undefined;
  readonly startedAt: string;
  /** ISO; the order of the list. */
  readonly lastActivityAt: string;
  /** -1: no message yet. */
  readonly lastSeq: number;
  readonly lastMessage?: LastMessage;
  /** The further of the read mark and the reader's own last message; -1: nothing. */
  readonly readSeq: number;
  /** A stranger began it and `to` has not accepted: both sides' rows say so. */
  readonly request?: { readonly to: string; readonly declined: boolean } | undefined;
  /** A brand's: ISO, when the customer last wrote. */
  readonly customerAt?: string | undefined;
  /** Members who block the other one here; while there is one, nothing of it counts as unread. */
  readonly blockedBy: readonly string[];
}

export interface UnreadTotals {
  readonly conversations: number;
  readonly messages: number;
}

export const inboxKeys = {
  /** Sorted sets of conversation ids by last activity (ms): what the owner takes part in, and what waits for a yes. */
  inbox: (ownerId: string) => `inbox:${ownerId}`,
  requests: (ownerId: string) => `requests:${ownerId}`,
  /** A hash: conversation → InboxRow. */
  rows: (ownerId: string) => `rows:${ownerId}`,
  totals: (ownerId: string) => `totals:${ownerId}`,
};

export function unreadOf({ lastSeq, readSeq, blockedBy }: InboxRow): number {
  return blockedBy.length > 0 ? 0 : Math.max(0, lastSeq - readSeq);
}

function isRequestTo(ownerId: string, { request }: InboxRow): boolean {
  return request?.to === ownerId;
}

/** What a member may do in it by what is recorded; a brand's answers have a window besides. */
export function canSend(ownerId: string, { blockedBy, request, lastSeq }: InboxRow): boolean {
  if (blockedBy.length > 0) return false;
  if (!request || request.to === ownerId) return true;
  return !request.declined && lastSeq + 1 < messagesBeforeAcceptanceMax;
}

export function canAnswer({ customerAt }: InboxRow, isBot: boolean, nowMs: number): boolean {
  return customerAt !== undefined && nowMs - toMs(customerAt) <= (isBot ? botReplyWindowMs : humanReplyWindowMs);
}

function readRow(ownerId: string, conversationId: string): readonly ReadSpec[] {
  return [{ hash: inboxKeys.rows(ownerId), field: conversationId }, { doc: inboxKeys.totals(ownerId) }];
}

/** Replaces a row and moves the owner's totals by the difference. */
function change(
  view: DocumentView,
  ownerId: string,
  conversationId: string,
  next: (row: InboxRow | undefined) => InboxRow | undefined,
): void {
  if (!view.owns(ownerId)) return;
  const before = view.field<InboxRow>(inboxKeys.rows(ownerId), conversationId);
  const after = next(before);
  if (!after || after === before) return;
  view.setField(inboxKeys.rows(ownerId), conversationId, after);
  moveInLists(view, conversationId, before && placeOf(ownerId, before), placeOf(ownerId, after));
  // A stranger's request makes no badge.
  const was = before && !isRequestTo(ownerId, before) ? unreadOf(before) : 0;
  const is = isRequestTo(ownerId, after) ? 0 : unreadOf(after);
  if (was !== is) {
    const totals = view.get<UnreadTotals>(inboxKeys.totals(ownerId)) ?? { conversations: 0, messages: 0 };
    view.put(inboxKeys.totals(ownerId), {
      conversations: totals.conversations + Math.sign(is) - Math.sign(was),
      messages: totals.messages + is - was,
    } satisfies UnreadTotals);
  }
  view.notify(ownerId, 'conversation', conversationId);
}

/** In one of the two lists; what was declined is in neither, and its row stays for a change of mind. */
function placeOf(ownerId: string, row: InboxRow): Place | undefined {
  const score = toMs(row.lastActivityAt);
  if (!isRequestTo(ownerId, row)) return { key: inboxKeys.inbox(ownerId), score };
  return row.request?.declined ? undefined : { key: inboxKeys.requests(ownerId), score };
}

/** Who has a row of it: both members, or the customer and the brand. */
function startedOwners({ memberIds, brandId }: Started): readonly string[] {
  return brandId === undefined ? memberIds : [...memberIds, brandId];
}

const started: DocumentHandler = {
  reads(event) {
    const data = event.data as Started;
    return [
      ...startedOwners(data).flatMap((ownerId) => readRow(ownerId, data.conversationId)),
      { hash: blocksKey(data.conversationId) },
    ];
  },
  apply(event, view) {
    const data = event.data as Started;
    const { conversationId, kind, brandId, requestTo } = data;
    const owners = startedOwners(data);
    const blockedBy = [...view.fields<true>(blocksKey(conversationId)).keys()].sort();
    const at = event.metadata.occurredAt;
    for (const ownerId of owners) {
      const otherId = owners.find((id) => id !== ownerId && id !== brandId);
      change(view, ownerId, conversationId, (row) =>
        row
          ? undefined
          : {
              conversationId,
              kind,
              otherId,
              brandId,
              startedAt: at,
              lastActivityAt: at,
              lastSeq: -1,
              readSeq: -1,
              ...(requestTo === undefined ? {} : { request: { to: requestTo, declined: false } }),
              blockedBy,
            },
      );
    }
  },
};

/** Kept beside the conversation, so that a block that was recorded just before the start is seen at the start. */
function blocksKey(conversationId: string): string {
  return `blocks:${conversationId}`;
}

function lastMessageOf(event: AnyEvent): LastMessage {
  const { messageId, senderId, side, body, attachments } = event.data as Sent;
  return {
    messageId,
    seq: event.revision,
    senderId,
    side,
    sentAt: event.metadata.occurredAt,
    preview: body === undefined ? undefined : Array.from(body).slice(0, previewCharactersMax).join(''),
    attachments: attachments.map(({ kind }) => kind),
  };
}

/** Who may have a row, from the event alone: the sender's side and the other. */
function sentOwners({ senderId, recipientIds, brandId, conversationKind }: Sent): readonly string[] {
  const people = conversationKind === 'brand' && brandId !== undefined ? [brandId] : [];
  return [...new Set([senderId, ...recipientIds, ...people])];
}

const sent: DocumentHandler = {
  reads(event) {
    const data = event.data as Sent;
    return sentOwners(data).flatMap((ownerId) => readRow(ownerId, data.conversationId));
  },
  apply(event, view) {
    const data = event.data as Sent;
    const seq = event.revision;
    const lastMessage = lastMessageOf(event);
    for (const ownerId of sentOwners(data)) {
      const own = data.side === 'brand' ? ownerId === data.brandId : ownerId === data.senderId;
      change(view, ownerId, data.conversationId, (row) => {
        // An agent of the brand has no row of its own: the brand has.
        if (!row || row.lastSeq >= seq) return undefined;
        const lastActivityAt = later(row.lastActivityAt, lastMessage.sentAt);
        const customerAt = data.side === 'customer' ? lastMessage.sentAt : row.customerAt;
        const readSeq = own ? seq : row.readSeq;
        return { ...row, lastSeq: seq, lastMessage, lastActivityAt, readSeq, customerAt };
      });
    }
  },
};

function later(a: string, b: string): string {
  return toMs(a) >= toMs(b) ? a : b;
}

const read: DocumentHandler = {
  reads(event) {
    const { readerId, conversationId } = event.data as Read;
    return readRow(readerId, conversationId);
  },
  apply(event, view) {
    const { readerId, conversationId, seq } = event.data as Read;
    change(view, readerId, conversationId, (row) => (row && seq > row.readSeq ? { ...row, readSeq: seq } : undefined));
  },
};

/** The conversation is no request any more, or was declined, for both of its two. */
function request(
  pairIn: (event: AnyEvent) => { readonly conversationId: string; readonly owners: readonly string[] },
  next: (request: NonNullable<InboxRow['request']>) => InboxRow['request'],
): DocumentHandler {
  return {
    reads(event) {
      const { conversationId, owners } = pairIn(event);
      return owners.flatMap((ownerId) => readRow(ownerId, conversationId));
    },
    apply(event, view) {
      const { conversationId, owners } = pairIn(event);
      for (const ownerId of owners) {
        change(view, ownerId, conversationId, (row) =>
          row?.request ? { ...row, request: next(row.request) } : undefined,
        );
      }
    },
  };
}

function answeredPair(event: AnyEvent) {
  const { conversationId, memberId, requestedBy } = event.data as Answered;
  return { conversationId, owners: [memberId, requestedBy] };
}

function formedPair(event: AnyEvent) {
  const [a, b] = (event.data as Formed).members;
  return { conversationId: directConversationId(a, b), owners: [a, b] };
}

function blockedConversation({ blockerId, blockedId }: Blocked): string {
  return directConversationId(blockerId, blockedId);
}

function setBlock(set: boolean): DocumentHandler {
  return {
    reads(event) {
      const data = event.data as Blocked;
      const conversationId = blockedConversation(data);
      return [data.blockerId, data.blockedId].flatMap((ownerId) => readRow(ownerId, conversationId));
    },
    apply(event, view) {
      const data = event.data as Blocked;
      const { blockerId, blockedId } = data;
      const conversationId = blockedConversation(data);
      if (set) view.setField(blocksKey(conversationId), blockerId, true);
      else view.deleteField(blocksKey(conversationId), blockerId);
      for (const ownerId of [blockerId, blockedId]) {
        change(view, ownerId, conversationId, (row) => {
          if (!row || row.blockedBy.includes(blockerId) === set) return undefined;
          const others = row.blockedBy.filter((id) => id !== blockerId);
          return { ...row, blockedBy: set ? [...others, blockerId].sort() : others };
        });
      }
    },
  };
}

function routingKeys(event: AnyEvent): readonly string[] {
  if (event.type === 'MemberBlocked' || event.type === 'MemberUnblocked') {
    return [`conversation-${blockedConversation(event.data as Blocked)}`];
  }
  if (event.type === 'FriendshipFormed') return [`conversation-${formedPair(event).conversationId}`];
  return [`conversation-${(event.data as Started).conversationId}`];
}

export const inbox: DocumentProjection = {
  name: 'inbox',
  version: 2,
  routingKeys,
  on: {
    ConversationStarted: started,
    ConversationRequestAccepted: request(answeredPair, () => undefined),
    ConversationRequestDeclined: request(answeredPair, ({ to }) => ({ to, declined: true })),
    FriendshipFormed: request(formedPair, () => undefined),
    MessageSent: sent,
    ConversationReadUpTo: read,
    MemberBlocked: setBlock(true),
    MemberUnblocked: setBlock(false),
  },
};
