// What is asked of a sharing metric, and the counts that answer it, before they become figures.
import type { Cell, DateRange, SharingDimension, WindowName } from '../metric.js';
import type { SharingSpec } from './specs.js';

export interface SharingQuestion {
  readonly spec: SharingSpec;
  readonly range: DateRange;
  readonly timeZone: string;
  readonly by: readonly SharingDimension[];
  readonly window: WindowName | undefined;
  readonly filters: { readonly channel?: string; readonly content?: string; readonly creator?: string };
  /** Most rows to be returned. */
  readonly limit: number;
}

export interface SharingCount {
  readonly cell: Cell;
  readonly numerator: number;
  readonly denominator: number;
}

export interface SharingCounts {
  /** The largest cells, at most `limit`. */
  readonly rows: readonly SharingCount[];
  readonly total: { readonly numerator: number; readonly denominator: number };
}

export interface MixCount {
  /** With `channel` among its values. */
  readonly cell: Cell;
  readonly declared: number;
  readonly reclassified: number;
  /** Shares of all channels in the rest of the cell. */
  readonly of: number;
}
