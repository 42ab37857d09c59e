// What a world consists of when it is ready to be sent: commands in order of time, deliveries of observations, and what
// each command reads and writes, so that a sender may run many at once without changing the outcome.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** Which key signs a request. */
export type Caller = 'app' | 'brand' | 'importer';

/**
 * One request of the public API. `{{name}}` in path and body stands for a result kept from an earlier command.
 */
export interface SimulatedCommand {
  /** Place in the file, from 0; the Idempotency-Key derives from the seed and it. */
  readonly n: number;
  /** When it happens: ISO, UTC. */
  readonly at: string;
  readonly caller: Caller;
  /** Who acts, for `app`. */
  readonly member?: string;
  /** Whose key and which agent, for `brand`. */
  readonly brand?: string;
  readonly agent?: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it changes, and what it only looks at: commands that share a changed thing run in order. */
  readonly writes: readonly string[];
  readonly reads: readonly string[];
  /** Name → top-level field of the answer (or `field/index` of an array in it) that later commands need. */
  readonly keep?: Readonly<Record<string, string>>;
}

/** One delivery of an observation; the same (source, id) may be delivered more than once. */
export interface DeliveredObservation {
  readonly deliveredAt: string;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  /** When the device says it happened. */
  readonly time: string;
  readonly data: JsonObject;
}

/** A command that does not know its place, its thread numbers, or whether its result is needed. */
export interface DraftCommand extends Omit<SimulatedCommand, 'n' | 'at' | 'writes' | 'reads'> {
  readonly at: number;
  readonly writes?: readonly string[];
  readonly reads?: readonly string[];
  /** Messages it puts into threads: the conversation, and a key by which a reply names the message. */
  readonly sends?: readonly { readonly conversation: string; readonly key: string }[];
  /** Key of the message it replies to: `replyTo` is filled in when the order is known. */
  readonly repliesTo?: string;
  /** Conversation whose newest `seq` at that moment it marks as read. */
  readonly marksRead?: string;
}

/** An observation as the device made it, before anything happens to it on its way. */
export interface DraftObservation {
  readonly at: number;
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
}

/** How a conversation comes to be: sent just before its first message. */
export interface DraftConversation {
  readonly id: string;
  readonly kind: 'direct' | 'brand';
  /** direct: the two; brand: the customer. */
  readonly members: readonly string[];
  readonly brand?: string;
  readonly origin: string;
}

/** What somebody has opened of what others shared: it tells what led them to share it. */
export function opensLane({ id }: { readonly id: string }): string {
  return `opens:${id}`;
}

/** What really happened, counted where it is made; some of it nobody could see from the outside. */
export interface Happened {
  count(name: string, by?: number): void;
}

/** Collects a world while its parts are made. */
export class Script implements Happened {
  readonly commands: DraftCommand[] = [];
  readonly observations: DraftObservation[] = [];
  readonly conversations = new Map<string, DraftConversation>();
  readonly counts = new Map<string, number>();

  command(draft: DraftCommand): void {
    this.commands.push(draft);
  }
  observe(draft: DraftObservation): void {
    this.observations.push(draft);
  }
  conversation(draft: DraftConversation): string {
    if (!this.conversations.has(draft.id)) this.conversations.set(draft.id, draft);
    return draft.id;
  }
  count(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }
}
