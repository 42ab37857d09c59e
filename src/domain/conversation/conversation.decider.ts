// A conversation is started once: its id derives from who takes part, so starting it again finds it. Who may start one
// is decided here; who may write into it, in the thread.
import type { Decider } from '../../kernel/decider.js';
import { Rejection } from '../../kernel/rejection.js';
import type { ConversationCommand } from './conversation.commands.js';
import type { ConversationEvent } from './conversation.events.js';

export interface StartedConversation {
  readonly kind: 'direct' | 'brand';
  readonly memberIds: readonly string[];
  readonly brandId?: string | undefined;
  readonly startedBy: string;
}
export type ConversationState = StartedConversation | undefined;

const notAvailable = (): Rejection => new Rejection('member-not-available', 'no such member');
const tooYoung = (): Rejection => new Rejection('age-restricted', 'conversations are open from the age of 16');

export const conversationDecider: Decider<ConversationCommand, ConversationEvent, ConversationState> = {
  category: 'conversation',
  initialState: undefined,
  decide: {
    /**
     * Friendship, block and the other's settings are read from their streams and not locked. Worst case: a conversation
     * that is started while a block is set exists, empty: the thread refuses its messages.
     */
    StartDirectConversation: ({ data }, state) => {
      const { conversationId, startedBy, otherMemberId, origin } = data;
      if (state) return [];
      if (startedBy === otherMemberId) throw new Rejection('not-yourself', 'a conversation with yourself');
      if (data.starterAgeBand === '13_15') throw tooYoung();
      const { registered, ageBand, allowIncoming } = data.other;
      if (!registered || data.blockedEitherWay || ageBand === '13_15' || allowIncoming === 'none') throw notAvailable();
      if (allowIncoming === 'friends' && !data.areFriends) throw notAvailable();
      const memberIds = startedBy < otherMemberId ? [startedBy, otherMemberId] : [otherMemberId, startedBy];
      return [{ type: 'ConversationStarted', data: { conversationId, kind: 'direct', startedBy, memberIds, origin } }];
    },
    /** Only the customer can: there is no such command for a brand (C13). */
    StartBrandConversation: ({ data }, state) => {
      const { conversationId, startedBy, brandId, origin } = data;
      if (state) return [];
      if (data.starterAgeBand === '13_15') throw tooYoung();
      if (!data.brandRegistered) throw new Rejection('brand-not-found', 'no such brand');
      const memberIds = [startedBy];
      return [
        { type: 'ConversationStarted', data: { conversationId, kind: 'brand', startedBy, memberIds, brandId, origin } },
      ];
    },
  },
  evolve: {
    ConversationStarted: (_, { data: { kind, memberIds, brandId, startedBy } }) => ({
      kind,
      memberIds,
      brandId,
      startedBy,
    }),
  },
};
