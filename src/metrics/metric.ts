// The words of a metric: what a spec says, what may be asked of it, and what every answer carries.

export type Grain = 'day' | 'week';
export const sharingDimensions = ['day', 'channel', 'content', 'creator'] as const;
export type SharingDimension = (typeof sharingDimensions)[number];
export const brandDimensions = ['day', 'week', 'product', 'kind'] as const;
export type BrandDimension = (typeof brandDimensions)[number];

/** A length of time by its name in the API: `24h`, `7d`. */
export const windows = { '24h': 86_400_000, '1d': 86_400_000, '7d': 604_800_000, '28d': 2_419_200_000 } as const;
export type WindowName = keyof typeof windows;

/** What the list of metrics says of one, and what a test holds docs/metrics.md to. */
export interface MetricSpec {
  readonly name: string;
  /** Number in the catalogue of definitions; undefined for a plain count. */
  readonly number?: number;
  readonly title: string;
  readonly numerator: string;
  readonly denominator: string;
  /** What a day's row is of. */
  readonly anchor: string;
  /** The windows that may be asked for, the first is the default; none where the metric has no window. */
  readonly windows: readonly WindowName[];
  /** How long after the anchor a unit can still change, milliseconds, for a window. */
  readonly maturesAfterMs: (window: WindowName | undefined) => number;
  readonly dimensions: readonly string[];
}

export interface DateRange {
  /** Dates of the deployment's time zone, `to` exclusive. */
  readonly from: string;
  readonly to: string;
}

/** What a row is of: the values of the dimensions that were asked for. */
export type Cell = Readonly<Record<string, string>>;

export interface Maturity {
  /** From this instant on only late arrivals can change the figure. */
  readonly matureUntil: string;
  readonly mature: boolean;
}

export interface RateFigure {
  readonly numerator: number;
  readonly denominator: number;
  readonly rate: number | null;
  readonly interval: readonly [number, number] | null;
}

export interface Suppressed {
  readonly suppressed: true;
  /** People that a shown cell needs. */
  readonly minimum: number;
}
