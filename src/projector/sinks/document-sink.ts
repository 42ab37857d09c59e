// Where the documents of one shard of one build are kept. Two sinks keep this contract (Redis, memory) and one suite
// holds them to it.
import type { ReadSpec, Scored } from '../../kernel/projection.js';
import type { DeadLetter } from '../fold/parking.js';

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

/** The build is not being made any more, or another version of the code makes it: whoever has it in hand leaves it. */
export class BuildGone extends Error {
  override readonly name = 'BuildGone';
}

/** Documents of one state of the build, in the form of `documents`; absent keys are left out. */
export interface Snapshot {
  readonly checkpoint: string | undefined;
  readonly documents: ReadonlyMap<string, unknown>;
}

export interface DocumentSink {
  state(): Promise<SinkState>;
  /** One answer per spec, in order, in one round trip. */
  load(specs: readonly ReadSpec[]): Promise<LoadedAt>;
  /** All commands and the checkpoint, or nothing. Undefined: done. @throws BuildGone */
  commit(commit: SinkCommit): Promise<FenceMismatch | undefined>;
  /** Every document as plain values, in pages and no order; the projector's own keys (`$…`) left out. */
  documents(): AsyncIterable<readonly (readonly [key: string, document: unknown])[]>;
  /** Removes every key of the build; what vouches for it (checkpoint, marker) first. */
  clear(): Promise<void>;
}

/**
 * A sink that is one of several builds, with what a comparison and an operator ask of it. The first commit is taken only
 * while the build is being made: what was cleared does not come back by the hand of somebody who was away meanwhile.
 */
export interface BuildSink extends DocumentSink {
  /** Names of all documents, in pages; a name may come twice. */
  names(): AsyncIterable<readonly string[]>;
  snapshot(names: readonly string[]): Promise<Snapshot>;
  /** What is parked, in the order of the log. */
  deadLetters(): Promise<readonly DeadLetter[]>;
  /** Events that were dropped by hand: position → what was known of them, as JSON. */
  droppedLetters(): Promise<Readonly<Record<string, string>>>;
}

/** In the order of the log. */
export function lettersOf(texts: Iterable<string>): readonly DeadLetter[] {
  return [...texts]
    .map((text) => JSON.parse(text) as DeadLetter)
    .toSorted((a, b) => (BigInt(a.position) < BigInt(b.position) ? -1 : 1));
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
