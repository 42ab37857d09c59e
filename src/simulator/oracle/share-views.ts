// What becomes of a share that began with a sheet, as its sharer must see it in the end: finished or given up (by word,
// or by half an hour of silence that nothing ended), where in its chain, what came back through its link.
import { type Chained, readChains } from './chains.js';
import type { Delivered } from './delivered.js';
import type { Link } from './sharing.js';

export interface ShareView extends Place {
  readonly shareId: string;
  readonly sharerId: string;
  readonly state: 'completed' | 'abandoned';
  /** The same without parents that no app named. */
  readonly explicit: Place;
  readonly clickBacks: number;
}
interface Place {
  readonly depth: number;
  /** Completed shares that pass this one on directly. */
  readonly children: number;
}

/** Of at most `max` shares that began with a sheet, spread evenly over all, and of those at the ends of at most `max` inferences. */
export function shareViews(given: Delivered, links: ReadonlyMap<string, Link>, max: number): ShareView[] {
  const shares = readChains(given);
  const completed = new Set(
    given.commands.filter(({ route }) => route === 'POST complete').map(({ params }) => params[0] as string),
  );
  const isCompleted = ({ shareId, isBare }: Chained) => isBare || completed.has(shareId);
  const all = placesOf(shares, isCompleted);
  const explicit = placesOf(
    shares.map((share) => (share.inferred ? { ...share, parent: '' } : share)),
    isCompleted,
  );
  const sheets = shares.filter(({ isBare }) => !isBare);
  const step = Math.max(1, Math.ceil(sheets.length / max));
  const inferences = shares.filter(({ inferred }) => inferred).slice(0, max);
  const ends = new Set(inferences.flatMap(({ shareId, parent }) => [shareId, parent]));
  return sheets
    .filter(({ shareId }, index) => index % step === 0 || ends.has(shareId))
    .map((sheet) => ({
      shareId: sheet.shareId,
      sharerId: sheet.sharerId,
      state: isCompleted(sheet) ? 'completed' : 'abandoned',
      ...all(sheet),
      explicit: explicit(sheet),
      clickBacks: links.get(sheet.shareId)?.clickBacks.length ?? 0,
    }));
}

function placesOf(shares: readonly Chained[], isCompleted: (share: Chained) => boolean): (share: Chained) => Place {
  const depths = new Map<string, number>();
  const children = new Map<string, number>();
  // A parent was there before its child.
  for (const share of shares) {
    const above = depths.get(share.parent);
    depths.set(share.shareId, above === undefined ? 0 : above + 1);
    if (isCompleted(share)) children.set(share.parent, (children.get(share.parent) ?? 0) + 1);
  }
  return ({ shareId }) => ({ depth: depths.get(shareId) ?? 0, children: children.get(shareId) ?? 0 });
}
