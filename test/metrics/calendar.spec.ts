// Days of a time zone, the interval of a rate, and how mixed a mix is, at values worked out by hand.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addDays, Calendar, daysBetween, isDate, weekOf } from '../../src/metrics/calendar.js';
import { maturityOf } from '../../src/metrics/figure.js';
import { wilsonInterval } from '../../src/metrics/ratio.js';
import { entropy, herfindahl } from '../../src/metrics/sharing/answer.js';

const iso = (ms: number) => new Date(ms).toISOString();

describe('the calendar', () => {
  it.each([
    ['UTC', '2026-03-29', '2026-03-29T00:00:00.000Z'],
    ['Asia/Kolkata', '2026-03-29', '2026-03-28T18:30:00.000Z'],
    // The clocks go forward that night, so the day after begins an hour earlier in UTC.
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    ['America/New_York', '2026-11-02', '2026-11-02T05:00:00.000Z'],
    // No midnight that day: the clocks went from 0:00 to 1:00.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z'],
    ['Pacific/Kiritimati', '2026-01-01', '2025-12-31T10:00:00.000Z'],
  ])('in %s, %s begins at %s', (timeZone, date, start) => {
    const calendar = new Calendar(timeZone);
    expect(iso(calendar.startOf(date))).toBe(start);
    expect(calendar.dayOf(Date.parse(start))).toBe(date);
    expect(calendar.dayOf(Date.parse(start) - 1)).toBe(addDays(date, -1));
  });

  it('property: an instant lies in its day', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
    const instants = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2035, 0) });
    fc.assert(
      fc.property(zones, instants, (timeZone, ms) => {
        const calendar = new Calendar(timeZone);
        const day = calendar.dayOf(ms);
        expect(calendar.startOf(day)).toBeLessThanOrEqual(ms);
        expect(calendar.startOf(addDays(day, 1))).toBeGreaterThan(ms);
      }),
    );
  });

  it('knows weeks and dates', () => {
    expect(weekOf('2026-03-01')).toBe('2026-02-23');
    expect(weekOf('2026-03-02')).toBe('2026-03-02');
    expect(daysBetween('2026-02-27', '2026-03-02')).toBe(3);
    expect(['2026-02-29', '2024-02-29', '2026-13-01', '2026-1-1', 'today'].map(isDate)).toEqual([
      false,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('figures', () => {
  it.each([
    [1, 2, 0.0945, 0.9055],
    [0, 10, 0, 0.2775],
    [10, 10, 0.7225, 1],
    [81, 263, 0.2553, 0.3662],
  ])('Wilson’s interval of %i of %i', (numerator, denominator, low, high) => {
    const interval = wilsonInterval(numerator, denominator);
    expect(interval?.[0]).toBeCloseTo(low, 4);
    expect(interval?.[1]).toBeCloseTo(high, 4);
  });

  it('nothing has no interval, and no mix', () => {
    expect(wilsonInterval(0, 0)).toBeNull();
    expect([entropy([]), herfindahl([])]).toEqual([0, 0]);
  });

  it('a mix of four equal parts, and of one', () => {
    expect(entropy([5, 5, 5, 5])).toBeCloseTo(Math.log(4), 12);
    expect(herfindahl([5, 5, 5, 5])).toBeCloseTo(0.25, 12);
    expect([entropy([7]), herfindahl([7])]).toEqual([0, 1]);
  });

  it('a cell is mature when its day and the window after it are over', () => {
    const calendar = new Calendar('Europe/Berlin');
    const range = { from: '2026-03-01', to: '2026-03-31' };
    const until = '2026-04-05T22:00:00.000Z';
    const rule = { calendar, range, maturesAfterMs: 7 * 86_400_000 };
    const day = { day: '2026-03-29' };
    expect(maturityOf(day, { ...rule, completeUpToMs: Date.parse(until) - 1 })).toEqual({
      matureUntil: until,
      mature: false,
    });
    expect(maturityOf(day, { ...rule, completeUpToMs: Date.parse(until) }).mature).toBe(true);
    // A week is cut off by the end of the range; the whole range ends with it.
    const week = maturityOf({ week: '2026-03-30' }, { ...rule, completeUpToMs: 0 });
    expect(week.matureUntil).toBe('2026-04-06T22:00:00.000Z');
    expect(maturityOf({}, { ...rule, completeUpToMs: 0 }).matureUntil).toBe(week.matureUntil);
  });
});
