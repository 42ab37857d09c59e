// The write loop: decided on exactly the state it is appended to, once per command, whatever comes in between.
import { describe, expect, it } from '@jest/globals';
import { LogUnavailable } from '../../src/event-log/event-log.js';
import { rememberedCommandsMax } from '../../src/event-log/state-cache.js';
import { EventStore, StreamContended } from '../../src/event-log/transact.js';
import { Rejection } from '../../src/kernel/rejection.js';
import { account, contextOf, deposit, storeOn, withdraw } from './account.js';
import { MemoryLog } from './memory-log.js';

function depositPart(amount: number, key?: string, requestHash?: string) {
  return { decider: account, id: 'a', commands: [deposit(amount)], context: contextOf(key, requestHash) };
}

describe('transact', () => {
  it('appends what the decider says, with the metadata of the command', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    const done = await store.transact(depositPart(5, 'k1', 'h1'));
    expect(done).toMatchObject({ revision: 0, position: 10n, state: { balance: 5 }, repeated: false });
    expect(done.events).toEqual([
      { id: expect.stringMatching(/^[0-9a-f-]{36}$/), revision: 0, type: 'Deposited', data: { amount: 5 } },
    ]);
    const [recorded] = await store.read('account-a', { limit: 10 });
    expect(recorded?.metadata).toMatchObject({ commandId: 'k1', requestHash: 'h1', schemaVersion: 1 });
  });

  it('answers a repeated command with its first answer, also after a restart, and records nothing', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    const first = await store.transact(depositPart(5, 'k1', 'h1'));
    await store.transact(depositPart(7, 'k2', 'h2'));
    for (const process of [store, storeOn(log)]) {
      const again = await process.transact(depositPart(5, 'k1', 'h1'));
      expect(again).toEqual({ ...first, repeated: true });
    }
    expect(log.events).toHaveLength(2);
  });

  it('refuses a known key with another request', async () => {
    const log = new MemoryLog();
    await storeOn(log).transact(depositPart(5, 'k1', 'h1'));
    const reused = storeOn(log).transact(depositPart(6, 'k1', 'other'));
    await expect(reused).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(log.events).toHaveLength(1);
  });

  it('does not remember a refusal', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    const part = { decider: account, id: 'a', commands: [withdraw(5)], context: contextOf('k1', 'h1') };
    await expect(store.transact(part)).rejects.toThrow(Rejection);
    await store.transact(depositPart(5, 'k0', 'h0'));
    expect((await store.transact(part)).state).toMatchObject({ balance: 0 });
  });

  it('carries out one of many that arrive at the same time with the same key', async () => {
    const log = new MemoryLog();
    const [one, two] = [storeOn(log, { shared: true }), storeOn(log, { shared: true })];
    const sent = Array.from({ length: 10 }, (_, n) => (n % 2 ? one : two).transact(depositPart(5, 'k1', 'h1')));
    const answers = await Promise.all(sent);
    expect(log.events).toHaveLength(1);
    expect(new Set(answers.map(({ events }) => JSON.stringify(events))).size).toBe(1);
    expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1);
  });

  it('decides again on what another process wrote', async () => {
    const log = new MemoryLog();
    const [one, two] = [storeOn(log), storeOn(log)];
    await one.transact(depositPart(5));
    await two.transact(depositPart(5));
    // `one` has not seen the second deposit; the log tells it.
    expect((await one.transact(depositPart(1))).state).toMatchObject({ balance: 11 });
  });

  it('gives up a stream that never rests with the revisions in the message', async () => {
    const log = new MemoryLog();
    const [one, two] = [storeOn(log), storeOn(log)];
    await one.transact(depositPart(1));
    let meddling = false;
    log.fault = async (when) => {
      if (when === 'after' || meddling) return;
      meddling = true;
      await two.transact(depositPart(1));
      meddling = false;
    };
    const given = one.transact(depositPart(1));
    await expect(given).rejects.toThrow(StreamContended);
    await expect(given).rejects.toThrow('account-a: expected revision 3, found 4; retried 3 times.');
  });

  it('finds out after a failure whether the append had happened', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    log.fault = async (when) => {
      if (when === 'after') throw new LogUnavailable('the connection broke');
    };
    await expect(store.transact(depositPart(5, 'k1', 'h1'))).rejects.toMatchObject({ retryable: true });
    log.fault = async () => {};
    expect(await store.transact(depositPart(5, 'k1', 'h1'))).toMatchObject({ repeated: true, state: { balance: 5 } });
    expect(log.events).toHaveLength(1);
  });

  it('holds the caller to the revision it names', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    await store.transact(depositPart(5));
    await expect(store.transact({ ...depositPart(5), ifRevision: 3 })).rejects.toMatchObject({
      code: 'stale-revision',
      extra: { revision: 0 },
    });
    expect(await store.transact({ ...depositPart(5), ifRevision: 0 })).toMatchObject({ revision: 1 });
  });

  it('records what is due first, dated when it was due, and once', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    const opened = contextOf('k1', 'h1', '2026-01-01T00:00:00.000Z');
    await store.transact({ decider: account, id: 'a', commands: [deposit(5)], context: opened });
    const later = contextOf('k2', 'h2', '2026-03-01T00:00:00.000Z');
    const done = await store.transact({ decider: account, id: 'a', commands: [deposit(1)], context: later });
    expect(done.events).toMatchObject([{ type: 'Deposited', revision: 2 }]);
    const events = await store.read('account-a', { limit: 10 });
    expect(events.map(({ type }) => type)).toEqual(['Deposited', 'FeeCharged', 'Deposited']);
    expect(events[1]?.metadata).toMatchObject({
      occurredAt: '2026-01-31T00:00:00.000Z',
      receivedAt: '2026-03-01T00:00:00.000Z',
      actor: { kind: 'system', id: 'timer' },
    });
    expect(events[1]?.metadata.commandId).toBeUndefined();
    const settled = await store.transact({
      decider: account,
      id: 'a',
      commands: [],
      context: { ...later, commandId: 'k3' },
    });
    expect(settled).toMatchObject({ events: [], revision: 2, state: { balance: 5 } });
  });

  it('writes to several streams together or to none', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    await store.transact(depositPart(5));
    const transfer = (amount: number) =>
      store.transactMany([
        { decider: account, id: 'a', commands: [withdraw(amount)], context: contextOf(`t${amount}`, 'h') },
        { decider: account, id: 'b', commands: [deposit(amount)], context: contextOf(`t${amount}`, 'h') },
      ]);
    await expect(transfer(9)).rejects.toMatchObject({ code: 'too-little' });
    expect(log.events).toHaveLength(1);
    const [from, to] = await transfer(4);
    expect([from.state.balance, to.state.balance]).toEqual([1, 4]);
    const [again] = await transfer(4);
    expect(again).toMatchObject({ repeated: true });
    expect(log.events).toHaveLength(3);
  });

  it('does not wait for itself when two calls take the same streams in another order', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    const both = (first: string, second: string) =>
      store.transactMany([
        { decider: account, id: first, commands: [deposit(1)], context: contextOf() },
        { decider: account, id: second, commands: [deposit(1)], context: contextOf() },
      ]);
    await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? both('a', 'b') : both('b', 'a'))));
    expect((await store.state(account, 'a')).state.balance).toBe(20);
    expect((await store.state(account, 'b')).state.balance).toBe(20);
  });

  it('folds a long stream from its end and still knows the latest commands', async () => {
    const log = new MemoryLog();
    const store = storeOn(log);
    const sends = rememberedCommandsMax + 20;
    for (let n = 0; n < sends; n += 1) await store.transact(depositPart(1, `k${n}`, 'h'));
    let reads = 0;
    const readStream: MemoryLog['readStream'] = (stream, options) => {
      reads += options?.limit ?? Number.POSITIVE_INFINITY;
      return log.readStream(stream, options);
    };
    const short = { ...account, tail: 1 };
    const counted: Pick<MemoryLog, 'append' | 'appendMany' | 'readStream'> = {
      append: (...args) => log.append(...args),
      appendMany: (appends) => log.appendMany(appends),
      readStream,
    };
    const restarted = storeOn(counted);
    const again = { ...depositPart(1, `k${sends - 1}`, 'h'), decider: short };
    expect(await restarted.transact(again)).toMatchObject({ repeated: true, revision: sends - 1 });
    expect(reads).toBeLessThanOrEqual(rememberedCommandsMax + 1);
  });

  it('keeps a bounded number of folded streams and none of them stale', async () => {
    const log = new MemoryLog();
    const store = storeOn(log, { weightMax: 10 });
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 20; n += 1) {
        await store.transact({ decider: account, id: `s${n}`, commands: [deposit(1)], context: contextOf() });
      }
    }
    for (let n = 0; n < 20; n += 1) expect((await store.state(account, `s${n}`)).state.balance).toBe(3);
  });

  it('refuses the same stream twice in one call', async () => {
    const store: EventStore = storeOn(new MemoryLog());
    await expect(store.transactMany([depositPart(1), depositPart(1)])).rejects.toThrow(TypeError);
  });
});
