// The contract holds while the wire between client and server is cut, reset, stalled, delayed and refused at random
// moments: every append is written exactly once, and a subscription skips nothing, repeats nothing, reorders nothing.
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  type ExpectedRevision,
  type LogEvent,
  StreamDeleted,
  WrongExpectedRevision,
} from '../../../src/event-log/event-log.js';
import { EventStoreDbEventLog } from '../../../src/event-log/eventstoredb/eventstoredb-event-log.js';
import { closedAfterEach } from '../clean-up.js';
import { serveLog } from '../protocol/serve-log.js';
import { seeded, spoil, WireFaultProxy } from '../wire-fault-proxy.js';
import { allOf, impatient, newEvent } from './new-events.js';

const seeds = (process.env['WIRE_FAULT_SEEDS'] ?? `1,${Date.now() % 1_000_000}`).split(',').map(Number);
const writers = 8;
const faultsPerRun = 14;

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
    const spoiling = (async () => {
      for (let done = 0; done < faultsPerRun; done++) {
        await pause(20 + random() * 150);
        await spoil(proxy, random);
      }
      spoiled = true;
    })();
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

/** A log behind a server whose connections can be spoiled, also between a commit and its answer. */
async function behindProxy() {
  const hooks: { afterCommit?: (() => void | Promise<void>) | undefined } = {};
  const served = await serveLog({
    between: (log) => {
      const committed = async <Result>(result: Promise<Result>): Promise<Result> => {
        await result;
        const { afterCommit } = hooks;
        hooks.afterCommit = undefined;
        await afterCommit?.();
        return result;
      };
      const hooked: typeof log = Object.create(log);
      hooked.append = (...asked) => committed(log.append(...asked));
      hooked.deleteStream = (...asked) => committed(log.deleteStream(...asked));
      return hooked;
    },
  });
  atTheEnd(() => served.close());
  const proxy = await WireFaultProxy.start(served.port);
  atTheEnd(() => proxy.close());
  const log = EventStoreDbEventLog.open(`esdb://127.0.0.1:${proxy.port}?tls=false`, impatient);
  atTheEnd(() => log.close());
  return { served, proxy, log, hooks };
}

it('a read that is cut off ends where the log ended when it began, whatever was written since', async () => {
  const { served, proxy, log } = await behindProxy();
  const events = Array.from({ length: 3_000 }, () => newEvent('Written', 'x'.repeat(200)));
  await served.log.append('long', events, 'no_stream');
  for (const read of [() => log.readStream('long'), () => log.readAll()]) {
    const ids: string[] = [];
    let cuts = 0;
    for await (const page of read()) {
      ids.push(...page.map(({ id }) => id));
      await served.log.append('long', [newEvent()], 'any');
      if (cuts++ < 3) proxy.inflict('cut');
    }
    expect(cuts).toBeGreaterThan(3);
    const end = ids.length;
    expect(ids).toEqual((await allOf(served.log.readStream('long', { limit: end }))).map(({ id }) => id));
    expect(end).toBeGreaterThanOrEqual(3_000);
    expect(end).toBeLessThan(served.log.streamInfo('long').lastRevision + 1);
  }
});

it('an append that brings a deleted stream back is known again although its answer was lost', async () => {
  const { proxy, log, hooks } = await behindProxy();
  await log.append('revived', [newEvent()], 'no_stream');
  await log.deleteStream('revived', 0);
  const again = [newEvent(), newEvent()];
  hooks.afterCommit = () => proxy.inflict('reset');
  const result = await log.append('revived', again, 'no_stream');
  expect(hooks.afterCommit).toBeUndefined();
  expect(result.revision).toBe(2);
  expect((await allOf(log.readStream('revived'))).map(({ id }) => id)).toEqual(again.map(({ id }) => id));
});

it('an append whose last event came with another one is judged by the server, also when its first try was cut off', async () => {
  const { proxy, log } = await behindProxy();
  const [first, second, last] = [newEvent(), newEvent(), newEvent()];
  await log.append('shared', [first, second, last], 'no_stream');

  const refused = log.append('shared', [second, last], 'no_stream').catch((error: unknown) => error);
  proxy.inflict('cut');
  expect(await refused).toEqual(new WrongExpectedRevision('shared', 'no_stream', 2));

  const another = newEvent();
  const written = log.append('shared', [another, last], 'any');
  proxy.inflict('cut');
  expect(await written).toMatchObject({ revision: 4 });
  const ids = (await allOf(log.readStream('shared'))).map(({ id }) => id);
  expect(ids).toEqual([first, second, last, another, last].map(({ id }) => id));
});

it.each([['any'], [1]] as const)(
  'a delete that expects %s and loses its answer hides nothing that was written after it',
  async (expected) => {
    const { served, proxy, log, hooks } = await behindProxy();
    await log.append('deleted', [newEvent(), newEvent()], 'no_stream');
    const since = newEvent();
    hooks.afterCommit = async () => {
      proxy.refuse(true);
      await served.log.append('deleted', [since], 1);
      proxy.refuse(false);
    };
    const position = await log.deleteStream('deleted', expected);
    expect(hooks.afterCommit).toBeUndefined();
    expect(position).toBeGreaterThan(0n);
    expect((await allOf(log.readStream('deleted'))).map(({ id }) => id)).toEqual([since.id]);
    expect(await log.getStreamMetadata('deleted')).toEqual({ truncateBefore: 2 });
  },
);

it('a stream that is deleted for ever is refused, also when the first try was cut off', async () => {
  const { served, proxy, log } = await behindProxy();
  await served.log.append('gone', [newEvent()], 'no_stream');
  await served.log.tombstoneStream('gone', 0);
  await log.head();
  for (const remove of [() => log.deleteStream('gone', 'any'), () => log.tombstoneStream('gone', 'any')]) {
    const refused = remove().catch((error: unknown) => error);
    proxy.inflict('cut');
    expect(await refused).toEqual(new StreamDeleted('gone'));
  }
});
