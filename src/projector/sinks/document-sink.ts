// Where the documents of one shard of one build are kept. Two sinks keep this contract (Redis, memory) and one suite
// holds them to it.
import type { ReadSpec, Scored } from '../../kernel/projection.js';

/** A Redis write command whose key (second word) is relative to the build. */
export type WriteCommand = readonly [command: string, key: string, ...rest: string[]];

/** The answer to one ReadSpec: JSON texts as they are stored. */
export type Loaded =
  | { readonly kind: 'doc'; readonly text: string | undefined }
  | { readonly kind: 'hash'; readonly values: ReadonlyMap<string, string> }
  | { readonly kind: 'field'; readonly text: string | undefined }
  | { readonly kind: 'sorted'; readonly members: readonly Scored[] };

/** What was read, and of which state: who folds on another one must not use it. */
export interface LoadedAt {
  readonly checkpoint: string | undefined;
  readonly loaded: readonly Loaded[];
}

/** What the projector itself keeps beside the documents. */
export interface SinkState {
  /** As stored; undefined when there is none. */
  readonly checkpoint: string | undefined;
  /** As stored; undefined when the build was never begun, or was lost. */
  readonly marker: string | undefined;
  /** Routing key → position of the first event parked under it. */
  readonly parkedKeys: ReadonlyMap<string, string>;
  /** How many events are parked. */
  readonly deadLetters: number;
  /** Positions of events that were dropped by hand. */
  readonly dropped: ReadonlySet<string>;
}

export interface SinkCommit {
  /** The checkpoint as this fold knows it; undefined: there is none yet. */
  readonly expected: string | undefined;
  readonly next: string;
  readonly commands: readonly WriteCommand[];
}

/** Somebody else moved the checkpoint: what was folded is void, read the state again. */
export interface FenceMismatch {
  readonly found: string | undefined;
}

export interface DocumentSink {
  state(): Promise<SinkState>;
  /** One answer per spec, in order, in one round trip. */
  load(specs: readonly ReadSpec[]): Promise<LoadedAt>;
  /** All commands and the checkpoint, or nothing. Undefined: done. */
  commit(commit: SinkCommit): Promise<FenceMismatch | undefined>;
  /** Every document as plain values, in pages and no order; the projector's own keys (`$…`) left out. */
  documents(): AsyncIterable<readonly (readonly [key: string, document: unknown])[]>;
  /** Removes every key of the build; what vouches for it (checkpoint, marker) first. */
  clear(): Promise<void>;
}

/**
 * A stored key in a form that can be compared: a document as it is, a hash as an object with its fields in order, a
 * sorted set as a list of `[member, score]`, ascending.
 */
export function plainHash(fields: Iterable<readonly [field: string, text: string]>): unknown {
  const ordered = [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(ordered.map(([field, text]) => [field, JSON.parse(text) as unknown]));
}
export function plainSorted(members: readonly Scored[]): unknown {
  return members.map(({ member, score }) => [member, score]);
}
