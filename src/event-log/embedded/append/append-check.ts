// What can be said of an append before its turn comes: its names, ids and sizes.
import { isUuid } from '../../../kernel/ids.js';
import { AppendTooLarge, EventLogError, type ExpectedRevision, type NewEvent } from '../../event-log.js';
import { recordBytesMax, recordSizeMax } from '../storage/record.js';

/** Names are kept in memory for many streams, so they are bounded, too. */
export const streamNameBytesMax = 2_048;
const typeCharactersMax = 0x3fff;

function invalid(stream: string, why: string): EventLogError {
  return new EventLogError('invalid-append', `${stream}: ${why}`);
}

/** @throws EventLogError with code `invalid-append` */
export function checkTarget(stream: string, expected: ExpectedRevision): void {
  if (stream === '' || stream === '$$') throw invalid(stream, 'a stream needs a name');
  if (stream.length * 3 > streamNameBytesMax && Buffer.byteLength(stream) > streamNameBytesMax) {
    throw invalid(`${stream.slice(0, 40)}…`, `the name is over ${streamNameBytesMax} bytes`);
  }
  if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0)) {
    throw invalid(stream, `${expected} is no revision`);
  }
}

/**
 * Gives the bytes the append will take in the log, at most.
 * @param appendBytesMax counted as EventStoreDB counts: data, metadata and twice the length of the type of each event
 * @throws AppendTooLarge, EventLogError with code `invalid-append`
 */
export function checkEvents(stream: string, events: readonly NewEvent[], appendBytesMax: number): number {
  let counted = 0;
  let bytes = 0;
  for (const event of events) {
    if (!isUuid(event.id)) throw invalid(stream, `event id ${event.id} is no lower-case UUID`);
    if (event.type === '' || event.type.length > typeCharactersMax) {
      throw invalid(stream, `an event type has 1 to ${typeCharactersMax} characters`);
    }
    const size = recordSizeMax(stream, event);
    if (size > recordBytesMax) throw new AppendTooLarge(recordBytesMax, size);
    counted += event.data.byteLength + event.metadata.byteLength + 2 * event.type.length;
    bytes += size;
  }
  if (counted > appendBytesMax) throw new AppendTooLarge(appendBytesMax, counted);
  return bytes;
}
