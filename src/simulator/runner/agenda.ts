// Everything that is to be sent, commands and batches of observations, in one order of time.
import { type Batch, batches } from '../delivery.js';
import { type DeliveredObservation, opensLane, type SimulatedCommand } from '../script.js';
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

/**
 * A batch carries the consent of the moment: it comes after every earlier consent and before every later one. A view
 * through a share is an open of it: after the share, and before what its viewer shares next.
 */
function batchLanes({ items }: Batch): LaneUse {
  const opens = new Set<string>();
  const shares = new Set<string>();
  for (const { memberId, viaShareId } of items.map(({ data }) => data)) {
    if (typeof memberId !== 'string' || typeof viaShareId !== 'string') continue;
    opens.add(opensLane({ id: memberId }));
    shares.add(`share:${viaShareId}`);
  }
  return { writes: ['consents', ...opens], reads: [...shares] };
}

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
      agenda.push({ place: agenda.length, at: batch.at, key: `${name}-b${next}`, batch, ...batchLanes(batch) });
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

/** Name of a result → the item whose answer tells it; a second sending of that item tells the same. */
export function resultKeepers(agenda: readonly AgendaItem[]): Map<string, AgendaItem> {
  const keepers = new Map<string, AgendaItem>();
  for (const item of agenda) for (const name of Object.keys(item.command?.keep ?? {})) keepers.set(name, item);
  return keepers;
}

/** The first item that may not have been carried out by a service whose clock stands there: all before it have been. */
export function resumePlace(agenda: readonly AgendaItem[], clock: string): number {
  const place = agenda.findIndex(({ at }) => at >= clock);
  return place < 0 ? agenda.length : place;
}
