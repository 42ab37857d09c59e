// What may be asked of a reader's mark, `readmark-<conversationId>_<readerId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { ReadmarkEvent } from './readmark.events.js';

export type ReadmarkCommand = CommandOf<{
  MarkRead: DataOf<ReadmarkEvent, 'ConversationReadUpTo'> & {
    /** Look-up in `conversation-<id>`: the reader takes part (for the brand's side: it is that brand's). */
    readonly isParticipant: boolean;
    /** Look-up: revision of the last message of `thread-<id>`, -1 when there is none. */
    readonly lastSeq: number;
    /** Look-up in the member's settings; true for a brand. False makes every mark private. */
    readonly readReceipts: boolean;
  };
}>;
