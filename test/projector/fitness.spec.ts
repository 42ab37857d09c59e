// Readiness: what is behind and does not move is not fit, and a head that is stuck itself fools nobody.
import { describe, expect, it } from '@jest/globals';
import type { BuildStatus } from '../../src/projector/operation/document-status.js';
import { ReadModelFitness, stillSecondsMax } from '../../src/projector/operation/fitness.js';

const build: BuildStatus = {
  projection: 'inbox',
  shard: 0,
  build: 1,
  state: 'active',
  position: 10n,
  parkedKeys: 0,
  deadLetters: 0,
  events: 0,
  capped: false,
  seconds: 0,
};
const laterMs = (stillSecondsMax + 1) * 1_000;

describe('fitness', () => {
  it('is fine at the head, however long nothing happens', async () => {
    const fitness = new ReadModelFitness({ status: async () => [build], head: async () => 10n });
    expect(await fitness.check(0)).toEqual({ status: 'up' });
    expect(await fitness.check(laterMs)).toEqual({ status: 'up' });
  });

  it('is down when a read model is behind and stands still, and up again when it moves', async () => {
    let position = 5n;
    const fitness = new ReadModelFitness({ status: async () => [{ ...build, position }], head: async () => 10n });
    expect(await fitness.check(0)).toEqual({ status: 'up' });
    expect(await fitness.check(laterMs - 2_000)).toEqual({ status: 'up' });
    expect(await fitness.check(laterMs)).toMatchObject({ status: 'down', detail: expect.stringContaining('inbox/0') });
    position = 6n;
    expect(await fitness.check(laterMs)).toEqual({ status: 'up' });
  });

  it('is down when the head itself stands still though writes are acknowledged', async () => {
    let acknowledged = 10n;
    const fitness = new ReadModelFitness({
      status: async () => [build],
      head: async () => 10n,
      acknowledged: () => acknowledged,
    });
    expect(await fitness.check(0)).toEqual({ status: 'up' });
    acknowledged = 20n;
    expect(await fitness.check(1)).toEqual({ status: 'up' });
    expect(await fitness.check(1 + laterMs)).toMatchObject({ status: 'down', detail: expect.stringContaining('head') });
  });

  it('is degraded while events are parked', async () => {
    const fitness = new ReadModelFitness({ status: async () => [{ ...build, deadLetters: 3 }], head: async () => 10n });
    expect(await fitness.check(0)).toEqual({ status: 'degraded', detail: 'parked events: inbox/0: 3' });
  });
});
