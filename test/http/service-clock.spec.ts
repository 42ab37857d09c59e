// The two clocks: neither ever goes back.
import { describe, expect, it } from '@jest/globals';
import { ImportClock, SystemClock } from '../../src/http/request/service-clock.js';

describe('the clock of a service', () => {
  it('follows the system', () => {
    const clock = new SystemClock();
    const first = clock.now();
    expect(Math.abs(first - Date.now())).toBeLessThan(5_000);
    expect(clock.now()).toBeGreaterThanOrEqual(first);
  });

  it('follows the importer, forwards only, and tells every move', () => {
    const told: number[] = [];
    const clock = new ImportClock(0, (nowMs) => told.push(nowMs));
    expect(clock.isSet).toBe(false);
    for (const to of [1_000, 500, 1_000, 3_000]) clock.advance(to);
    expect(clock.now()).toBe(3_000);
    expect(told).toEqual([1_000, 3_000]);
    expect(new ImportClock(3_000, () => {}).isSet).toBe(true);
  });
});
