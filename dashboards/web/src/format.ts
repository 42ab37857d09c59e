// Figures as people read them.

const whole = new Intl.NumberFormat('en');
const oneDecimal = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

export function count(value: number): string {
  return whole.format(value);
}
export function percent(rate: number): string {
  return `${oneDecimal.format(rate * 100)} %`;
}
/** What the rate could as well be. */
export function interval([low, high]: readonly [number, number]): string {
  return `${oneDecimal.format(low * 100)} to ${percent(high)}`;
}
/** Minor units with the currency's own exponent (JPY 0, USD 2, KWD 3). */
export function money(amountMinor: number, currency: string): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  return format.format(amountMinor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5_400) return `${oneDecimal.format(seconds / 60)} min`;
  return `${oneDecimal.format(seconds / 3_600)} h`;
}
export function instant(iso: string, timeZone: string): string {
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(
    new Date(iso),
  );
  return `${text} ${timeZone}`;
}
/** `dm` → `DM`, `copy_link` → `copy link`. */
export function label(word: string): string {
  return word === 'dm' ? 'DM' : word.replaceAll('_', ' ');
}
/** The calendar day `days` after (or before) an ISO date. */
export function shiftDay(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
/** The day of an instant in a time zone, ISO. */
export function dayOf(iso: string, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone }).format(new Date(iso));
}
/** The first day that is not shown: the day that is still running is shown, marked as not final. */
export function dayAfter({ completeUpTo, timeZone }: { completeUpTo: string; timeZone: string }): string {
  const lastInstant = new Date(Date.parse(completeUpTo) - 1).toISOString();
  return shiftDay(dayOf(lastInstant, timeZone), 1);
}
