// Figures as other programs read them: unrounded, and with the marks that the page shows beside them.
import type { MetricRow } from './api.js';

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** One line per value of the dimension, under the names of the JSON; where there is no rate, its cells are empty. */
export function ratedTable(dimension: 'channel' | 'creator' | 'content', rows: readonly MetricRow[]): Table {
  return {
    header: [dimension, 'numerator', 'denominator', 'rate', 'intervalLow', 'intervalHigh', 'matureUntil', 'mature'],
    rows: rows.map((row) => {
      const { numerator, denominator, rate, interval, matureUntil, mature } = row;
      const [low, high] = interval ?? ['', ''];
      return [row[dimension] ?? '', numerator, denominator, rate ?? '', low, high, matureUntil, String(mature)];
    }),
  };
}

/** RFC 4180. */
export function csv({ header, rows }: Table): string {
  const cell = (value: string | number) =>
    /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return [header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
}
