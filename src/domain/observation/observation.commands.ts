// What may be asked of a stream of observations, `observations-<nn>`: nobody may refuse them, only know them already.
import type { CommandOf } from '../../kernel/message.js';
import type { ObservationEvent } from './observation.events.js';

/** An observation with its own id, derived from (source, id), and its own time. */
export type IdentifiedObservation = ObservationEvent & { readonly id: string; readonly occurredAt: string };

export type ObservationCommand = CommandOf<{
  /** The ones already recorded (or twice in the same batch) give no event. */
  RecordObservations: { readonly observations: readonly IdentifiedObservation[] };
}>;
