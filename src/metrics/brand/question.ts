// What is asked of a brand's metric, and the counts that answer it, before the gate.
import type { BrandDimension, Cell, DateRange } from '../metric.js';
import type { BrandSpec } from './specs.js';

export interface BrandQuestion {
  readonly spec: BrandSpec;
  readonly brandId: string;
  readonly range: DateRange;
  readonly timeZone: string;
  readonly by: readonly BrandDimension[];
  /** What happened at or after this instant (milliseconds since 1970) is not counted yet. */
  readonly asOfMs: number;
}

/** People: how many are in a cell, and how many of them did it. */
export interface ReachCount {
  readonly cell: Cell;
  readonly numerator: number;
  readonly denominator: number;
}
export interface ReachCounts {
  readonly rows: readonly ReachCount[];
  readonly total: { readonly numerator: number; readonly denominator: number };
}

export type ConversationSide = 'friend' | 'brand';

/** Money credited to one kind of conversation in one currency; `cell` has day or week where that was asked for. */
export interface MoneyCount {
  readonly cell: Cell;
  readonly side: ConversationSide;
  readonly currency: string;
  /** Net minor units; a refund on its own day. */
  readonly booked: number;
  /** Net minor units; a refund on the day of its order. */
  readonly cohort: number;
  /** People who bought. */
  readonly buyers: number;
}
/** Conversations with a card displayed. */
export interface TalkCount {
  readonly cell: Cell;
  readonly side: ConversationSide;
  readonly conversations: number;
  readonly people: number;
}
/** The cells asked for, and under an empty cell the whole range. */
export interface RevenueCounts {
  readonly money: readonly MoneyCount[];
  readonly talk: readonly TalkCount[];
}

/** Median, 75th and 90th percentile, milliseconds; null for none. */
export type Percentiles = readonly [number, number, number] | null;
export interface ResponseCount {
  readonly cell: Cell;
  readonly episodes: number;
  readonly answered: number;
  readonly human: Percentiles;
  readonly botAnswered: number;
  readonly bot: Percentiles;
  /** Of the answered ones, only the brand's open hours; null without stated hours. */
  readonly businessHours: Percentiles;
}

/** A brand's opening hours, as it stated them. */
export interface OpeningHours {
  readonly timeZone: string;
  /** Monday = 1. */
  readonly days: readonly number[];
  /** Minutes after local midnight, `from` before `to`. */
  readonly from: number;
  readonly to: number;
}
