// What a read model says about itself. A projection is data: tables keyed by event type; the projector runs them.
import type { RecordedEvent } from './message.js';

/** An event of any type, as projections get it; each handler narrows `data` by its event's schema type. */
export type AnyEvent = RecordedEvent;

/** One member of a sorted set. */
export interface Scored {
  readonly member: string;
  readonly score: number;
}

/**
 * The read model's keys as a handler sees them: what is stored, with the batch's earlier changes already in.
 * Keys are relative to the projection (`<kind>:<id>`); the sink puts `<projection>:v<n>:{<shard>}:` before them.
 * Three shapes: a JSON document, a hash of JSON fields, a sorted set. Only keys (and fields) named by `reads` may be
 * read; writing needs no read. What is read is never changed in place: put the changed copy.
 */
export interface DocumentView {
  get<Doc>(key: string): Doc | undefined;
  put(key: string, doc: unknown): void;
  delete(key: string): void;

  field<Value>(key: string, field: string): Value | undefined;
  fields<Value>(key: string): ReadonlyMap<string, Value>;
  setField(key: string, field: string, value: unknown): void;
  deleteField(key: string, field: string): void;

  /** Ascending by (score, member). */
  range(key: string): readonly Scored[];
  add(key: string, member: string, score: number): void;
  remove(key: string, member: string): void;
  /** Keeps the `max` highest. */
  trim(key: string, max: number): void;

  /** Does this shard own the keys of this member (or other owner id)? A handler changes keys of owned ids only. */
  owns(ownerId: string): boolean;
  /** Tells live listeners of the owner that something of theirs changed. */
  notify(ownerId: string, topic: string, subjectId: string): void;
}

/** What a handler reads: a document, a hash, one field of a hash, a sorted set. */
export type ReadSpec =
  | { readonly doc: string }
  | { readonly hash: string; readonly field?: string }
  | { readonly sorted: string };

export interface DocumentHandler {
  /** Named before the batch is loaded, so that all reads are one round trip. */
  readonly reads?: (event: AnyEvent) => readonly ReadSpec[];
  readonly apply: (event: AnyEvent, view: DocumentView) => void;
}

export interface DocumentProjection {
  readonly name: string;
  /** Raised when a fold changes; the projector then builds the new version beside the old one. */
  readonly version: number;
  /** What of the deployment's configuration the fold depends on, in words; absent: nothing. Others are another fold. */
  readonly settings?: string;
  /**
   * What a failing event is parked under, and what makes a later event depend on it: an event is parked when one of its
   * keys is, and then all of them are. The event's stream is always one of them; name others where a document is folded
   * from several streams (a conversation and its read marks).
   */
  readonly routingKeys?: (event: AnyEvent) => readonly string[];
  /**
   * Its documents depend on the order of events that have no routing key in common: folding a parked event late is then
   * not the fold of the log, and a retry is followed by a rebuild.
   */
  readonly ordersAcrossKeys?: true;
  readonly on: Readonly<Record<string, DocumentHandler>>;
}

/** A column value; UInt64 positions are bigint. */
export type RowValue = string | number | bigint | boolean | null | readonly string[];
export type Row = Readonly<Record<string, RowValue>>;

/** An event → rows of one ClickHouse table, from the event alone: no look-up, no clock, no randomness. */
export interface RowProjection {
  readonly name: string;
  readonly version: number;
  readonly table: string;
  /** In the order of the insert. */
  readonly columns: readonly string[];
  /** The column (a DateTime64, ISO text) whose month is the partition: one partition per insert. */
  readonly partitionBy: string;
  readonly on: Readonly<Record<string, (event: AnyEvent) => readonly Row[]>>;
}
