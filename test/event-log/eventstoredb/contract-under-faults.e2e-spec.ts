// The whole contract holds while the wire between client and server is spoiled: connections are cut, reset, stalled and
// delayed again and again while its rules are checked. The moments are drawn from one seed.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStoreDbEventLog } from '../../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { eventLogContract } from '../event-log.contract.js';
import { appendBytesMax, type Served, serveLog } from '../protocol/serve-log.js';
import { seeded, spoiledAgainAndAgain, WireFaultProxy } from '../wire-fault-proxy.js';
import { impatient } from './new-events.js';

const [seed = 1] = (process.env['WIRE_FAULT_SEEDS'] ?? String(Date.now() % 1_000_000)).split(',').map(Number);
/** Faults that a run brings at least, or it has shown nothing. */
const faultsMin = 20;

let served: Served;
let proxy: WireFaultProxy;
let log: EventStoreDbEventLog;
let faults: { readonly count: number; stop(): Promise<void> };

describe(`on a wire spoiled by seed ${seed}`, () => {
  beforeAll(async () => {
    served = await serveLog();
    proxy = await WireFaultProxy.start(served.port);
    faults = spoiledAgainAndAgain(proxy, seeded(seed));
  });
  afterAll(async () => {
    await faults.stop();
    await proxy.close();
    await served.close();
  });

  eventLogContract('the EventStoreDB adapter', {
    appendBytesMax,
    allOrNothing: false,
    open: async () => {
      log = EventStoreDbEventLog.open(`esdb://127.0.0.1:${proxy.port}?tls=false`, {
        ...impatient,
        random: seeded(seed + 1),
      });
      return log;
    },
    restart: async () => {
      await served.restart();
      return log;
    },
    close: () => log.close(),
  });

  it('was spoiled indeed', () => {
    console.info(`contract under faults: seed ${seed}, ${faults.count} faults, ${proxy.connections} connections`);
    expect(faults.count).toBeGreaterThanOrEqual(faultsMin);
    expect(proxy.connections).toBeGreaterThan(2);
  });
});
