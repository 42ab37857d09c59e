// The sharing metrics (domain 2.1 and 2.2) as data. docs/metrics.md says the same in prose; a test compares them.
import { type MetricSpec, sharingDimensions, windows } from '../metric.js';
import type { Predicate } from './predicate.js';
import type { UnitName } from './units.js';

export interface SharingSpec extends MetricSpec {
  readonly unit: UnitName;
  /** Units that count at all; the numerator's are those of them that also have the property. */
  readonly counts: Predicate;
  readonly property: Predicate;
  /** Rows are channels with two counts, not a property: see mix. */
  readonly mix?: true;
}

const any: Predicate = { is: 'any' };
const offPlatform: Predicate = { is: 'one-of', column: 'destinationClass', values: ['off_platform'] };
const noWindow = { windows: [], maturesAfterMs: () => 0 } as const;

const completedShares = {
  unit: 'share',
  counts: any,
  denominator: 'completed shares',
  anchor: 'completion',
  dimensions: sharingDimensions,
} as const;

export const sharingSpecs: readonly SharingSpec[] = [
  {
    name: 'shares',
    title: 'Completed shares, in the app and off the platform',
    numerator: 'completed shares to an off-platform destination',
    ...completedShares,
    ...noWindow,
    property: offPlatform,
  },
  {
    name: 'leakage-rate',
    number: 4,
    title: 'Leakage rate: the off-platform part of all shares',
    numerator: 'completed shares to an off-platform destination',
    ...completedShares,
    ...noWindow,
    property: offPlatform,
  },
  {
    name: 'channel-mix',
    number: 8,
    title: 'Channel mix: the part of each channel in all shares',
    numerator: 'completed shares to the channel',
    ...completedShares,
    ...noWindow,
    property: any,
    mix: true,
  },
  {
    name: 'click-back-rate',
    number: 12,
    title: 'Click-back rate: links that somebody came back through',
    numerator: 'links with at least one click-back within the window of minting',
    denominator: 'links minted',
    anchor: 'minting',
    dimensions: sharingDimensions,
    windows: ['7d', '1d', '28d'],
    maturesAfterMs: (window) => windows[window ?? '7d'],
    unit: 'link',
    counts: any,
    property: { is: 'within-window', column: 'firstClickBackAt' },
  },
  {
    name: 'talk-back-rate',
    number: 19,
    title: 'Talk-back rate: shares to friends in a conversation that were answered',
    numerator: 'shares that a recipient answered within the window of completion',
    denominator: 'completed shares to `dm` or `group`',
    anchor: 'completion',
    dimensions: sharingDimensions,
    windows: ['24h'],
    maturesAfterMs: () => windows['24h'],
    unit: 'share',
    counts: { is: 'one-of', column: 'channel', values: ['dm', 'group'] },
    property: { is: 'within-window', column: 'firstAnswerAt' },
  },
];

/** The system's share sheet does not say where the share went. */
export const unknownTarget = 'system_share_sheet';
/** Evidence on which a destination counts as declared. */
export const declaredEvidence = ['declared', 'os_callback'] as const;
export const unknownChannel = 'unknown';
