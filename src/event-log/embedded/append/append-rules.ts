// Whether an append is written, already was, or is refused: EventStoreDB's rules of expected revisions and of the two
// kinds of idempotency (docs/event-log.md). Pure: what the stream holds comes in as a view.
import type { ExpectedRevision } from '../../event-log.js';
import { tombstoneRevision } from '../storage/record.js';

export interface StreamView {
  /** Number of the last event, -1 for none, `tombstoneRevision` once tombstoned. */
  readonly last: number;
  readonly softDeleted: boolean;
  /** A metadata event exists: then the stream does, too. */
  readonly hasMetadata: boolean;
  idAt(revision: number): string | undefined;
  /** The revision of an event of this stream that this process wrote lately. */
  recentRevision(id: string): number | undefined;
}

export type Verdict =
  /** Write the events as `first`, `first` + 1, … */
  | { readonly kind: 'write'; readonly first: number }
  /** They are there already, the last of them as `last`. */
  | { readonly kind: 'already'; readonly last: number }
  | { readonly kind: 'wrong-revision' }
  | { readonly kind: 'deleted' };

const wrongRevision: Verdict = { kind: 'wrong-revision' };
const deleted: Verdict = { kind: 'deleted' };

export function judgeAppend(view: StreamView, expected: ExpectedRevision, ids: readonly string[]): Verdict {
  if (view.last === tombstoneRevision) return deleted;
  if (expected === 'any' || expected === 'stream_exists') {
    if (expected === 'stream_exists' && view.softDeleted) return deleted;
    if (expected === 'stream_exists' && view.last < 0 && !view.hasMetadata) return wrongRevision;
    return judgeByRecentIds(view, ids);
  }
  const at = expected === 'no_stream' ? -1 : expected;
  if (at > view.last) return wrongRevision;
  if (at < view.last) return judgeByStoredIds(view, expected, at, ids);
  return { kind: 'write', first: view.last + 1 };
}

/** Best effort, for writers without an expected revision: the ids this process wrote lately. */
function judgeByRecentIds(view: StreamView, ids: readonly string[]): Verdict {
  const write: Verdict = { kind: 'write', first: view.last + 1 };
  let last = -1;
  for (const [i, id] of ids.entries()) {
    const revision = view.recentRevision(id);
    if (revision === undefined) return i === 0 ? write : wrongRevision;
    last = revision;
  }
  return ids.length === 0 ? write : { kind: 'already', last };
}

/** Certain, for writers with one: the ids must be those that stand right after the expected revision. */
function judgeByStoredIds(view: StreamView, expected: ExpectedRevision, at: number, ids: readonly string[]): Verdict {
  if (ids.length === 0) return wrongRevision;
  for (const [i, id] of ids.entries()) {
    if (view.idAt(at + 1 + i) === id) continue;
    const revives = i === 0 && expected === 'no_stream' && view.softDeleted;
    return revives ? { kind: 'write', first: view.last + 1 } : wrongRevision;
  }
  return { kind: 'already', last: at + ids.length };
}
