// The identity of a log behind EventStoreDB's protocol: kept in the log itself, made by whoever comes first.
import { randomUUID } from 'node:crypto';
import {
  type AppendResult,
  EventLogError,
  type ExpectedRevision,
  type LogEvent,
  type NewEvent,
  WrongExpectedRevision,
} from '../event-log.js';
import { identityEvent, identityFrom, identityStream } from '../log-identity.js';

export interface IdentityAccess {
  readonly last: (stream: string) => Promise<LogEvent | undefined>;
  readonly append: (stream: string, events: readonly NewEvent[], expected: ExpectedRevision) => Promise<AppendResult>;
}

/** @throws EventLogError `not-a-homing-log` when the stream holds something else */
export async function logId(access: IdentityAccess): Promise<string> {
  const known = await read(access);
  if (known !== undefined) return known;
  const made = randomUUID();
  try {
    await access.append(identityStream, [identityEvent(made)], 'no_stream');
    return made;
  } catch (error) {
    if (!(error instanceof WrongExpectedRevision)) throw error;
    const other = await read(access);
    if (other === undefined) throw error;
    return other;
  }
}

async function read(access: IdentityAccess): Promise<string | undefined> {
  const event = await access.last(identityStream);
  if (!event) return undefined;
  const id = identityFrom(event.data);
  if (id === undefined) throw new EventLogError('not-a-homing-log', `${identityStream} does not hold the id of a log`);
  return id;
}
