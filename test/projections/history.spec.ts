import { expect, it } from '@jest/globals';
import { history } from './history.js';

it('is the same for the same seed, and valid', () => {
  const size = { seed: 3, people: 20, steps: 300, from: '2026-01-20T00:00:00.000Z', days: 20 };
  expect(history(size)).toEqual(history(size));
});
