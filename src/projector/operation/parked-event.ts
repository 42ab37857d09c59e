// A parked event, read from the log again by where it stands in its stream: positions are names, nothing is computed
// from them.
import type { EventLogReader, LogEvent } from '../../event-log/event-log.js';

export interface ParkedPlace {
  readonly eventId: string;
  readonly stream: string;
  readonly revision: number;
}

/** Undefined when the log does not give that event any more. */
export async function parkedEvent(
  log: Pick<EventLogReader, 'readStream'>,
  { eventId, stream, revision }: ParkedPlace,
): Promise<LogEvent | undefined> {
  for await (const page of log.readStream(stream, { from: revision, limit: 1 })) {
    const [event] = page;
    if (event) return event.revision === revision && event.id === eventId ? event : undefined;
  }
  return undefined;
}
