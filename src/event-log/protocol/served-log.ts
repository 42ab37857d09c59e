// What the server needs of the log that it serves: a part of the embedded log, so that this list is the whole dependency.
import type { EmbeddedEventLog } from '../embedded/embedded-event-log.js';

export type ServedLog = Pick<
  EmbeddedEventLog,
  | 'id'
  | 'append'
  | 'deleteStream'
  | 'tombstoneStream'
  | 'readStream'
  | 'readEvent'
  | 'readEverything'
  | 'streamInfo'
  | 'subscribeStream'
  | 'subscribeEverything'
  | 'tombstone'
  | 'head'
>;
