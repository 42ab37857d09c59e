import { expect, it } from '@jest/globals';
import { RestartPause } from '../../src/stores/restart-pause.js';

it('grows while a child keeps dying, up to a bound, and is short again after a sound life', () => {
  const pause = new RestartPause();
  let now = 0;
  const pauses = Array.from({ length: 12 }, () => {
    const ms = pause.next(now);
    now += ms + 500;
    return ms;
  });
  expect(pauses[0]).toBe(100);
  expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
  expect(pauses.at(-1)).toBe(10_000);
  expect(pause.next(now + 120_000)).toBe(100);
});
