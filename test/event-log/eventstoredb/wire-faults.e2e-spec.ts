// The contract holds while the wire between client and server is cut, reset, stalled, delayed and refused at random
// moments: every append is written exactly once, and a subscription skips nothing, repeats nothing, reorders nothing.
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { ExpectedRevision, LogEvent } from '../../../src/event-log/event-log.js';
import { EventStoreDbEventLog } from '../../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { closedAfterEach } from '../clean-up.js';
import { serveLog } from '../protocol/serve-log.js';
import { type Fault, seeded, WireFaultProxy } from '../wire-fault-proxy.js';
import { allOf, impatient, newEvent } from './new-events.js';

const seeds = (process.env['WIRE_FAULT_SEEDS'] ?? `1,${Date.now() % 1_000_000}`).split(',').map(Number);
const writers = 8;
const faultsPerRun = 14;

/** Spoils the wire every now and then; at the end new connections are whole. */
async function spoil(proxy: WireFaultProxy, random: () => number): Promise<void> {
  const faults: Fault[] = ['cut', 'reset', 'stall', 'delay'];
  for (let done = 0; done < faultsPerRun; done++) {
    await pause(20 + random() * 150);
    proxy.inflict(faults[Math.floor(random() * faults.length)] as Fault, 5 + random() * 40);
    if (random() < 0.2) {
      proxy.refuse(true);
      await pause(random() * 300);
      proxy.refuse(false);
    }
  }
}

const atTheEnd = closedAfterEach();

describe.each(seeds)('seed %d', (seed) => {
  it('appends exactly once, subscriptions whole and in order', async () => {
    const random = seeded(seed);
    const served = await serveLog();
    atTheEnd(() => served.close());
    const proxy = await WireFaultProxy.start(served.port);
    atTheEnd(() => proxy.close());
    const log = EventStoreDbEventLog.open(`esdb://127.0.0.1:${proxy.port}?tls=false`, { ...impatient, random });
    atTheEnd(() => log.close());
    const stop = new AbortController();
    atTheEnd(() => stop.abort());
    const seen: LogEvent[] = [];
    const seenInStream: LogEvent[] = [];
    let spoiled = false;
    const spoiling = spoil(proxy, random).then(() => {
      spoiled = true;
    });
    const subscriptions = [
      (async () => {
        for await (const page of log.subscribeAll({ signal: stop.signal })) {
          if (page.kind === 'events') seen.push(...page.events);
        }
      })(),
      (async () => {
        for await (const page of log.subscribeStream('writer-0', { signal: stop.signal })) {
          if (page.kind === 'events') seenInStream.push(...page.events);
        }
      })(),
    ];
    const writing = Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        const ids: string[] = [];
        for (let i = 0; !spoiled || i < 20; i++) {
          const event = newEvent('Written', { writer, i });
          // Half of the writers know what they expect; the others leave it to the ids.
          const expected: ExpectedRevision = writer % 2 === 1 ? 'any' : i === 0 ? 'no_stream' : i - 1;
          const result = await log.append(`writer-${writer}`, [event], expected);
          expect(result.revision).toBe(i);
          ids.push(event.id);
        }
        return ids;
      }),
    );
    // A failure is told when they are waited for.
    for (const going of [writing, ...subscriptions]) going.catch(() => undefined);
    await spoiling;
    const written = await writing;
    const total = written.flat().length;
    while (seen.length < total || seenInStream.length < (written[0]?.length ?? 0)) await pause(5);
    stop.abort();
    await Promise.all(subscriptions);
    for (const [writer, ids] of written.entries()) {
      const stored = await allOf(served.log.readStream(`writer-${writer}`));
      expect(stored.map(({ id }) => id)).toEqual(ids);
    }
    const stored = await allOf(served.log.readAll());
    expect(seen.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
    expect(seenInStream.map(({ id }) => id)).toEqual(written[0]);
    expect(await allOf(log.readAll()).then((events) => events.map(({ id }) => id))).toEqual(stored.map(({ id }) => id));
    console.info(`wire faults: seed ${seed}, ${proxy.connections} connections, ${total} appends`);
  });
});
