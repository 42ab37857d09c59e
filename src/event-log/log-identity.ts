// Where a log that is reached through EventStoreDB's protocol keeps its id: as a metadata key of a stream of its own.
// Metadata needs no right that an ordinary user lacks, is no event to readers, and is made once by expecting none.
import { deriveId } from '../kernel/ids.js';
import type { NewEvent } from './event-log.js';
import { textOf } from './event-text.js';

export const identityStream = '$$hominglog-identity';
const identityKey = 'homingLogId';

/** The event that names the log; the same id always gives the same event, so writing it twice is writing it once. */
export function identityEvent(logId: string): NewEvent {
  return {
    id: deriveId(identityKey, logId),
    type: '$metadata',
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify({ [identityKey]: logId })),
    metadata: new Uint8Array(0),
  };
}

/** Undefined when the text does not name a log. */
export function identityFrom(data: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(textOf(data));
    const id = (value as Record<string, unknown> | null)?.[identityKey];
    return typeof id === 'string' ? id : undefined;
  } catch {
    return undefined;
  }
}
