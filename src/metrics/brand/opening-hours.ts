// A brand's opening hours from what it stated, and the open time between two moments.
import { Calendar } from '../calendar.js';
import type { OpeningHours } from './question.js';

function minutes(text: unknown): number {
  const [hour = 0, minute = 0] = String(text).split(':').map(Number);
  return hour * 60 + minute;
}

/** Undefined where the brand stated none, or none that open before they close. */
export function openingHours(details: string): OpeningHours | undefined {
  if (details === '') return undefined;
  const stated = JSON.parse(details) as {
    timeZone?: string;
    businessHours?: { days: number[]; from: string; to: string };
  };
  const { businessHours, timeZone } = stated;
  if (!businessHours || !timeZone) return undefined;
  const hours = {
    days: businessHours.days,
    from: minutes(businessHours.from),
    to: minutes(businessHours.to),
    timeZone,
  };
  return hours.days.length > 0 && hours.from < hours.to ? hours : undefined;
}

/** Milliseconds of open time between two moments: what the query computes, written as a walk over days. */
export function openMsBetween(hours: OpeningHours, fromMs: number, toMs: number): number {
  const calendar = new Calendar(hours.timeZone);
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: hours.timeZone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  const openUpTo = (ms: number): { day: number; open: number } => {
    const day = Math.floor(Date.parse(calendar.dayOf(ms)) / 86_400_000);
    const [hour = 0, minute = 0, second = 0] = clock.format(ms).split(':').map(Number);
    const today = hour * 3_600_000 + minute * 60_000 + second * 1_000 + (((ms % 1_000) + 1_000) % 1_000);
    const length = (hours.to - hours.from) * 60_000;
    const isOpen = hours.days.includes(((day + 3) % 7) + 1);
    return { day, open: isOpen ? Math.min(Math.max(today - hours.from * 60_000, 0), length) : 0 };
  };
  const start = openUpTo(fromMs);
  const end = openUpTo(toMs);
  let total = end.open - start.open;
  for (let day = start.day; day < end.day; day += 1) {
    if (hours.days.includes(((day + 3) % 7) + 1)) total += (hours.to - hours.from) * 60_000;
  }
  return total;
}
