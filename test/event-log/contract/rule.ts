// What a rule of the contract is, and the few things that all rules need. A rule is a plain function, so that it can be
// run on a log with a planted fault as well as on the real ones.
import { randomUUID } from 'node:crypto';
import type { EventLog, LogEvent, NewEvent, SubscriptionPage } from '../../../src/event-log/event-log.js';

export interface Subject {
  readonly log: EventLog;
  /** The limit that the log was opened with. */
  readonly appendBytesMax: number;
  /** True where appendMany is one commit. */
  readonly allOrNothing: boolean;
  /** Ends the log and opens it again on the same data. Absent where the server is not ours to restart. */
  readonly restart?: () => Promise<EventLog>;
  /** How long a check waits for what should come, in ms. */
  readonly patienceMs: number;
}

export interface Rule {
  readonly says: string;
  readonly needsRestart?: true;
  check(subject: Subject): Promise<void>;
}

/** A stream that nobody used before: the log may be shared with others. */
export function newStream(): string {
  return `contract-${randomUUID()}`;
}

export function json(data: unknown = {}, type = 'ContractEvent'): NewEvent {
  return {
    id: randomUUID(),
    type,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.from('{"actor":"contract"}'),
  };
}

export function binary(data: Uint8Array, type = 'ContractBytes'): NewEvent {
  return { id: randomUUID(), type, contentType: 'application/octet-stream', data, metadata: new Uint8Array(0) };
}

export function several(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => json({ i }));
}

export async function all(pages: AsyncIterable<readonly LogEvent[]>): Promise<LogEvent[]> {
  const events: LogEvent[] = [];
  for await (const page of pages) events.push(...page);
  return events;
}

export function ids(events: readonly { readonly id: string }[]): string[] {
  return events.map((event) => event.id);
}

export function revisions(events: readonly LogEvent[]): number[] {
  return events.map((event) => event.revision);
}

/** The events of one stream in what readAll gives: others may write to the log, too. */
export function of(stream: string, events: readonly LogEvent[]): LogEvent[] {
  return events.filter((event) => event.stream === stream);
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it should have been refused, but succeeded');
}

export interface Followed {
  readonly events: LogEvent[];
  /** How many events had been seen at each mark. */
  readonly caughtUpAt: number[];
}

/** Follows until `enough`; the subscription must then end by its signal. @throws when patience runs out */
export async function follow(
  subject: Subject,
  subscribe: (signal: AbortSignal) => AsyncIterable<SubscriptionPage>,
  enough: (seen: Followed) => boolean | Promise<boolean>,
): Promise<Followed> {
  const seen: Followed = { events: [], caughtUpAt: [] };
  const stop = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop.abort();
  }, subject.patienceMs);
  try {
    for await (const page of subscribe(stop.signal)) {
      if (page.kind === 'events') seen.events.push(...page.events);
      else seen.caughtUpAt.push(seen.events.length);
      if (await enough(seen)) stop.abort();
    }
  } finally {
    clearTimeout(timer);
  }
  if (late) throw new Error(`after ${subject.patienceMs} ms the subscription had given ${seen.events.length} events`);
  return seen;
}
