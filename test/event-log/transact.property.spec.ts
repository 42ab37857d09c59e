// Whatever the order, the repetitions, the failures and the restarts: a command takes effect once or not at all, and
// once it was acknowledged, exactly once.
import { describe, it } from '@jest/globals';
import fc from 'fast-check';
import { EventLogError, LogUnavailable } from '../../src/event-log/event-log.js';
import type { EventStore } from '../../src/event-log/transact.js';
import { Rejection } from '../../src/kernel/rejection.js';
import { account, contextOf, deposit, storeOn, withdraw } from './account.js';
import { MemoryLog } from './memory-log.js';

const processes = 3;
const send = fc.record({
  process: fc.nat(processes - 1),
  stream: fc.constantFrom('a', 'b'),
  key: fc.nat(9),
  fault: fc.constantFrom('none', 'none', 'none', 'before', 'after') as fc.Arbitrary<'none' | 'before' | 'after'>,
  restartFirst: fc.boolean(),
});
type Send = ReturnType<typeof send.generate>['value'];

/** Every third key takes out, the others put in; the amount tells them apart: powers of two add up in one way only. */
function commandOf(key: number) {
  return key % 3 === 2 ? withdraw(2 ** key) : deposit(2 ** key);
}

class World {
  readonly log = new MemoryLog();
  private stores: EventStore[] = Array.from({ length: processes }, () => storeOn(this.log));
  readonly acknowledged = new Map<string, string>();
  private readonly faults = new Map<string, 'before' | 'after'>();

  constructor() {
    this.log.fault = async (when, stream) => {
      // Letting others run in between makes the interleavings.
      await Promise.resolve();
      if (this.faults.get(stream) !== when) return;
      this.faults.delete(stream);
      throw new LogUnavailable(`${stream}: planted, ${when}`);
    };
  }

  async send({ process, stream, key, fault, restartFirst }: Send): Promise<void> {
    if (restartFirst) this.stores[process] = storeOn(this.log);
    if (fault !== 'none') this.faults.set(`account-${stream}`, fault);
    const part = { decider: account, id: stream, commands: [commandOf(key)], context: contextOf(`k${key}`, `h${key}`) };
    try {
      const { events } = await (this.stores[process] as EventStore).transact(part);
      const answer = JSON.stringify(events);
      const id = `${stream}/k${key}`;
      const earlier = this.acknowledged.get(id);
      if (earlier !== undefined && earlier !== answer) throw new Error(`${id}: ${earlier} and then ${answer}`);
      this.acknowledged.set(id, answer);
    } catch (error) {
      if (!(error instanceof Rejection || error instanceof EventLogError)) throw error;
    }
  }

  async check(): Promise<void> {
    for (const stream of ['a', 'b']) {
      const events = await storeOn(this.log).read(`account-${stream}`, { limit: 10_000 });
      const keys = events.map(({ metadata }) => metadata.commandId);
      if (new Set(keys).size !== keys.length) throw new Error(`${stream}: a command twice: ${keys.join(' ')}`);
      const { state } = await storeOn(this.log).state(account, stream);
      if (state.balance < 0) throw new Error(`${stream}: the balance is ${state.balance}`);
      for (const id of this.acknowledged.keys()) {
        const [where, key] = id.split('/');
        if (where === stream && !keys.includes(key)) throw new Error(`${id}: acknowledged and not there`);
      }
      for (const [index, store] of this.stores.entries()) {
        // A process that nobody else writes beside sees at least a prefix; after its next write it sees everything.
        const seen = (await store.state(account, stream)).revision;
        if (seen > events.length - 1) throw new Error(`process ${index} sees more of ${stream} than there is`);
      }
    }
  }
}

describe('transact under repetitions, faults and restarts', () => {
  it('never applies a command twice and never loses an acknowledged one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(send, { minLength: 1, maxLength: 6 }), { maxLength: 12 }), async (waves) => {
        const world = new World();
        // What is in one wave is sent at the same time.
        for (const wave of waves) await Promise.all(wave.map((one) => world.send(one)));
        await world.check();
      }),
      { numRuns: 300 },
    );
  });
});
