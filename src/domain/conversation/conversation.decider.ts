// A conversation is started once: its id derives from who takes part, so starting it again finds it. Who may start one
// is decided here; who may write into it, in the thread. One that a stranger starts is a request until it is accepted.
import { toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { Rejection } from '../../kernel/rejection.js';
import type { ConversationCommand } from './conversation.commands.js';
import type { ConversationEvent } from './conversation.events.js';

export interface ConversationRequest {
  readonly to: string;
  readonly from: string;
  readonly startedAt: string;
  readonly declined: boolean;
}

export interface StartedConversation {
  readonly kind: 'direct' | 'brand';
  readonly memberIds: readonly string[];
  readonly brandId?: string | undefined;
  readonly startedBy: string;
  /** Not accepted (yet). */
  readonly request?: ConversationRequest | undefined;
}
export type ConversationState = StartedConversation | undefined;

const notAvailable = (): Rejection => new Rejection('member-not-available', 'no such member');
const tooYoung = (): Rejection => new Rejection('age-restricted', 'conversations are open from the age of 16');

/** The request as this member may answer it; undefined: there is nothing (more) to accept. */
function requestTo(state: ConversationState, memberId: string): ConversationRequest | undefined {
  if (!state?.memberIds.includes(memberId)) throw new Rejection('conversation-not-found', 'no such conversation');
  if (state.request && state.request.to !== memberId) {
    throw new Rejection('no-open-request', 'a request is answered by who was asked');
  }
  return state.request;
}

function answered(conversationId: string, { to, from, startedAt }: ConversationRequest, now: string) {
  const latencySec = Math.max(0, Math.floor((toMs(now) - toMs(startedAt)) / 1_000));
  return { conversationId, memberId: to, requestedBy: from, latencySec };
}

export const conversationDecider: Decider<ConversationCommand, ConversationEvent, ConversationState> = {
  category: 'conversation',
  initialState: undefined,
  decide: {
    /**
     * Friendship, block and the other's settings are read from their streams and not locked. Worst case: a conversation
     * that is started while a block is set exists, empty: the thread refuses its messages.
     */
    StartDirectConversation: ({ data }, state) => {
      const { conversationId, startedBy, otherMemberId, origin, originRef } = data;
      if (state) return [];
      if (startedBy === otherMemberId) throw new Rejection('not-yourself', 'a conversation with yourself');
      if (data.starterAgeBand === '13_15') throw tooYoung();
      const { registered, ageBand, allowIncoming } = data.other;
      if (!registered || data.blockedEitherWay || ageBand === '13_15' || allowIncoming === 'none') throw notAvailable();
      if (allowIncoming === 'friends' && !data.areFriends) throw notAvailable();
      const memberIds = startedBy < otherMemberId ? [startedBy, otherMemberId] : [otherMemberId, startedBy];
      const requestTo = data.areFriends ? undefined : otherMemberId;
      const started = { conversationId, kind: 'direct', startedBy, memberIds, origin, originRef, requestTo } as const;
      return [{ type: 'ConversationStarted', data: started }];
    },
    /** Only the customer can: there is no such command for a brand (C13). */
    StartBrandConversation: ({ data }, state) => {
      const { conversationId, startedBy, brandId, origin, originRef } = data;
      if (state) return [];
      if (data.starterAgeBand === '13_15') throw tooYoung();
      if (!data.brandRegistered) throw new Rejection('brand-not-found', 'no such brand');
      const memberIds = [startedBy];
      const started = { conversationId, kind: 'brand', startedBy, memberIds, brandId, origin, originRef } as const;
      return [{ type: 'ConversationStarted', data: started }];
    },
    /** Also after a no: who declined may change their mind. */
    AcceptConversationRequest: ({ data: { conversationId, memberId, by }, now }, state) => {
      const request = requestTo(state, memberId);
      if (!request) return [];
      return [{ type: 'ConversationRequestAccepted', data: { ...answered(conversationId, request, now), by } }];
    },
    DeclineConversationRequest: ({ data: { conversationId, memberId }, now }, state) => {
      const request = requestTo(state, memberId);
      if (!request) throw new Rejection('no-open-request', 'there is no open request to answer');
      if (request.declined) return [];
      return [{ type: 'ConversationRequestDeclined', data: answered(conversationId, request, now) }];
    },
  },
  evolve: {
    ConversationStarted: (_, { data: { kind, memberIds, brandId, startedBy, requestTo: to } }, { occurredAt }) => ({
      kind,
      memberIds,
      brandId,
      startedBy,
      ...(to === undefined ? {} : { request: { to, from: startedBy, startedAt: occurredAt, declined: false } }),
    }),
    ConversationRequestAccepted: (state) => state && { ...state, request: undefined },
    ConversationRequestDeclined: (state) =>
      state?.request && { ...state, request: { ...state.request, declined: true } },
  },
};
