// What may be asked of a moment's stream, `moment-<momentId>`.
import type { CommandOf, DataOf } from '../../kernel/message.js';
import type { MomentEvent } from './moment.events.js';

export type MomentCommand = CommandOf<{
  PublishMoment: DataOf<MomentEvent, 'MomentPublished'>;
  ReactToMoment: {
    readonly momentId: string;
    readonly memberId: string;
    readonly reaction: string;
    /** Look-ups in the pair of the reacting member and the author (both false for the author). */
    readonly areFriends: boolean;
    readonly blockedEitherWay: boolean;
  };
  UnreactToMoment: { readonly momentId: string; readonly memberId: string };
  DeleteMoment: { readonly momentId: string; readonly memberId: string };
}>;
