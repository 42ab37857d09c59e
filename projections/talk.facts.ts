// Who is there and who talks: members and their consent, friendships, sessions, conversations and messages.
import type { ConversationEvent } from '../src/domain/conversation/conversation.events.js';
import type { FriendshipEvent } from '../src/domain/friendship/friendship.events.js';
import type { MemberEvent } from '../src/domain/member/member.events.js';
import type { ObservationEvent } from '../src/domain/observation/observation.events.js';
import type { ReadmarkEvent } from '../src/domain/readmark/readmark.events.js';
import type { ThreadEvent } from '../src/domain/thread/thread.events.js';
import type { AnyEvent } from '../src/kernel/projection.js';
import type { DataOf, FactFields, FactHandler } from './fact-row.js';

function consent(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<MemberEvent, 'ConsentGranted' | 'ConsentWithdrawn'>;
  return [{ member_id: data.memberId, purpose: data.purpose }];
}

/** A step of a friend request or of a friendship: who did it, and the other one. */
function request(step: 'from' | 'to', stage: string): FactHandler {
  return (event) => {
    const data = event.data as DataOf<FriendshipEvent, 'FriendRequestSent'>;
    const [doer, other] = step === 'from' ? [data.fromMemberId, data.toMemberId] : [data.toMemberId, data.fromMemberId];
    return [{ member_id: doer, recipient_ids: [other], stage, entry: data.origin }];
  };
}

/** One row for the message, and one for each product card in it, since a card is a touch of the purchase path. */
function message(event: AnyEvent): readonly FactFields[] {
  const data = event.data as DataOf<ThreadEvent, 'MessageSent'>;
  const about: FactFields = {
    member_id: data.side === 'brand' ? undefined : data.senderId,
    sender_id: data.senderId,
    sender_kind: data.senderKind,
    recipient_ids: data.recipientIds,
    recipients: data.recipientIds.length,
    conversation_id: data.conversationId,
    conversation_kind: data.conversationKind,
    side: data.side,
    message_id: data.messageId,
    seq: event.revision,
  };
  const rows: FactFields[] = [
    {
      ...about,
      brand_id: data.brandId,
      share_id: data.shareId,
      answers_share_id: data.answersShareId,
      body_graphemes: data.bodyMeta.graphemes,
      body_has_link: data.bodyMeta.hasLink,
      media_kinds: data.bodyMeta.mediaKinds,
    },
  ];
  for (const attachment of data.attachments) {
    if (attachment.kind !== 'product_card') continue;
    rows.push({
      ...about,
      fact: 'ProductCardSent',
      card_id: attachment.cardId,
      touch_id: attachment.touchId,
      brand_id: attachment.productRef.brandId,
      product_id: attachment.productRef.productId,
      product_category: attachment.productRef.category,
      amount_minor: attachment.priceSnapshot.amountMinor,
      currency: attachment.priceSnapshot.currency,
    });
  }
  return rows;
}

export const talkFacts: Readonly<Record<string, FactHandler>> = {
  MemberRegistered: (event) => {
    const data = event.data as DataOf<MemberEvent, 'MemberRegistered'>;
    return [{ member_id: data.memberId, age_band: data.ageBand, country: data.country, link_id: data.viaLinkId }];
  },
  ConsentGranted: consent,
  ConsentWithdrawn: consent,
  FriendRequestSent: request('from', 'sent'),
  FriendRequestAccepted: request('to', 'accepted'),
  FriendRequestDeclined: request('to', 'declined'),
  FriendRequestCancelled: request('from', 'cancelled'),
  FriendRequestExpired: request('from', 'expired'),
  FriendshipFormed: (event) => {
    const data = event.data as DataOf<FriendshipEvent, 'FriendshipFormed'>;
    return [{ member_id: data.members[0], recipient_ids: [data.members[1]], entry: data.origin, stage: data.formedBy }];
  },
  FriendshipEnded: (event) => {
    const data = event.data as DataOf<FriendshipEvent, 'FriendshipEnded'>;
    return [{ member_id: data.members[0], recipient_ids: [data.members[1]], stage: data.reason }];
  },
  SessionStarted: (event) => {
    const data = event.data as DataOf<ObservationEvent, 'SessionStarted'>;
    return [
      {
        member_id: data.memberId,
        anon_id: data.anonId,
        session_id: data.sessionId,
        entry: data.entry,
        link_id: data.linkId,
        open_id: data.openId,
      },
    ];
  },
  SessionEnded: (event) => {
    const data = event.data as DataOf<ObservationEvent, 'SessionEnded'>;
    return [
      { member_id: data.memberId, anon_id: data.anonId, session_id: data.sessionId, duration_ms: data.engagedMs },
    ];
  },
  ConversationStarted: (event) => {
    const data = event.data as DataOf<ConversationEvent, 'ConversationStarted'>;
    return [
      {
        member_id: data.startedBy,
        conversation_id: data.conversationId,
        conversation_kind: data.kind,
        brand_id: data.brandId,
        recipient_ids: data.memberIds.filter((memberId) => memberId !== data.startedBy),
        entry: data.origin,
      },
    ];
  },
  MessageSent: message,
  ConversationReadUpTo: (event) => {
    const data = event.data as DataOf<ReadmarkEvent, 'ConversationReadUpTo'>;
    return [
      {
        member_id: data.side === 'member' ? data.readerId : undefined,
        brand_id: data.side === 'brand' ? data.readerId : undefined,
        conversation_id: data.conversationId,
        side: data.side === 'member' ? 'customer' : 'brand',
        seq: data.seq,
      },
    ];
  },
};
