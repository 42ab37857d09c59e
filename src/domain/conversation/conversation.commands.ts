// What may be asked of a conversation's stream, `conversation-<conversationId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { MemberStanding } from '../friendship/friendship.commands.js';
import type { PrivacySettings } from '../member/member.events.js';
import type { AgeBand } from '../vocabulary.js';
import type { ConversationEvent } from './conversation.events.js';

interface Start {
  readonly conversationId: string;
  readonly startedBy: string;
  readonly starterAgeBand: AgeBand;
  readonly origin: DataOf<ConversationEvent, 'ConversationStarted'>['origin'];
  readonly originRef?: string | undefined;
}

export type ConversationCommand = CommandOf<{
  StartDirectConversation: Start & {
    readonly otherMemberId: string;
    /** Look-ups: `member-<other>` and the pair's stream. */
    readonly other: MemberStanding & { readonly allowIncoming: PrivacySettings['allowIncoming'] };
    readonly areFriends: boolean;
    readonly blockedEitherWay: boolean;
  };
  StartBrandConversation: Start & {
    readonly brandId: string;
    /** Look-up: `brand-<brandId>`. */
    readonly brandRegistered: boolean;
  };
  /** By the member whom a stranger wrote to; their answer, or their friendship, is an acceptance too. */
  AcceptConversationRequest: {
    readonly conversationId: string;
    readonly memberId: string;
    readonly by: DataOf<ConversationEvent, 'ConversationRequestAccepted'>['by'];
  };
  DeclineConversationRequest: { readonly conversationId: string; readonly memberId: string };
}>;
