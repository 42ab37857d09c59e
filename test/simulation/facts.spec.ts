// Turns and builds of the facts in a world of one seed: see facts-deployment.ts.
import { describe, expect, it } from '@jest/globals';
import { FactsDeployment } from './facts-deployment.js';
import { factFaults } from './planted-fact-faults.js';
import { mustFind, worldSeeds } from './seeds.js';

/** So many seeds find any of the faults; the first is one near which the rarest of them show. */
const faultSeeds = { first: 70, max: 40 };

describe('several processes and the facts, whatever happens', () => {
  it.each(worldSeeds(12))('show readers each event once, and nothing is left over: seed %d', async (seed) => {
    await new FactsDeployment(seed).run();
  });

  it('are the same world for the same seed, await by await', async () => {
    const trace = await new FactsDeployment(77).run();
    expect(await new FactsDeployment(77).run()).toBe(trace);
    expect(await new FactsDeployment(78).run()).not.toBe(trace);
  });
});

describe('the simulation finds', () => {
  it.each(Object.entries(factFaults))('%s', async (_, fault) => {
    await mustFind((seed) => new FactsDeployment(seed, fault).run(), faultSeeds);
  });
});
