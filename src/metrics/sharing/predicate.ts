// A property of a unit, once as data: compiled to ClickHouse SQL and evaluated in memory, so that the two cannot drift.
import { quoted } from '../sql.js';
import type { Unit, UnitColumn } from './units.js';

export type Predicate =
  | { readonly is: 'any' }
  | { readonly is: 'one-of'; readonly column: UnitColumn; readonly values: readonly string[] }
  /** It happened, and less than the window after the unit's own moment. */
  | { readonly is: 'within-window'; readonly column: 'firstAnswerAt' | 'firstClickBackAt' };

/** A ClickHouse condition over the columns of a unit; never null. */
export function predicateSql(predicate: Predicate, windowMs: number): string {
  if (predicate.is === 'any') return 'true';
  if (predicate.is === 'one-of') return `${predicate.column} IN (${predicate.values.map(quoted).join(', ')})`;
  return `ifNull(${predicate.column} < at + ${windowMs}, false)`;
}

export function holds(predicate: Predicate, unit: Unit, windowMs: number): boolean {
  if (predicate.is === 'any') return true;
  if (predicate.is === 'one-of') return predicate.values.includes(String(unit[predicate.column]));
  const happened = unit[predicate.column];
  return happened !== null && unit.at !== null && happened < unit.at + windowMs;
}
