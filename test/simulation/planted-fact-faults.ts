// Faults that the simulation must find: each breaks one rule that keeps the facts right.
import type { BuildTables } from '../../src/projector/clickhouse/tables/fact-store.js';
import type { FactShelves } from '../projector/clickhouse/memory-facts.js';
import { aWhileOld, changed } from './changed.js';
import type { PlantedInFacts } from './facts-deployment.js';

function inTables(
  change: (
    tables: BuildTables,
    about: { readonly shelves: FactShelves; readonly tablesOf: (build: number) => BuildTables },
  ) => Partial<BuildTables>,
): PlantedInFacts {
  return {
    store: (sound, shelves) => ({
      tables: (build) => {
        const tablesOf = (other: number) => sound.tables(other);
        const tables = tablesOf(build);
        return changed(tables, change(tables, { shelves, tablesOf }));
      },
    }),
  };
}

export const factFaults: Readonly<Record<string, PlantedInFacts>> = {
  'a chunk that is planned whatever was planned before': {
    log: (log) => ({
      append: (stream, events, expected) => log.append(stream, events, /\.v\d+$/.test(stream) ? 'any' : expected),
    }),
  },
  'an insert that nobody looks after': inTables(() => ({ holds: async () => true })),
  'an insert under no token': inTables((tables, { shelves }) => ({
    insert: async (plan, chunk) => {
      shelves.shelf(tables.build).tokens.clear();
      await tables.insert(plan, chunk);
    },
  })),
  'a mark that is written before the rows': inTables((tables) => ({
    insert: async (plan, chunk) => {
      const was = await tables.progress();
      if (was) await tables.saveProgress({ ...was, position: plan.to });
      await tables.insert(plan, chunk);
    },
  })),
  'a mark that is read a while too early': inTables((tables) => ({
    progress: aWhileOld(() => tables.progress()),
  })),
  'a check after a crash that does not count the rows': inTables((tables) => ({
    losses: async (plan, chunk) => (await tables.losses(plan, chunk)).filter((loss) => !/rows of/.test(loss)),
  })),
  'a repair that leaves the sums as they are': inTables((tables) => ({
    repair: (attempt, chunks) => tables.repair({ ...attempt, months: [] }, chunks),
  })),
  'a comparison before the switch that does not add up': inTables(() => ({ sumDifferences: async () => [] })),
  'a clean-up that takes the build that is read along': inTables((tables, { shelves, tablesOf }) => ({
    drop: async () => {
      await tables.drop();
      await tablesOf(shelves.published.build).drop();
    },
  })),
  'a clean-up that forgets the tables': inTables(() => ({ drop: async () => undefined })),
};
