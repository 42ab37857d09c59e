// The same observation, however often it comes, is recorded once; and what is remembered is bounded.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { IdentifiedObservation } from '../../src/domain/observation/observation.commands.js';
import { alreadyRecorded, observationDecider } from '../../src/domain/observation/observation.decider.js';
import {
  noIds,
  type RecentIds,
  segmentSize,
  segmentsMax,
  sizeOf,
  withId,
} from '../../src/domain/observation/recent-ids.js';
import { addMs, dayMs } from '../../src/kernel/clock.js';
import { Story, t0 } from '../given.js';

function session(id: string): IdentifiedObservation {
  return {
    id,
    occurredAt: t0,
    type: 'SessionStarted',
    data: { sessionId: id, memberId: 'ann', entry: 'organic' },
  };
}

function grown(from: number, to: number, state: RecentIds = noIds, receivedAt = t0): RecentIds {
  let ids = state;
  for (let revision = from; revision < to; revision += 1) ids = withId(ids, `id-${revision}`, revision, receivedAt);
  return ids;
}

describe('observations', () => {
  it('are recorded once, whatever the batches and repeats', () =>
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(50), { maxLength: 20 }), { maxLength: 20 }), (batches) => {
        const told = new Story(observationDecider);
        for (const batch of batches) {
          const observations = batch.map((number) => session(`o${number}`));
          told.carryOut({ type: 'RecordObservations', now: t0, data: { observations } });
          for (const { id } of observations) expect(alreadyRecorded(told.state, id)).toBe(true);
        }
        expect(told.events.map(({ id }) => id)).toEqual([...new Set(batches.flat())].map((number) => `o${number}`));
      }),
    ));
});

describe('the memory of ids', () => {
  const enough = segmentsMax * segmentSize;

  it('knows at least the newest and stays bounded', () => {
    const ids = grown(0, 2 * enough);
    expect(sizeOf(ids)).toBeLessThanOrEqual(enough + segmentSize);
    for (let age = 1; age <= enough; age += 997) expect(alreadyRecorded(ids, `id-${2 * enough - age}`)).toBe(true);
    expect(alreadyRecorded(ids, 'id-0')).toBe(false);
  });

  it('is as good when only the tail of the stream was read', () => {
    const end = 2 * enough + 1_234;
    const fromTail = grown(end - (observationDecider.tail ?? 0), end);
    for (let age = 1; age <= enough; age += 997) expect(alreadyRecorded(fromTail, `id-${end - age}`)).toBe(true);
  });

  it('gives up what is older than two days', () => {
    const old = grown(0, 2 * segmentSize);
    const later = grown(2 * segmentSize, 3 * segmentSize, old, addMs(t0, 3 * dayMs));
    expect(alreadyRecorded(later, 'id-1')).toBe(false);
    expect(alreadyRecorded(later, `id-${2 * segmentSize}`)).toBe(true);
  });

  it('never changes what was handed out before', () => {
    const before = grown(0, 100);
    const size = sizeOf(before);
    grown(100, 5_000, before);
    expect(sizeOf(before)).toBe(size);
    expect(alreadyRecorded(before, 'id-100')).toBe(false);
  });
});
