// The one source of time for decisions, windows, expiries and timers.

export interface Clock {
  /** Milliseconds since 1970, UTC; never goes backwards. */
  now(): number;
}

export function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

/** @throws RangeError when the text is not an instant. */
export function toMs(iso: string): number {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) throw new RangeError(`not an ISO instant: ${iso}`);
  return ms;
}

export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 86_400_000;

export function addMs(iso: string, ms: number): string {
  return toIso(toMs(iso) + ms);
}
