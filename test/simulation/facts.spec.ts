// Turns and builds of the facts in a world of one seed: see facts-deployment.ts. A failing seed alone:
// SIMULATION_SEED=<n>; more of them: SIMULATION_WORLDS=<n>.
import { describe, expect, it } from '@jest/globals';
import { FactsDeployment } from './facts-deployment.js';
import { Violation } from './fate.js';
import { factFaults } from './planted-fact-faults.js';

const asked = Number(process.env['SIMULATION_SEED']);
const worlds = Number(process.env['SIMULATION_WORLDS'] ?? 12);
const seeds = asked > 0 ? [asked] : Array.from({ length: worlds }, (_, index) => 1_000 + index);
/** So many seeds find any of the faults; the first is one near which the rarest of them show. */
const faultSeedsMax = 40;
const firstFaultSeed = 70;

describe('several processes and the facts, whatever happens', () => {
  it.each(seeds.map((seed) => [seed]))(
    'show readers each event once, and nothing is left over: seed %d',
    async (seed) => {
      await new FactsDeployment(seed).run();
    },
  );

  it('are the same world for the same seed, await by await', async () => {
    const trace = await new FactsDeployment(77).run();
    expect(await new FactsDeployment(77).run()).toBe(trace);
    expect(await new FactsDeployment(78).run()).not.toBe(trace);
  });
});

describe('the simulation finds', () => {
  it.each(Object.entries(factFaults))('%s', async (_, fault) => {
    for (let tried = 0; tried < faultSeedsMax; tried += 1) {
      const found = await new FactsDeployment(firstFaultSeed + tried, fault).run().catch((error: unknown) => error);
      if (found instanceof Violation) return;
      if (typeof found !== 'string') throw found;
    }
    throw new Error(`${faultSeedsMax} seeds did not find it`);
  });
});
