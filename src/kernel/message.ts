// The words of the pattern: what a decider makes (a domain event), what the log keeps of it (a recorded event), and
// the metadata block that every event carries whatever its type.
import type { z } from 'zod';

/** A fact as a decider states it. `data` is JSON: instants are ISO strings in UTC, money integer minor units. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** When it happened, where that differs from the command's own time (a timer's fact is dated when it was due). */
  readonly occurredAt?: string;
  /** The event's id where something outside of the command names the fact (an observation's source and id). */
  readonly id?: string;
}

/** What one event of a union carries. */
export type DataOf<Event extends DomainEvent, Type extends Event['type']> = Extract<Event, { type: Type }>['data'];

/** The schemas of one stream category, keyed by event type. */
export type EventSchemas = Readonly<Record<string, z.ZodType>>;

/** The union of events that a table of schemas describes. */
export type EventOf<Schemas extends EventSchemas> = {
  [Type in keyof Schemas & string]: DomainEvent<Type, z.infer<Schemas[Type]>>;
}[keyof Schemas & string];

/** A wish, with everything its decision needs: look-ups are part of `data`, the time is `now` (ISO, from the one Clock). */
export interface Command<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  readonly now: string;
}

/** The union of commands that a table of `data` shapes, keyed by command type, describes. */
export type CommandOf<Table> = {
  [Type in keyof Table & string]: Command<Type, Table[Type]>;
}[keyof Table & string];

export const actorKinds = ['member', 'brand_agent', 'bot', 'system', 'anonymous'] as const;
export interface Actor {
  readonly kind: (typeof actorKinds)[number];
  readonly id: string;
}

/** The actor's purposes as they stood when the event was recorded; a later withdrawal wins over it. */
export interface ConsentSnapshot {
  readonly product_analytics: boolean;
  readonly brand_measurement: boolean;
  readonly partner_sharing?: boolean;
  /** Of the policy that the person last chose under. */
  readonly policyVersion?: string;
}

export interface EventMetadata {
  readonly schemaVersion: number;
  readonly actor: Actor;
  /** Claimed by whoever did it; at most 5 min ahead of `receivedAt` (else clamped, see `clampedFrom`). */
  readonly occurredAt: string;
  /** By the service's Clock. */
  readonly receivedAt: string;
  readonly correlationId: string;
  readonly causationId?: string;
  /** Derived from (API key, member, route, target, Idempotency-Key). */
  readonly commandId?: string;
  /** Keyed hash of the request: the same commandId with another hash is refused. */
  readonly requestHash?: string;
  readonly clientEventId?: string;
  readonly clampedFrom?: string;
  readonly source: 'client' | 'server' | 'partner' | 'import';
  readonly platform?: string;
  readonly appVersion?: string;
  readonly country?: string;
  readonly locale?: string;
  readonly tzOffsetMin?: number;
  /** Where in the app it was done. */
  readonly surface?: string;
  readonly experimentArms?: readonly { readonly experimentId: string; readonly arm: string }[];
  readonly consent?: ConsentSnapshot;
}

/** An event as the log gives it back, decoded. Order: `revision` within its stream, `position` over everything. */
export interface RecordedEvent<Event extends DomainEvent = DomainEvent> {
  readonly id: string;
  readonly stream: string;
  /** 0, 1, 2 … within the stream. */
  readonly revision: number;
  /** Strictly increasing over the whole log, gaps allowed; never subtract two of them and call it a count. */
  readonly position: bigint;
  readonly recordedAt: string;
  readonly type: Event['type'];
  readonly data: Event['data'];
  readonly metadata: EventMetadata;
}

/** `<category>-<id>`; the category has no hyphen. */
export function streamName(category: string, id: string): string {
  return `${category}-${id}`;
}

/** The category of a stream: what stands before its first hyphen. */
export function categoryOf(stream: string): string {
  const hyphen = stream.indexOf('-');
  return hyphen < 0 ? stream : stream.slice(0, hyphen);
}
