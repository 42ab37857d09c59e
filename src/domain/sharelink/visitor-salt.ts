// Visitors of a link are named under a salt of that link, and salts are destroyed (1.12). One is made per day, UTC; that of
// a link derives from the day it was minted on. When that is gone, visitors have names of the day of their visit: known
// again on that day at that link, and never as whoever came before.
import { dayMs, toIso, toMs } from '../../kernel/clock.js';

/** A day's salt outlives the day by so much: the longest window of click-backs (metric 12) is whole for its last link. */
export const saltOutlivesDayMs = 28 * dayMs;

/** The day of an instant, as `2026-03-02`. */
export function saltDay(ms: number): string {
  return toIso(ms).slice(0, 10);
}

/** The day's salt is, or is to be, destroyed. */
export function isSaltOver(day: string, nowMs: number): boolean {
  return nowMs >= toMs(`${day}T00:00:00.000Z`) + dayMs + saltOutlivesDayMs;
}

/** The day whose salt visitors of a link are named under. */
export function namingDay(mintedMs: number, nowMs: number): string {
  const day = saltDay(mintedMs);
  return isSaltOver(day, nowMs) ? saltDay(nowMs) : day;
}
