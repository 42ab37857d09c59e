// The newest opens of one content by one member, and which of them led to a share of it (S3). An open is evidence and no
// wish: what is none is passed over. It is known again by what it was told by, so that a report may come twice.
import { dayMs, toMs } from '../../kernel/clock.js';
import type { Decider } from '../../kernel/decider.js';
import type { ShareopenCommand } from './shareopen.commands.js';
import type { ShareopenEvent } from './shareopen.events.js';

/** An open this long ago, or longer, led to nothing any more. */
export const inferredWithinMs = 7 * dayMs;
/**
 * So many opens of one content are remembered, the last to arrive. Worst case beyond it: an open that is reported again
 * is recorded again, and one that so many late ones followed is forgotten; a share then has an earlier parent, or none.
 */
export const opensRememberedMax = 16;

export interface RememberedOpen {
  readonly shareId: string;
  readonly ref: string;
  readonly at: string;
  readonly sessionId?: string | undefined;
}
/** In the order of their arrival. */
export type ShareopenState = readonly RememberedOpen[];

export interface LedBy {
  readonly shareId: string;
  readonly evidence: 'session' | 'window';
}

function lastOf(opens: readonly RememberedOpen[]): RememberedOpen | undefined {
  return opens.reduce<RememberedOpen | undefined>(
    (last, open) => (last && toMs(last.at) > toMs(open.at) ? last : open),
    undefined,
  );
}

/** The share that was opened last before `now`: in the same session, or else within 7 days. Of two at once the later told. */
export function lastOpened(
  opens: ShareopenState,
  { sessionId, now }: { readonly sessionId?: string | undefined; readonly now: string },
): LedBy | undefined {
  const recent = opens.filter(({ at }) => toMs(at) <= toMs(now) && toMs(now) - toMs(at) < inferredWithinMs);
  const inSession = recent.filter((open) => sessionId !== undefined && open.sessionId === sessionId);
  const [open, evidence] =
    inSession.length > 0 ? ([lastOf(inSession), 'session'] as const) : ([lastOf(recent), 'window'] as const);
  return open && { shareId: open.shareId, evidence };
}

export const shareopenDecider: Decider<ShareopenCommand, ShareopenEvent, ShareopenState> = {
  category: 'shareopen',
  initialState: [],
  tail: opensRememberedMax,
  decide: {
    /** Only of another's share of this content. The share is looked up and never taken back, so there is no race. */
    RecordShareOpen: ({ data: { share, ...opened } }, state) => {
      if (share?.contentRef.contentId !== opened.contentId || share.sharerId === opened.openerId) return [];
      if (state.some(({ ref }) => ref === opened.ref)) return [];
      return [{ type: 'ShareOpened', data: opened }];
    },
  },
  evolve: {
    ShareOpened: (state, { data: { shareId, ref, sessionId } }, { occurredAt }) =>
      [...state, { shareId, ref, at: occurredAt, sessionId }].slice(-opensRememberedMax),
  },
};
