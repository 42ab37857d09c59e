// Leases and builds in a world of one seed: see deployment.ts.
import { describe, expect, it } from '@jest/globals';
import { Deployment } from './deployment.js';
import { faults } from './planted-faults.js';
import { mustFind, worldSeeds } from './seeds.js';

/** So many seeds find any of the faults; the first is one near which the rarest of them shows. */
const faultSeeds = { first: 45, max: 30 };

describe('several owners and their builds, whatever happens', () => {
  it.each(worldSeeds(8))('show readers what the log says, and nothing is left over: seed %d', async (seed) => {
    await new Deployment(seed).run();
  });

  it('are the same world for the same seed, await by await', async () => {
    const [one, again, another] = [new Deployment(77), new Deployment(77), new Deployment(78)];
    const trace = await one.run();
    expect(await again.run()).toBe(trace);
    expect(await another.run()).not.toBe(trace);
  });
});

describe('the simulation finds', () => {
  it.each(Object.entries(faults))('%s', async (_, fault) => {
    await mustFind((seed) => new Deployment(seed, fault).run(), faultSeeds);
  });
});
