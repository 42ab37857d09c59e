// A mark says "everything up to here was displayed" and only moves forward. A public one tells the others, a private
// one clears the reader's own badges; the effective mark is the further of the two (Matrix, XEP-0333).
import type { Decider } from '../../kernel/decider.js';
import { Rejection } from '../../kernel/rejection.js';
import type { ReadmarkCommand } from './readmark.commands.js';
import type { ReadmarkEvent } from './readmark.events.js';

/** -1: nothing read yet. */
export interface ReadmarkState {
  readonly publicSeq: number;
  readonly privateSeq: number;
}

export function effectiveSeq(state: ReadmarkState): number {
  return Math.max(state.publicSeq, state.privateSeq);
}

export const readmarkDecider: Decider<ReadmarkCommand, ReadmarkEvent, ReadmarkState> = {
  category: 'readmark',
  initialState: { publicSeq: -1, privateSeq: -1 },
  decide: {
    /**
     * The thread's last seq is looked up; it only grows, so a stale look-up can refuse a mark for a message of this very
     * moment, and the same request a moment later is accepted.
     */
    MarkRead: ({ data }, state) => {
      const { conversationId, readerId, side, seq } = data;
      if (!data.isParticipant) throw new Rejection('conversation-not-found', 'no such conversation');
      if (seq > data.lastSeq) {
        throw new Rejection('seq-not-reached', 'the conversation has no such message yet', { lastSeq: data.lastSeq });
      }
      const visibility = data.readReceipts ? data.visibility : 'private';
      const already = visibility === 'public' ? state.publicSeq : effectiveSeq(state);
      if (seq <= already) return [];
      return [{ type: 'ConversationReadUpTo', data: { conversationId, readerId, side, seq, visibility } }];
    },
  },
  evolve: {
    ConversationReadUpTo: (state, { data: { seq, visibility } }) =>
      visibility === 'public'
        ? { ...state, publicSeq: Math.max(state.publicSeq, seq) }
        : { ...state, privateSeq: Math.max(state.privateSeq, seq) },
  },
};
