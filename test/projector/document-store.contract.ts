// What every document store must do, whatever it is made of: its sinks, its builds, its leases.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { encodeCheckpoint, ownKeys } from '../../src/kernel/document-keys.js';
import type { BuildState, Builds } from '../../src/projector/builds/builds.js';
import type { WriteCommand } from '../../src/projector/sinks/document-sink.js';
import type { DocumentStore } from '../../src/projector/sinks/document-store.js';
import { sinkContract } from './sink.contract.js';
import { logId } from './support.js';

const name = { projection: 'p', shard: 3, shards: 8 };

export function documentStoreContract(what: string, open: () => DocumentStore): void {
  sinkContract(`a sink of ${what}`, async () => {
    const store = open();
    await store.builds(name).clearAll();
    return store.sink(name, await store.builds(name).begin());
  });

  describe(`${what} as a document store`, () => {
    let store: DocumentStore;
    let builds: Builds;
    beforeEach(async () => {
      store = open();
      builds = store.builds(name);
      await builds.clearAll();
    });
    const at = (position: bigint, log = logId) =>
      encodeCheckpoint({ logId: log, position, recordedAt: 0, epoch: 0 }, `n${position}`);
    /** A new build that has come to a position. */
    async function begun(position: bigint, log = logId, ...commands: WriteCommand[]): Promise<number> {
      const build = await builds.begin();
      await store.sink(name, build).commit({ expected: undefined, next: at(position, log), commands });
      return build;
    }
    async function expectStates(active: number | undefined, states: Readonly<Record<number, BuildState>>) {
      const { states: found, ...list } = await builds.list();
      expect({ ...list, states: Object.fromEntries(found) }).toEqual({ active, states });
    }

    describe('its builds', () => {
      it('are none at first', async () => {
        await expectStates(undefined, {});
      });

      it('get a number each, also when they begin at once, and a number that was cleared does not come again', async () => {
        expect(new Set(await Promise.all([builds.begin(), builds.begin()]))).toEqual(new Set([1, 2]));
        await builds.move(2, 'building', 'aborted');
        await builds.clear(2);
        expect(await builds.begin()).toBe(3);
        await expectStates(undefined, { 1: 'building', 3: 'building' });
      });

      it('readers read the one that is activated; the one before is kept', async () => {
        const [one, two] = [await begun(5n), await begun(7n)];
        expect(await builds.activate(one, undefined)).toBe('switched');
        await expectStates(one, { 1: 'active', 2: 'building' });
        expect(await builds.activate(two, one)).toBe('switched');
        await expectStates(two, { 1: 'kept', 2: 'active' });
      });

      it('nobody is taken back in time', async () => {
        const [one, two, other] = [await begun(10n), await begun(9n), await begun(1n, 'another')];
        await builds.activate(one, undefined);
        expect(await builds.activate(two, one)).toBe('behind');
        await expectStates(one, { 1: 'active', 2: 'building', 3: 'building' });
        // Positions of two logs cannot be compared.
        expect(await builds.activate(other, one)).toBe('switched');
      });

      it('a switch from another build than the one that is read is refused, and so is one to a build that is not made', async () => {
        const [one, two] = [await begun(1n), await begun(1n)];
        expect(await builds.activate(two, one)).toBe('refused');
        await builds.activate(one, undefined);
        expect(await builds.activate(two, undefined)).toBe('refused');
        await builds.move(two, 'building', 'aborted');
        expect(await builds.activate(two, one)).toBe('refused');
        expect(await builds.activate(one, one)).toBe('refused');
        await expectStates(one, { 1: 'active', 2: 'aborted' });
      });

      it('a move is made from the state that it names, or not at all', async () => {
        await begun(1n);
        expect(await builds.move(1, 'kept', 'building')).toBe(false);
        expect(await builds.move(9, 'building', 'aborted')).toBe(false);
        await builds.activate(1, undefined);
        expect(await builds.move(1, 'building', 'aborted')).toBe(false);
        await expectStates(1, { 1: 'active' });
      });

      it('readers lose what is not active any more, and get back what is again, but never two', async () => {
        const [one, two] = [await begun(1n), await begun(1n)];
        await builds.activate(one, undefined);
        expect(await builds.move(one, 'active', 'refused')).toBe(true);
        await expectStates(undefined, { 1: 'refused', 2: 'building' });
        expect(await builds.move(one, 'refused', 'active')).toBe(true);
        await expectStates(one, { 1: 'active', 2: 'building' });
        await builds.move(one, 'active', 'refused');
        await builds.activate(two, undefined);
        expect(await builds.move(one, 'refused', 'active')).toBe(false);
        await expectStates(two, { 1: 'refused', 2: 'active' });
      });

      it('are cleared with all their keys and no others', async () => {
        const [one, two] = [await begun(1n, logId, ['SET', 'a', '1']), await begun(1n, logId, ['SET', 'a', '2'])];
        await builds.move(one, 'building', 'aborted');
        await builds.clear(one);
        await expectStates(undefined, { 2: 'building' });
        expect((await store.sink(name, one).state()).checkpoint).toBeUndefined();
        const { documents } = await store.sink(name, two).snapshot(['a']);
        expect(Object.fromEntries(documents)).toEqual({ a: 2 });
        await builds.clearAll();
        await expectStates(undefined, {});
        expect((await store.sink(name, two).state()).checkpoint).toBeUndefined();
      });

      it('nothing is begun in a build that is not being made; in one that is begun, whoever knows its checkpoint goes on', async () => {
        const one = await begun(1n, logId, ['SET', 'a', '1']);
        await builds.activate(one, undefined);
        expect(await store.sink(name, one).commit({ expected: at(1n), next: at(2n), commands: [] })).toBeUndefined();
        await builds.move(one, 'active', 'aborted');
        await builds.clear(one);
        const again = { expected: undefined, next: at(1n), commands: [['SET', 'a', '1']] as WriteCommand[] };
        await expect(store.sink(name, one).commit(again)).rejects.toThrow('is not being made');
        await expect(store.sink(name, 7).commit(again)).rejects.toThrow('is not being made');
        await expectStates(undefined, {});
        expect((await store.sink(name, one).snapshot(['a'])).documents.size).toBe(0);
      });
    });

    it('shows documents of one state of the build', async () => {
      await begun(1n, logId, ['SET', 'a', '1'], ['HSET', 'h', 'f', '1'], ['ZADD', 'z', '2', 'm']);
      const { checkpoint, documents } = await store.sink(name, 1).snapshot(['z', 'nothing', 'a', 'h']);
      expect({ checkpoint, ...Object.fromEntries(documents) }).toEqual({
        checkpoint: at(1n),
        a: 1,
        h: { f: 1 },
        z: [['m', 2]],
      });
      const names: string[] = [];
      for await (const page of store.sink(name, 1).names()) names.push(...page);
      expect(names.toSorted()).toEqual(['a', 'h', 'z']);
    });

    it('gives what is parked in the order of the log, and what was dropped', async () => {
      const letter = (position: string) => JSON.stringify({ position });
      const parked: WriteCommand = ['HSET', ownKeys.deadLetters, '10', letter('10'), '9', letter('9')];
      await begun(1n, logId, parked, ['HSET', ownKeys.dropped, '5', '{}']);
      const sink = store.sink(name, 1);
      expect(await sink.deadLetters()).toEqual([{ position: '9' }, { position: '10' }]);
      expect(await sink.droppedLetters()).toEqual({ 5: '{}' });
    });

    it('knows into how many shards a projection was ever cut', async () => {
      const others = [1, 2].map((shards) => store.builds({ projection: 'p', shard: 0, shards }));
      for (const other of others) await other.begin();
      await builds.begin();
      expect(await store.cuts(['p'])).toEqual([1, 2, 8]);
      expect(await store.cuts(['q'])).toEqual([]);
      for (const other of others) await other.clearAll();
      expect(await store.cuts(['p', 'q'])).toEqual([8]);
    });

    it('a lease is held by one at a time, kept by asking again, and given back by its holder alone', async () => {
      const [a, b] = ['a', 'b'].map((holder) => store.lease('work', holder)) as [
        ReturnType<DocumentStore['lease']>,
        ReturnType<DocumentStore['lease']>,
      ];
      expect(await a.isHeld()).toBe(false);
      expect([await a.hold(), await a.hold(), await b.hold()]).toEqual([true, true, false]);
      await b.release();
      expect([await b.isHeld(), await b.hold(), await store.lease('else', 'b').hold()]).toEqual([true, false, true]);
      await a.release();
      expect([await b.isHeld(), await b.hold(), await a.hold()]).toEqual([false, true, false]);
      await b.release();
      await store.lease('else', 'b').release();
    });

    it('counts the processes that are there', async () => {
      const [a, b, other] = [store.attendance(4, 'a'), store.attendance(4, 'b'), store.attendance(5, 'c')];
      expect([await a.hear(), await b.hear(), await a.hear(), await other.hear()]).toEqual([1, 2, 2, 1]);
      await a.leave();
      expect(await b.hear()).toBe(1);
      await b.leave();
      await other.leave();
    });
  });
}
