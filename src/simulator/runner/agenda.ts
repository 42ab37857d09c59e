// Everything that is to be sent, commands and batches of observations, in one order of time.
import { type Batch, batches } from '../delivery.js';
import type { DeliveredObservation, SimulatedCommand } from '../script.js';
import { placeholders } from '../sequence.js';
import type { LaneUse } from './lanes.js';

export interface AgendaItem extends LaneUse {
  /** Place in the agenda, from 0. */
  readonly place: number;
  readonly at: string;
  /** Stays the same for the same seed: a second sending is known as such. */
  readonly key: string;
  readonly command?: SimulatedCommand;
  readonly batch?: Batch;
}

/** A batch carries the consent of the moment: it comes after every earlier consent and before every later one. */
const batchLanes: LaneUse = { writes: ['consents'], reads: [] };

export function makeAgenda(
  commands: readonly SimulatedCommand[],
  observations: readonly DeliveredObservation[],
  name: string,
): AgendaItem[] {
  const agenda: AgendaItem[] = [];
  const waiting = batches(observations);
  let next = 0;
  const putBatches = (before: string | undefined) => {
    for (let batch = waiting[next]; batch && (before === undefined || batch.at < before); batch = waiting[next]) {
      agenda.push({ place: agenda.length, at: batch.at, key: `${name}-b${next}`, batch, ...batchLanes });
      next += 1;
    }
  };
  for (const command of commands) {
    putBatches(command.at);
    const { at, writes, reads } = command;
    agenda.push({ place: agenda.length, at, key: `${name}-c${command.n}`, command, writes, reads });
  }
  putBatches(undefined);
  return agenda;
}

/** Name of a result → place of the last item that needs it. */
export function lastUses(agenda: readonly AgendaItem[]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { place, command } of agenda) {
    if (command) for (const name of placeholders(command)) uses.set(name, place);
  }
  return uses;
}
