// What may be asked of a conversation's messages, `thread-<conversationId>`.
import type { CommandOf } from '../../kernel/message.js';
import type { Attachment } from './thread.events.js';

/** The conversation as the command layer found it; absent: never started. */
export interface ConversationLookup {
  readonly kind: 'direct' | 'brand';
  readonly memberIds: readonly string[];
  readonly brandId?: string | undefined;
  /** It is a request of a stranger that `to` has not accepted. */
  readonly request?: { readonly to: string; readonly declined: boolean } | undefined;
}

export type Sender =
  | { readonly kind: 'member'; readonly memberId: string }
  | { readonly kind: 'brand_agent'; readonly brandId: string; readonly agentId: string; readonly bot: boolean };

export type ThreadCommand = CommandOf<{
  SendMessage: {
    readonly messageId: string;
    readonly conversationId: string;
    readonly conversation: ConversationLookup | undefined;
    readonly sender: Sender;
    /** Look-up in the pair of a direct conversation; false for a brand's. */
    readonly blockedEitherWay: boolean;
    /** Look-up in the same pair: among friends nothing is a request. */
    readonly areFriends: boolean;
    readonly body?: string | undefined;
    /** The language of the text, as the app says it. */
    readonly lang?: string | undefined;
    readonly mentions?: readonly string[] | undefined;
    /** Cards with the price and availability that the command layer read from the product. */
    readonly attachments: readonly Attachment[];
    readonly replyTo?: { readonly messageId: string; readonly seq: number } | undefined;
    /** The share this message delivers: of its share card, or made by the server for a bare product card. */
    readonly shareId?: string | undefined;
  };
}>;
