// Observations are never refused for what they say, only known already. The state is their ids.
import type { Decider } from '../../kernel/decider.js';
import type { ObservationCommand } from './observation.commands.js';
import type { ObservationEvent } from './observation.events.js';
import { has, noIds, type RecentIds, segmentSize, segmentsMax, withId } from './recent-ids.js';

export type ObservationState = RecentIds;

const remember = (state: ObservationState, _: unknown, place: { id: string; revision: number; receivedAt: string }) =>
  withId(state, place.id, place.revision, place.receivedAt);

export function alreadyRecorded(state: ObservationState, id: string): boolean {
  return has(state, id);
}

export const observationDecider: Decider<ObservationCommand, ObservationEvent, ObservationState> = {
  category: 'observations',
  initialState: noIds,
  tail: (segmentsMax + 1) * segmentSize,
  decide: {
    RecordObservations: ({ data: { observations } }, state) => {
      const inBatch = new Set<string>();
      return observations.filter(({ id }) => {
        if (has(state, id) || inBatch.has(id)) return false;
        inBatch.add(id);
        return true;
      });
    },
  },
  evolve: {
    SessionStarted: remember,
    SessionEnded: remember,
    ContentViewed: remember,
    MomentSeen: remember,
    ProductCardDisplayed: remember,
    ProductCardTapped: remember,
    ProductViewed: remember,
  },
};
