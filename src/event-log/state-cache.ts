// Streams as they are folded: state, revision, and the memory of the commands that led there. Kept for the streams used
// last; what falls out is folded again from the log and is the same.
import { type Decider, evolve } from '../kernel/decider.js';
import { LruMap } from '../kernel/lru-map.js';
import type { Command, DomainEvent, EventMetadata } from '../kernel/message.js';

/** Commands that one stream remembers: the newest of them, and none older than 48 h before its newest event. */
export const rememberedCommandsMax = 500;
const rememberedMs = 48 * 3_600_000;
/** Folded streams kept in memory, counted as one each plus one per remembered command. */
export const cachedWeightMax = 200_000;

export interface RememberedCommand {
  readonly requestHash: string | undefined;
  /** Revisions of its first and last event. */
  readonly first: number;
  readonly last: number;
  readonly receivedAtMs: number;
}

/** What the fold takes in: an event of the stream without personal fields. */
export interface FoldedEvent {
  readonly id: string;
  readonly event: DomainEvent;
  readonly revision: number;
  readonly position: bigint;
  readonly metadata: EventMetadata;
}

export class FoldedStream<C extends Command, E extends DomainEvent, State> {
  state: State;
  /** -1: no event. */
  revision = -1;
  position = 0n;
  private readonly commands = new Map<string, RememberedCommand>();

  constructor(
    readonly stream: string,
    readonly decider: Decider<C, E, State>,
  ) {
    this.state = decider.initialState;
  }

  get weight(): number {
    return 1 + this.commands.size;
  }

  remembered(commandId: string): RememberedCommand | undefined {
    return this.commands.get(commandId);
  }

  /** Takes events in order; what it has seen already is passed over, so that two readers may feed it. */
  apply({ id, event, revision, position, metadata }: FoldedEvent): void {
    if (revision <= this.revision) return;
    const { occurredAt, receivedAt } = metadata;
    this.state = evolve(this.decider, this.state, event, { id, revision, occurredAt, receivedAt });
    this.revision = revision;
    this.position = position;
    if (metadata.commandId !== undefined) this.remember(metadata.commandId, revision, metadata);
  }

  /** Takes the state that a decision has folded already, if nobody fed the fold meanwhile. False: it has to be fed. */
  adopt(state: State, events: readonly FoldedEvent[]): boolean {
    if (events[0]?.revision !== this.revision + 1) return false;
    this.state = state;
    for (const { revision, position, metadata } of events) {
      this.revision = revision;
      this.position = position;
      if (metadata.commandId !== undefined) this.remember(metadata.commandId, revision, metadata);
    }
    return true;
  }

  private remember(commandId: string, revision: number, metadata: EventMetadata): void {
    const receivedAtMs = Date.parse(metadata.receivedAt);
    const first = this.commands.get(commandId)?.first ?? revision;
    this.commands.set(commandId, { requestHash: metadata.requestHash, first, last: revision, receivedAtMs });
    for (const [oldest, { receivedAtMs: oldestMs }] of this.commands) {
      if (this.commands.size <= rememberedCommandsMax && oldestMs >= receivedAtMs - rememberedMs) break;
      this.commands.delete(oldest);
    }
  }
}

/** Any folded stream: the cache does not know their types, the category's one decider does. */
type AnyFoldedStream = FoldedStream<never, never, never>;

export class StateCache {
  private readonly streams: LruMap<string, AnyFoldedStream>;

  constructor(weightMax = cachedWeightMax) {
    this.streams = new LruMap(weightMax);
  }

  get size(): number {
    return this.streams.size;
  }

  get<C extends Command, E extends DomainEvent, State>(stream: string): FoldedStream<C, E, State> | undefined {
    return this.streams.get(stream) as FoldedStream<C, E, State> | undefined;
  }

  /** Keeps whichever has seen more, and gives it back: a slow reader must not put an older fold over a newer one. */
  keep<C extends Command, E extends DomainEvent, State>(fold: FoldedStream<C, E, State>): FoldedStream<C, E, State> {
    const held = this.get<C, E, State>(fold.stream);
    const newest = held && held.revision > fold.revision ? held : fold;
    this.streams.set(fold.stream, newest as unknown as AnyFoldedStream, newest.weight);
    return newest;
  }

  /** After an append whose outcome is unknown: the log is asked again. */
  drop(stream: string): void {
    this.streams.delete(stream);
  }
}
