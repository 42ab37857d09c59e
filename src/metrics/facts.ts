// Facts as plain records, for the reference evaluation: what the row projection makes of events, one by one.
import { toMs } from '../kernel/clock.js';
import type { Row } from '../kernel/projection.js';

export function textOf(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}
export function numberOf(row: Row, column: string): number {
  return Number(row[column] ?? 0);
}
/** Milliseconds since 1970. */
export function momentOf(row: Row, column = 'occurred_at'): number {
  return toMs(textOf(row, column));
}
export function positionOf(row: Row): bigint {
  return BigInt(row['log_position'] as bigint);
}

/** Nobody in particular did it, or somebody who had agreed to product analytics when it was recorded. */
export function isAgreed(row: Row): boolean {
  return row['consent_analytics'] === true || textOf(row, 'member_id') === '';
}

/** The earlier one; null is never. */
export function earlier(a: number | null, b: number): number {
  return a === null ? b : Math.min(a, b);
}
