// What a careless log may lose when it is opened again: the log that comes back is another one, into which the events of the
// first were copied, some of them left out. But for that it is sound, and it has the first one's id.
import { randomUUID } from 'node:crypto';
import type { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog, LogEvent } from '../../../src/event-log/event-log.js';
import { metadataEventType, tombstoneEventType } from '../../../src/event-log/stream-metadata.js';
import { json } from './rule.js';

export interface Forgetful {
  /** What the restart does. */
  readonly fault: string;
  /** Whether an event is there after it. */
  readonly keeps: (event: LogEvent, all: readonly LogEvent[]) => boolean;
  /** Something before the first event: all positions are others. */
  readonly shifts?: true;
}

export const stands = 'remembers across a restart what stands at a revision';
export const everything = 'has everything after a restart as it was before it: events, positions, id, head';
export const hidden = 'remembers metadata, soft deletes and tombstones across a restart';

export const restartFaults: readonly (Forgetful & { readonly noticedBy: readonly string[] })[] = [
  { fault: 'comes back empty', keeps: () => false, noticedBy: [stands, everything, hidden] },
  {
    fault: 'drops the last event',
    keeps: (event, all) => event !== all.at(-1),
    noticedBy: [stands, everything, hidden],
  },
  {
    fault: 'drops the first event',
    keeps: (event, all) => event !== all[0],
    noticedBy: [stands, everything],
  },
  { fault: 'shifts all positions', keeps: () => true, shifts: true, noticedBy: [stands, everything] },
  { fault: 'forgets tombstones', keeps: ({ type }) => type !== tombstoneEventType, noticedBy: [hidden] },
  { fault: 'forgets metadata', keeps: ({ type }) => type !== metadataEventType, noticedBy: [hidden] },
];

/** Fills `after` from `before`, the fault's way, and gives it the name of the other. */
export async function forgetting(
  before: EmbeddedEventLog,
  after: EmbeddedEventLog,
  { keeps, shifts }: Forgetful,
): Promise<EventLog> {
  const all: LogEvent[] = [];
  for await (const page of before.readEverything({ direction: 'forwards' })) all.push(...page);
  if (shifts) await after.append(`shift-${randomUUID()}`, [json()], 'no_stream');
  for (const event of all.filter((one) => keeps(one, all))) {
    if (event.type === tombstoneEventType) await after.tombstoneStream(event.stream, 'any');
    else await after.append(event.stream, [event], 'any');
  }
  const id = await before.id();
  return new Proxy<EventLog>(after, {
    get: (target, name) => {
      const value: unknown = name === 'id' ? async () => id : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
