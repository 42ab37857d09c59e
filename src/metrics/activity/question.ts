// What is asked of an activity metric, and the counts that answer it.
import type { Cell, DateRange } from '../metric.js';
import type { ActivitySpec } from './specs.js';

export interface ActivityQuestion {
  readonly spec: ActivitySpec;
  readonly range: DateRange;
  readonly timeZone: string;
  readonly byDay: boolean;
}

export interface ActivityCount {
  /** `day` where that was asked for, and `kind` of `activity`; the whole range has no day. */
  readonly cell: Cell;
  readonly numerator: number;
  readonly denominator: number;
}
