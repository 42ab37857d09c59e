// The EventStoreDB adapter keeps the contract: the real client against our own server of its protocol and, where
// ESDB_URL names one, against that server (EventStoreDB 23.10 or later, or KurrentDB, with its default append limit, or the
// limit in ESDB_MAX_APPEND_SIZE).
import { EventStoreDbEventLog } from '../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { eventLogContract } from './event-log.contract.js';
import { appendBytesMax, type Served, serveLog } from './protocol/serve-log.js';

let served: Served;
let log: EventStoreDbEventLog;
eventLogContract('the EventStoreDB adapter on the protocol server', {
  appendBytesMax,
  allOrNothing: false,
  open: async () => {
    served = await serveLog();
    log = EventStoreDbEventLog.open(served.url);
    return log;
  },
  // The server is restarted, the adapter is not: it comes back by itself.
  restart: async () => {
    await served.restart();
    return log;
  },
  close: async () => {
    await log.close();
    await served.close();
  },
});

const url = process.env['ESDB_URL'];
if (url !== undefined) {
  let remote: EventStoreDbEventLog;
  eventLogContract('the EventStoreDB adapter on ESDB_URL', {
    appendBytesMax: Number(process.env['ESDB_MAX_APPEND_SIZE'] ?? appendBytesMax),
    allOrNothing: false,
    open: async () => {
      remote = EventStoreDbEventLog.open(url);
      return remote;
    },
    close: () => remote.close(),
  });
}
