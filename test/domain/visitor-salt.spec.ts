// The salt of a day lives as long as the click-backs of its last link are counted, and no longer.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isSaltOver, namingDay, saltDay } from '../../src/domain/sharelink/visitor-salt.js';
import { dayMs, hourMs, toMs } from '../../src/kernel/clock.js';

const lastMomentMs = toMs('2026-03-02T23:59:59.999Z');

describe('the salt of a day', () => {
  it('is over 28 days after the day has ended, UTC', () => {
    expect(isSaltOver('2026-03-02', toMs('2026-03-30T23:59:59.999Z'))).toBe(false);
    expect(isSaltOver('2026-03-02', toMs('2026-03-31T00:00:00.000Z'))).toBe(true);
  });

  it('names the visitors of the links of that day, to the last one’s 28th day, and then no more', () => {
    expect(namingDay(lastMomentMs, lastMomentMs + 28 * dayMs)).toBe('2026-03-02');
    expect(namingDay(lastMomentMs, lastMomentMs + 28 * dayMs + 1)).toBe('2026-03-31');
  });

  it('is one for all 28 days of any link, and is never asked for when it is over', () =>
    fc.assert(
      fc.property(fc.nat(400 * 24), fc.nat(28 * dayMs - 1), fc.nat(100 * dayMs), (hours, withinMs, laterMs) => {
        const mintedMs = lastMomentMs + hours * hourMs;
        expect(namingDay(mintedMs, mintedMs + withinMs)).toBe(saltDay(mintedMs));
        const nowMs = mintedMs + laterMs;
        expect(isSaltOver(namingDay(mintedMs, nowMs), nowMs)).toBe(false);
      }),
    ));
});
