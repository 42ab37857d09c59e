// What every store of the facts must do, whatever it is made of.
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../../src/event-log/codec.js';
import type { Chunk } from '../../../src/projector/clickhouse/chunk/chunk.js';
import { cutLog } from '../../../src/projector/clickhouse/chunk/chunk-stream.js';
import { type ChunkPlan, planOf } from '../../../src/projector/clickhouse/chunk/plan-log.js';
import { isUnknownTable } from '../../../src/projector/clickhouse/engine.js';
import type { BuildTables, FactStore } from '../../../src/projector/clickhouse/tables/fact-store.js';
import { differencesBetween } from '../../../src/projector/clickhouse/tables/table-comparison.js';
import { logOf, source } from './running-sink.js';

const logId = '00000000-0000-8000-8000-000000000001';

interface Planned {
  readonly plan: ChunkPlan;
  readonly chunk: Chunk;
}

/** The first chunks of a history, with their plans. */
async function chunksOf(count: number, rowsMax: number): Promise<readonly Planned[]> {
  const log = await logOf(60);
  const stop = new AbortController();
  const limits = { rowsMax, bytesMax: 8_000_000, waitMs: 5 };
  const found: Planned[] = [];
  let total = 0;
  const cuts = cutLog(log, source, decodeHidden, { after: 0n, limits, signal: stop.signal });
  for await (const { chunk } of cuts) {
    if (!chunk) continue;
    total += chunk.rows;
    found.push({ chunk, plan: { ...planOf(chunk), revision: found.length, attempt: 1, total } });
    if (found.length === count) break;
  }
  stop.abort();
  return found;
}

/** @param open the store, in which no build has a number above 100 yet */
export function factStoreContract(what: string, open: () => FactStore): void {
  describe(`${what} as a store of the facts`, () => {
    let store: FactStore;
    let chunks: readonly Planned[];
    let builds = 100;
    beforeAll(async () => {
      store = open();
      chunks = await chunksOf(3, 12);
    });
    async function fresh(): Promise<BuildTables> {
      builds += 1;
      const tables = store.tables(builds);
      await tables.create();
      return tables;
    }
    async function differences(tables: BuildTables, { plan, chunk }: Planned): Promise<readonly string[]> {
      return [...(await tables.chunkDifferences(plan, chunk)), ...(await tables.sumDifferences(plan.months))];
    }
    async function insert(tables: BuildTables, ...some: readonly Planned[]): Promise<void> {
      for (const { plan, chunk } of some) await tables.insert(plan, chunk);
    }

    it('an insert is there once, however often it is said', async () => {
      const tables = await fresh();
      const [one, two] = chunks as [Planned, Planned];
      expect(await tables.holds(one.plan)).toBe(false);
      expect((await differences(tables, one)).length).toBeGreaterThan(0);
      await insert(tables, one, one, two);
      await tables.create();
      await insert(tables, one);
      for (const { plan, chunk } of [one, two]) {
        expect(await tables.holds(plan)).toBe(true);
        expect(await differences(tables, { plan, chunk })).toEqual([]);
      }
      expect(await tables.losses(two.plan, two.chunk)).toEqual([]);
    });

    it('knows what is missing, and how many rows there should be in all', async () => {
      const tables = await fresh();
      const [one, two, three] = chunks as [Planned, Planned, Planned];
      await insert(tables, one, three);
      expect(await tables.holds(two.plan)).toBe(false);
      expect((await tables.losses(three.plan, three.chunk)).length).toBeGreaterThan(0);
      const plans = new Map(chunks.map(({ plan }) => [plan.id, plan]));
      expect(await tables.incomplete(plans)).toEqual([two.plan]);
    });

    it('is made whole, whatever was there of it', async () => {
      const tables = await fresh();
      const [one, two] = chunks as [Planned, Planned];
      await insert(tables, two);
      const attempt = {
        ...two.plan,
        revision: 7,
        attempt: 2,
        months: [...new Set([...one.plan.months, ...two.plan.months])],
      };
      const chunkOf = async ({ id }: ChunkPlan) => (id === one.plan.id ? one.chunk : two.chunk);
      await tables.repair(attempt, { plans: [one.plan, attempt], chunkOf });
      for (const planned of [one, two]) expect(await differences(tables, planned)).toEqual([]);
      expect(await tables.losses(attempt, two.chunk)).toEqual([]);
    });

    it('the rows of two builds are compared up to where both have come, however the log was cut', async () => {
      const [here, there] = [await fresh(), await fresh()];
      const other = await chunksOf(1, 36);
      expect(await differencesBetween(here, there)).toEqual([]);
      await insert(here, ...chunks);
      await insert(there, ...other);
      const at = (position: bigint) => ({ logId, position, completeUpToMs: 0, planRevision: 0 });
      const [one, two] = [chunks.at(-1), other.at(-1)] as [Planned, Planned];
      const { to: both } = one.plan.to < two.plan.to ? one.plan : two.plan;
      await here.saveProgress(at(both));
      await there.saveProgress(at(both));
      expect(await differencesBetween(here, there)).toEqual([]);
      const less = await fresh();
      await insert(less, ...chunks.slice(1));
      await less.saveProgress(at(both));
      expect((await differencesBetween(here, less)).length).toBeGreaterThan(0);
    });

    it('its mark never goes back', async () => {
      const tables = await fresh();
      expect(await tables.progress()).toBeUndefined();
      await tables.saveProgress({ logId, position: 9n, completeUpToMs: 5, planRevision: 3 });
      await tables.saveProgress({ logId, position: 7n, completeUpToMs: 6, planRevision: 2 });
      expect(await tables.progress()).toEqual({ logId, position: 9n, completeUpToMs: 6, planRevision: 3 });
    });

    it('nothing is left of what was dropped, and its number begins from nothing', async () => {
      const tables = await fresh();
      const [one] = chunks as [Planned];
      await insert(tables, one);
      await tables.saveProgress({ logId, position: 9n, completeUpToMs: 5, planRevision: 3 });
      await tables.drop();
      expect(await tables.progress()).toBeUndefined();
      expect((await store.published.marked()).map(({ build }) => build)).not.toContain(tables.build);
      expect(await store.published.there()).not.toContain(tables.build);
      expect(await tables.holds(one.plan).catch(isUnknownTable)).toBe(true);
      await tables.create();
      expect(await tables.holds(one.plan)).toBe(false);
      await insert(tables, one);
      expect(await tables.holds(one.plan)).toBe(true);
    });

    it('readers read the build with the highest activation, and a new number is above all that were used', async () => {
      const { published } = store;
      const tables = await fresh();
      expect(await published.there()).toContain(tables.build);
      await tables.saveProgress({ logId, position: 9n, completeUpToMs: 5, planRevision: 3 });
      expect(await published.highest()).toBe(tables.build);
      expect(await published.marked()).toContainEqual({ build: tables.build, logId });
      const { activation } = await published.read();
      await published.write({ build: tables.build, activation: activation + 2 });
      await published.write({ build: 1, activation: activation + 1 });
      expect(await published.read()).toEqual({ build: tables.build, activation: activation + 2 });
      await published.write({ build: 0, activation: activation + 3 });
      expect((await published.read()).build).toBe(0);
    });
  });
}
