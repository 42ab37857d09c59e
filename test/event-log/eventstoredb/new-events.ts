// Events for the tests of the adapter.
import { randomUUID } from 'node:crypto';
import type { LogEvent, NewEvent } from '../../../src/event-log/event-log.js';
import type { EventStoreDbSettings } from '../../../src/event-log/eventstoredb/settings.js';

export function newEvent(type = 'Tested', data: unknown = { n: 1 }): NewEvent {
  return {
    id: randomUUID(),
    type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.alloc(0),
  };
}

export async function allOf(pages: AsyncIterable<readonly LogEvent[]>): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const page of pages) events.push(...page);
  return events;
}

/** Short waits, so that a test of what is waited for is quick. */
export const impatient: Partial<EventStoreDbSettings> = {
  attemptTimeoutMs: 1_000,
  giveUpAfterMs: 30_000,
  backOffMinMs: 10,
  backOffMaxMs: 200,
  idleCheckMs: 500,
};
