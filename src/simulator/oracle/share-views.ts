// What becomes of a share that began with a sheet, as its sharer must see it in the end: finished or given up (by word,
// or by half an hour of silence that nothing ended), where in its chain, what came back through its link.
import type { Command } from './delivered.js';
import { text } from './delivered.js';
import type { Link } from './sharing.js';

export interface ShareView {
  readonly shareId: string;
  readonly sharerId: string;
  readonly state: 'completed' | 'abandoned';
  readonly depth: number;
  /** Completed shares that pass this one on directly. */
  readonly children: number;
  readonly clickBacks: number;
}

interface Sheet {
  readonly shareId: string;
  readonly sharerId: string;
  readonly parent: string;
}

/** Of at most `max` shares that began with a sheet, spread evenly over all. */
export function shareViews(commands: readonly Command[], links: ReadonlyMap<string, Link>, max: number): ShareView[] {
  const sheets = commands
    .filter(({ route }) => route === 'POST share')
    .map(
      ({ body, member }): Sheet => ({
        shareId: text(body.shareId),
        sharerId: member,
        parent: text(body.parentShareId),
      }),
    );
  const byId = new Map(sheets.map((sheet) => [sheet.shareId, sheet]));
  const completed = new Set(
    commands.filter(({ route }) => route === 'POST complete').map(({ params }) => params[0] as string),
  );
  const children = new Map<string, number>();
  for (const { shareId, parent } of sheets) {
    if (parent && completed.has(shareId)) children.set(parent, (children.get(parent) ?? 0) + 1);
  }
  const depthOf = ({ parent }: Sheet): number => {
    const above = byId.get(parent);
    return above ? 1 + depthOf(above) : 0;
  };
  const step = Math.max(1, Math.ceil(sheets.length / max));
  return sheets
    .filter((_, index) => index % step === 0)
    .map((sheet) => ({
      shareId: sheet.shareId,
      sharerId: sheet.sharerId,
      state: completed.has(sheet.shareId) ? 'completed' : 'abandoned',
      depth: depthOf(sheet),
      children: children.get(sheet.shareId) ?? 0,
      clickBacks: links.get(sheet.shareId)?.clickBacks.length ?? 0,
    }));
}
