// Readiness: what is behind and does not move is not fit, and a head that is stuck itself fools nobody.
import { describe, expect, it, jest } from '@jest/globals';
import type { BuildStatus } from '../../src/projector/operation/document-status.js';
import { HeadFitness, ReadModelFitness, stillSecondsMax } from '../../src/projector/operation/fitness.js';
import type { Engines } from '../../src/service/engines.js';
import { engineHealth } from '../../src/service/figures.js';

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

describe('fitness of the read models', () => {
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

  it('is degraded while events are parked', async () => {
    const fitness = new ReadModelFitness({ status: async () => [{ ...build, deadLetters: 3 }], head: async () => 10n });
    expect(await fitness.check(0)).toEqual({ status: 'degraded', detail: 'parked events: inbox/0: 3' });
  });
});

describe('fitness of the log', () => {
  const log = (head: bigint, acknowledged: bigint) => ({ head: async () => head, acknowledged });

  it('is fine where nothing is written, and where others write', async () => {
    for (const quiet of [log(10n, 0n), log(10n, 10n), log(30n, 10n)]) {
      const fitness = new HeadFitness(quiet);
      expect(await fitness.check(0)).toEqual({ status: 'up' });
      expect(await fitness.check(laterMs)).toEqual({ status: 'up' });
    }
  });

  it('is down when the head stands still though writes are acknowledged, and up again when it moves', async () => {
    const frozen = { ...log(10n, 20n) };
    const fitness = new HeadFitness(frozen);
    expect(await fitness.check(0)).toEqual({ status: 'up' });
    expect(await fitness.check(laterMs - 2_000)).toEqual({ status: 'up' });
    expect(await fitness.check(laterMs)).toMatchObject({ status: 'down', detail: expect.stringContaining('head') });
    frozen.head = async () => 20n;
    expect(await fitness.check(laterMs)).toEqual({ status: 'up' });
  });

  it('is asked for in every role: of an API that takes writes too', async () => {
    jest.useFakeTimers({ now: 0, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const [eventLog] = engineHealth({ log: log(10n, 20n) } as unknown as Engines);
      expect(eventLog?.name).toBe('event-log');
      expect(await eventLog?.check()).toEqual({ status: 'up' });
      jest.setSystemTime(laterMs);
      expect(await eventLog?.check()).toMatchObject({ status: 'down' });
    } finally {
      jest.useRealTimers();
    }
  });
});
