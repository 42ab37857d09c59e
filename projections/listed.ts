// Lists of which a thing stands in one at most: sorted sets, each by an instant of the thing's own.
import type { DocumentView } from '../src/kernel/projection.js';

export interface Place {
  /** Of the list. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly score: number;
}

/** Moves it from where it stood to where it stands; undefined: in no list. Nothing is written where nothing changed. */
export function moveInLists(view: DocumentView, member: string, was: Place | undefined, is: Place | undefined): void {
  if (was && was.key !== is?.key) view.remove(was.key, member);
  if (is && (is.key !== was?.key || is.score !== was.score)) view.add(is.key, member, is.score);
}
