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

interface Identified {
  readonly id: string;
}

export type Verdict =
  /** Write the events after the last one. */
  | { readonly kind: 'write' }
  /** They are there already, the last of them as `last`. */
  | { readonly kind: 'already'; readonly last: number }
  | { readonly kind: 'wrong-revision' }
  | { readonly kind: 'deleted' };

const write: Verdict = { kind: 'write' };
const wrongRevision: Verdict = { kind: 'wrong-revision' };
const deleted: Verdict = { kind: 'deleted' };

export function judgeAppend(view: StreamView, expected: ExpectedRevision, events: readonly Identified[]): Verdict {
  if (view.last === tombstoneRevision) return deleted;
  if (expected === 'any' || expected === 'stream_exists') {
    if (expected === 'stream_exists' && view.softDeleted) return deleted;
    if (expected === 'stream_exists' && view.last < 0 && !view.hasMetadata) return wrongRevision;
    return judgeByRecentIds(view, events);
  }
  const at = expected === 'no_stream' ? -1 : expected;
  if (at > view.last) return wrongRevision;
  if (at < view.last) return judgeByStoredIds(view, expected, at, events);
  return write;
}

/** Best effort, for writers without an expected revision: the ids this process wrote lately. */
function judgeByRecentIds(view: StreamView, events: readonly Identified[]): Verdict {
  let last = -1;
  for (const [i, { id }] of events.entries()) {
    const revision = view.recentRevision(id);
    if (revision === undefined) return i === 0 ? write : wrongRevision;
    last = revision;
  }
  return events.length === 0 ? write : { kind: 'already', last };
}

/** Certain, for writers with one: the ids must be those that stand right after the expected revision. */
function judgeByStoredIds(
  view: StreamView,
  expected: ExpectedRevision,
  at: number,
  events: readonly Identified[],
): Verdict {
  if (events.length === 0) return wrongRevision;
  for (const [i, { id }] of events.entries()) {
    if (view.idAt(at + 1 + i) === id) continue;
    const revives = i === 0 && expected === 'no_stream' && view.softDeleted;
    return revives ? write : wrongRevision;
  }
  return { kind: 'already', last: at + events.length };
}
