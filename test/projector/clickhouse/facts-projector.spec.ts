// What the simulation found of the builds of the facts, each as an example of its own, on the facts in memory.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../../src/event-log/codec.js';
import { BuildDiffers } from '../../../src/projector/clickhouse/builds/build-check.js';
import { changeBuild, readBuilds } from '../../../src/projector/clickhouse/builds/fact-builds.js';
import { giveUpBuilds, goBack } from '../../../src/projector/clickhouse/builds/operator-changes.js';
import { FactsProjector } from '../../../src/projector/clickhouse/facts-projector.js';
import type { BuildTables, FactStore, PublishedBuilds } from '../../../src/projector/clickhouse/tables/fact-store.js';
import { fingerprint } from '../../../src/projector/clickhouse/tables/schema.js';
import { changed } from '../../simulation/changed.js';
import { FactShelves, memoryFacts } from './memory-facts.js';
import type { MemoryLog } from './memory-log.js';
import { activated, reachesState } from './running-facts.js';
import { logOf, source, timeZone } from './running-sink.js';

let log: MemoryLog;
let sound: FactStore;
beforeEach(async () => {
  log = await logOf(60);
  sound = memoryFacts(new FactShelves(source));
});

function projectorOn(store: FactStore, fault: (error: unknown) => void = () => undefined): FactsProjector {
  return new FactsProjector({
    log: log as never,
    store,
    source,
    decode: decodeHidden,
    clock: { now: () => 0 },
    limits: { rowsMax: 100, bytesMax: 8_000_000, waitMs: 1 },
    timeZone,
    listener: { fault, told: () => undefined },
  });
}

/** Sound, but that the sums of one build are compared in another way. */
function comparing(build: number, sums: BuildTables['sumDifferences'], published?: PublishedBuilds): FactStore {
  return {
    published: published ?? sound.published,
    tables: (one) => (one === build ? changed(sound.tables(one), { sumDifferences: sums }) : sound.tables(one)),
  };
}

async function stateOf(build: number) {
  return (await readBuilds(log as never, 'facts')).builds.find((one) => one.build === build);
}

/** Whatever can go on in memory has gone on. */
async function turn(): Promise<void> {
  await new Promise(setImmediate);
}

describe('the builds of the facts', () => {
  it('one that another process has given to readers meanwhile is not taken away by a comparison', async () => {
    const store = comparing(2, async () => {
      const change = { type: 'BuildActivated', build: 2, activation: 9 } as const;
      await changeBuild(log as never, 'facts', await readBuilds(log as never, 'facts'), change);
      return ['the roll-up'];
    });
    let tell: (error: unknown) => void = () => undefined;
    const told = new Promise((resolve) => {
      tell = resolve;
    });
    const facts = projectorOn(store, (error) => tell(error));
    facts.start();
    await activated(log, 1);
    await facts.rebuild();
    expect(await told).toBeInstanceOf(BuildDiffers);
    await facts.close();
    expect(await stateOf(2)).toMatchObject({ state: 'active', activation: 9 });
  });

  it('going back that was given up and is asked for again is done, however late that is heard of', async () => {
    const made = fingerprint(timeZone, source.projection.version);
    let hear: () => void = () => undefined;
    let heard = Promise.resolve();
    let comparisons = 0;
    const published = changed(sound.published, {
      marked: async () => {
        await heard;
        return await sound.published.marked();
      },
    });
    const store = comparing(
      1,
      async () => {
        comparisons += 1;
        if (comparisons !== 2) return [];
        // While it is compared to be gone back to.
        heard = new Promise((resolve) => {
          hear = resolve;
        });
        await giveUpBuilds(log as never, 'facts');
        setImmediate(() => {
          void goBack(log as never, 'facts', made).then(hear);
        });
        return [];
      },
      published,
    );
    const facts = projectorOn(store);
    facts.start();
    await activated(log, 1);
    await facts.rebuild();
    await activated(log, 2);
    await turn();
    await goBack(log as never, 'facts', made);
    await activated(log, 1);
    expect(comparisons).toBe(3);
    await facts.close();
  });

  it('one that readers are still told to read is not dropped, though the log has another one by now', async () => {
    const fingerprint = 'other code';
    for (const [type, build, activation] of [
      ['BuildStarted', 1, 0],
      ['BuildStarted', 2, 0],
      ['BuildActivated', 2, 1],
      ['BuildActivated', 1, 2],
    ] as const) {
      const change = { type, build, fingerprint, activation };
      await changeBuild(log as never, 'facts', await readBuilds(log as never, 'facts'), change);
      await sound.tables(build).create();
    }
    await sound.published.write({ build: 1, activation: 2 });
    let isSwitched = false;
    let wasRead = false;
    const store: FactStore = {
      published: changed(sound.published, {
        // Another process makes the switch just now.
        there: async () => {
          const there = await sound.published.there();
          const seen = await readBuilds(log as never, 'facts');
          const change = { type: 'BuildActivated', build: 3, activation: 3 } as const;
          if (!isSwitched) isSwitched = await changeBuild(log as never, 'facts', seen, change);
          return there;
        },
      }),
      tables: (build) =>
        changed(sound.tables(build), {
          drop: async () => {
            wasRead ||= (await sound.published.read()).build === build;
            await sound.tables(build).drop();
          },
        }),
    };
    const facts = projectorOn(store);
    facts.start();
    await reachesState(log, 1, 'dropped');
    expect(wasRead).toBe(false);
    await facts.close();
  });
});
