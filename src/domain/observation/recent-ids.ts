// The ids of the newest observations of one stream, as an immutable value that is cheap to grow: a stream holds tens of
// thousands of them and every event makes a new state. Segments follow the revision, so that the same tail of a stream
// gives the same segments wherever the reading began.
import { hourMs, toMs } from '../../kernel/clock.js';

/** Ids per segment. */
export const segmentSize = 4_096;
/** Full segments kept beside the growing one: 12 × 4,096 = at least 49,152 ids per stream. */
export const segmentsMax = 12;
/** Ids received longer ago than this are given up even where there is room (Meta and TikTok keep 48 h too). */
export const rememberedMs = 48 * hourMs;
/** Ids that are copied on every event, before they move to a segment's set. */
const tipSize = 64;

interface Segment {
  readonly number: number;
  readonly ids: ReadonlySet<string>;
  readonly newestReceivedAt: string;
}

export interface RecentIds {
  readonly segments: readonly Segment[];
  readonly tip: readonly string[];
}

export const noIds: RecentIds = { segments: [], tip: [] };

export function has(recent: RecentIds, id: string): boolean {
  return recent.tip.includes(id) || recent.segments.some(({ ids }) => ids.has(id));
}

/** How many ids are remembered; for the metric that says how far back duplicates are known. */
export function sizeOf(recent: RecentIds): number {
  return recent.segments.reduce((sum, { ids }) => sum + ids.size, recent.tip.length);
}

function stillWanted(segment: Segment, number: number, receivedAt: string): boolean {
  if (number - segment.number > segmentsMax) return false;
  return segment.number === number || toMs(receivedAt) - toMs(segment.newestReceivedAt) <= rememberedMs;
}

/** The tip moves into its segment's set when it is full or the segment ends. */
export function withId(recent: RecentIds, id: string, revision: number, receivedAt: string): RecentIds {
  const tip = [...recent.tip, id];
  const endsSegment = revision % segmentSize === segmentSize - 1;
  if (tip.length < tipSize && !endsSegment) return { segments: recent.segments, tip };
  const number = Math.floor(revision / segmentSize);
  const current = recent.segments.at(-1);
  const grown: Segment = {
    number,
    ids: new Set(current?.number === number ? [...current.ids, ...tip] : tip),
    newestReceivedAt: receivedAt,
  };
  const older = current?.number === number ? recent.segments.slice(0, -1) : recent.segments;
  return { segments: [...older.filter((segment) => stillWanted(segment, number, receivedAt)), grown], tip: [] };
}
