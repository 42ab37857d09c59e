// A moment is published once, reacted to by those who may see it, and deleted by its author. Who may see it is judged
// again at every read; here it only decides who may react.
import { toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import { Rejection } from '../../kernel/rejection.js';
import type { MomentCommand } from './moment.commands.js';
import type { MomentEvent } from './moment.events.js';

/**
 * So many newest reactions are remembered, to know a repeated one. Worst case beyond it: a reaction that is already
 * there is recorded again, which every read model folds to the same.
 */
export const reactionsRememberedMax = 1_000;

export interface PublishedMoment {
  readonly authorId: string;
  readonly contentId: string;
  readonly audience: 'friends' | 'public';
  readonly allowReshare: boolean;
  readonly exceptMemberIds?: readonly string[] | undefined;
  readonly expiresAt?: string | undefined;
  readonly deleted: boolean;
  /** memberId → reaction, the newest last. */
  readonly reactions: ReadonlyMap<string, string>;
  readonly someForgotten: boolean;
}
export type MomentState = PublishedMoment | undefined;

const notFound = (): Rejection => new Rejection('moment-not-found', 'no such moment');

function withReaction(moment: PublishedMoment, memberId: string, reaction: string): PublishedMoment {
  const reactions = new Map(moment.reactions);
  reactions.delete(memberId);
  reactions.set(memberId, reaction);
  const oldest = reactions.size > reactionsRememberedMax ? reactions.keys().next().value : undefined;
  if (oldest === undefined) return { ...moment, reactions };
  reactions.delete(oldest);
  return { ...moment, reactions, someForgotten: true };
}

function withoutReaction(moment: PublishedMoment, memberId: string): PublishedMoment {
  const reactions = new Map(moment.reactions);
  reactions.delete(memberId);
  return { ...moment, reactions };
}

export const momentDecider: Decider<MomentCommand, MomentEvent, MomentState> = {
  category: 'moment',
  initialState: undefined,
  decide: {
    PublishMoment: ({ data, now }, state) => {
      if (!state && data.expiresAt !== undefined && toMs(data.expiresAt) <= toMs(now)) {
        throw new Rejection('expiry-passed', 'it would have expired already');
      }
      if (!state) return [{ type: 'MomentPublished', data }];
      if (state.authorId !== data.authorId || state.contentId !== data.contentRef.contentId) {
        throw new Rejection('moment-exists', 'this id is taken');
      }
      return [];
    },
    /**
     * Friendship and block are read from the pair and not locked. Worst case: a reaction that crosses a block or the end
     * of the friendship is recorded; no read shows it.
     */
    ReactToMoment: ({ data: { momentId, memberId, reaction, areFriends, blockedEitherWay }, now }, state) => {
      if (!state || state.deleted || blockedEitherWay) throw notFound();
      if (memberId !== state.authorId) {
        if (state.audience !== 'public' && !areFriends) throw notFound();
        if (state.exceptMemberIds?.includes(memberId)) throw notFound();
        if (state.expiresAt !== undefined && toMs(now) >= toMs(state.expiresAt)) throw notFound();
      }
      if (state.reactions.get(memberId) === reaction) return [];
      return [{ type: 'MomentReacted', data: { momentId, authorId: state.authorId, memberId, reaction } }];
    },
    UnreactToMoment: ({ data: { momentId, memberId } }, state) => {
      if (!state || state.deleted) throw notFound();
      if (!state.reactions.has(memberId) && !state.someForgotten) return [];
      return [{ type: 'MomentReactionRemoved', data: { momentId, authorId: state.authorId, memberId } }];
    },
    /** To everybody else the moment answers as if it were not there. */
    DeleteMoment: ({ data: { momentId, memberId } }, state) => {
      if (state?.authorId !== memberId) throw notFound();
      return state.deleted ? [] : [{ type: 'MomentDeleted', data: { momentId, authorId: memberId } }];
    },
  },
  evolve: {
    MomentPublished: (_, { data }) => ({
      authorId: data.authorId,
      contentId: data.contentRef.contentId,
      audience: data.audience,
      allowReshare: data.allowReshare,
      exceptMemberIds: data.exceptMemberIds,
      expiresAt: data.expiresAt,
      deleted: false,
      reactions: new Map(),
      someForgotten: false,
    }),
    MomentReacted: (state, { data }) => state && withReaction(state, data.memberId, data.reaction),
    MomentReactionRemoved: (state, { data }) => state && withoutReaction(state, data.memberId),
    MomentDeleted: (state) => state && { ...state, deleted: true, reactions: new Map(), someForgotten: false },
  },
};
