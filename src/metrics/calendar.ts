// Days and weeks of the deployment's time zone. ClickHouse groups by them with the same zone data; this side needs
// where they begin, for windows, maturity and the reference evaluation.
import { dayMs, hourMs, toIso } from '../kernel/clock.js';

const datePattern = /^\d{4}-\d{2}-\d{2}$/;

/** `2026-02-30` is not a date. */
export function isDate(text: string): boolean {
  return datePattern.test(text) && !Number.isNaN(Date.parse(text)) && toIso(Date.parse(text)).startsWith(text);
}

/** The date so many days later. */
export function addDays(date: string, days: number): string {
  return toIso(Date.parse(date) + days * dayMs).slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / dayMs);
}

/** The Monday of the date's ISO week. */
export function weekOf(date: string): string {
  const sinceMonday = (Math.floor(Date.parse(date) / dayMs) + 3) % 7;
  return addDays(date, -sinceMonday);
}

/** How far a zone's midnight can be from UTC's, with room to spare. */
const offsetMsMax = 16 * hourMs;

export class Calendar {
  private readonly format: Intl.DateTimeFormat;
  private readonly starts = new Map<string, number>();

  constructor(readonly timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  }

  /** The date of an instant (milliseconds since 1970) in this zone. */
  dayOf(ms: number): string {
    return this.format.format(ms);
  }

  /** The first instant of a date: midnight, or where the clocks jump over it, the first instant after the gap. */
  startOf(date: string): number {
    const known = this.starts.get(date);
    if (known !== undefined) return known;
    let before = Date.parse(date) - offsetMsMax;
    let after = Date.parse(date) + offsetMsMax;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.dayOf(middle) < date) before = middle;
      else after = middle;
    }
    if (this.starts.size >= startsMax) this.starts.clear();
    this.starts.set(date, after);
    return after;
  }
}

/** How many days' beginnings are remembered. */
const startsMax = 4_096;
