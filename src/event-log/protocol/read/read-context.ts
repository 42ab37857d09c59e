// What every form of a read needs, and how one event goes out.
import type { LogEvent } from '../../event-log.js';
import type { ServedLog } from '../served-log.js';
import { resolveLink } from './links.js';
import { eventResponse, type IdFormat } from './read-response.js';
import type { ResponseWriter } from './response-writer.js';

export interface ReadContext {
  readonly log: ServedLog;
  readonly writer: ResponseWriter;
  readonly idFormat: IdFormat;
  readonly resolveLinks: boolean;
}

/** Sends one event as it stands in the log, resolved where that was asked for. */
export function sendEvent(context: ReadContext, event: LogEvent): Promise<void> | undefined {
  const parts = context.resolveLinks ? resolveLink(context.log, event) : { event };
  return context.writer.write(eventResponse(parts, event.position, context.idFormat));
}

export async function sendEvents(context: ReadContext, events: readonly LogEvent[]): Promise<void> {
  for (const event of events) {
    const wait = sendEvent(context, event);
    if (wait) await wait;
    if (context.writer.signal.aborted) return;
  }
}
