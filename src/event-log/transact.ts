// The one loop of the write side: load → decide → append → on conflict again. Always with an exact expected revision,
// so whoever else writes, a decision stands only on the state it was made from. The stream itself remembers commands:
// a repeated one gets its first answer.
import { randomUUID } from 'node:crypto';
import { type Decider, decide, evolve } from '../kernel/decider.js';
import { deriveId } from '../kernel/ids.js';
import {
  type Command,
  type DomainEvent,
  type EventMetadata,
  type RecordedEvent,
  streamName,
} from '../kernel/message.js';
import { Rejection } from '../kernel/rejection.js';
import { decodeHidden, type EventCodec } from './codec.js';
import {
  type AppendResult,
  type EventLog,
  EventLogError,
  type NewEvent,
  type ReadOptions,
  WrongExpectedRevision,
} from './event-log.js';
import { FoldedStreams } from './folded-streams.js';
import { type FoldedStream, StateCache } from './state-cache.js';
import { StreamLocks } from './stream-locks.js';

/** Times that a decision is made again because somebody else wrote first. */
export const retriesMax = 3;
const schemaVersion = 1;

/** The metadata block of what a command leads to. `receivedAt` is the decision's time. */
export type CommandContext = Omit<EventMetadata, 'schemaVersion'>;

/** What is wanted of one stream. */
export interface Part<C extends Command, E extends DomainEvent, State> {
  readonly decider: Decider<C, E, State>;
  readonly id: string;
  /** Decided one after the other; none at all still records what is due. */
  readonly commands: readonly C[];
  readonly context: CommandContext;
  /** Metadata of single events instead of the context's: for facts that come together but have a time and an actor each. */
  readonly metadataOf?: (event: E) => CommandContext;
  /** The caller decided on this revision (`If-Match`). */
  readonly ifRevision?: number;
}

export interface Transacted<E extends DomainEvent, State> {
  /** What this command led to (or had led to), without personal fields and without what was due before it. */
  readonly events: readonly TransactedEvent<E>[];
  /** Of the stream's newest event, -1 for none; with position and state. Of a repeated command: as they were then. */
  readonly revision: number;
  readonly position: bigint;
  readonly state: State;
  /** The command had been carried out before: nothing was recorded now. */
  readonly repeated: boolean;
}
export type TransactedEvent<E extends DomainEvent> = E extends DomainEvent
  ? { readonly id: string; readonly revision: number; readonly type: E['type']; readonly data: E['data'] }
  : never;

/** Others kept writing to the stream; nothing was recorded. The same command may be sent again. */
export class StreamContended extends EventLogError {
  constructor(conflict: WrongExpectedRevision) {
    super('stream-contended', `${conflict.message}; retried ${retriesMax} times.`, true, { cause: conflict });
  }
}

interface Draft {
  readonly event: DomainEvent;
  readonly id: string;
  readonly revision: number;
  readonly metadata: EventMetadata;
  readonly due: boolean;
}
type AnyPart = Part<Command, DomainEvent, unknown>;
type AnyFold = FoldedStream<Command, DomainEvent, unknown>;
interface Plan {
  readonly fold: AnyFold;
  /** Revisions of the first and last event of the same command, carried out before. */
  readonly remembered: { readonly first: number; readonly last: number } | undefined;
  readonly drafts: readonly Draft[];
  /** The state after the drafts. */
  readonly state: unknown;
}

export interface EventStoreOptions {
  readonly log: Pick<EventLog, 'append' | 'appendMany' | 'readStream'>;
  readonly codec: EventCodec;
  /** Other processes append to this log too: folded streams are brought up to date before each use. */
  readonly shared: boolean;
  readonly cache?: StateCache;
}

export class EventStore {
  private readonly folds: FoldedStreams;
  private readonly locks = new StreamLocks();

  constructor(private readonly options: EventStoreOptions) {
    this.folds = new FoldedStreams(options.log, options.shared, options.cache ?? new StateCache());
  }

  /** @throws Rejection, SubjectErased, EventLogError (`retryable`: send the same command again). */
  async transact<C extends Command, E extends DomainEvent, State>(
    part: Part<C, E, State>,
  ): Promise<Transacted<E, State>> {
    return (await this.transactMany([part] as const))[0];
  }

  /**
   * Decides over several streams (each at most once) and appends to all of them: one durable commit on the embedded
   * log; on EventStoreDB stream by stream in this order, and a repeated command carries on where it stopped.
   */
  async transactMany<const Parts extends readonly unknown[]>(
    parts: Parts,
  ): Promise<{
    [I in keyof Parts]: Parts[I] extends Part<infer _C, infer E, infer State> ? Transacted<E, State> : never;
  }> {
    const all = (parts as unknown as readonly AnyPart[]).map(withCommandId);
    const streams = all.map((part) => streamName(part.decider.category, part.id));
    if (new Set(streams).size < streams.length)
      throw new TypeError(`a stream twice in one call: ${streams.join(', ')}`);
    return (await this.locks.withStreams(streams, () => this.settle(all))) as never;
  }

  /** The folded state, for a look-up of another stream's decision: checked, not locked. */
  async state<C extends Command, E extends DomainEvent, State>(
    decider: Decider<C, E, State>,
    id: string,
  ): Promise<{ readonly state: State; readonly revision: number; readonly position: bigint }> {
    const { state, revision, position } = await this.folds.load(decider, id);
    return { state, revision, position };
  }

  /** Events of a stream without personal fields. */
  async read(stream: string, options: ReadOptions & { readonly limit: number }): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const page of this.options.log.readStream(stream, options)) events.push(...page.map(decodeHidden));
    return events;
  }

  private async settle(parts: readonly AnyPart[]): Promise<Transacted<DomainEvent, unknown>[]> {
    for (let retries = 0; ; retries += 1) {
      const plans = await Promise.all(parts.map((part) => this.plan(part)));
      try {
        await this.append(plans);
        return await Promise.all(plans.map((plan) => this.result(plan)));
      } catch (error) {
        // Whatever failed, what is in the log now is not known here.
        for (const plan of plans) this.folds.drop(plan.fold.stream);
        if (!(error instanceof WrongExpectedRevision)) throw error;
        if (retries >= retriesMax) throw new StreamContended(error);
      }
    }
  }

  private async plan(part: AnyPart): Promise<Plan> {
    const fold = await this.folds.load(part.decider, part.id);
    const remembered = fold.remembered(part.context.commandId as string);
    if (remembered) {
      if (remembered.requestHash !== part.context.requestHash) {
        throw new Rejection('idempotency-key-reused', 'this Idempotency-Key was used for another request');
      }
      return { fold, remembered, drafts: [], state: fold.state };
    }
    if (part.ifRevision !== undefined && part.ifRevision !== fold.revision) {
      const detail = `expected revision ${part.ifRevision}, found ${fold.revision}: read again and decide again`;
      throw new Rejection('stale-revision', detail, { revision: fold.revision });
    }
    return { fold, remembered: undefined, ...this.draft(part, fold) };
  }

  /** What is due, then what the commands lead to. */
  private draft({ decider, commands, context, metadataOf }: AnyPart, fold: AnyFold): Pick<Plan, 'drafts' | 'state'> {
    const drafts: Draft[] = [];
    let state = fold.state;
    let ownEvents = 0;
    const take = (event: DomainEvent, due: boolean) => {
      const revision = fold.revision + 1 + drafts.length;
      const id =
        event.id ??
        (due
          ? deriveId('due', fold.stream, String(revision))
          : deriveId(context.commandId as string, fold.stream, String(ownEvents++)));
      const own = metadataOf?.(event) ?? context;
      const occurredAt = event.occurredAt ?? own.occurredAt;
      const metadata = due ? dueMetadata(id, occurredAt, context) : { schemaVersion, ...own, occurredAt };
      drafts.push({ event, id, revision, metadata, due });
      state = evolve(decider, state, this.options.codec.withoutPersonal(event), {
        id,
        revision,
        occurredAt: metadata.occurredAt,
        receivedAt: metadata.receivedAt,
      });
    };
    for (const event of decider.due?.(state, context.receivedAt) ?? []) take(event, true);
    for (const command of commands) for (const event of decide(decider, command, state)) take(event, false);
    return { drafts, state };
  }

  private async append(plans: readonly Plan[]): Promise<void> {
    const changed = plans.filter((plan) => plan.drafts.length > 0);
    if (changed.length === 0) return;
    const appends = await Promise.all(
      changed.map(async ({ fold, drafts }) => ({
        stream: fold.stream,
        events: await this.encode(drafts),
        expected: fold.revision < 0 ? ('no_stream' as const) : fold.revision,
      })),
    );
    const [only] = appends;
    const results =
      only && appends.length === 1
        ? [await this.options.log.append(only.stream, only.events, only.expected)]
        : await this.options.log.appendMany(appends);
    for (const [index, plan] of changed.entries()) this.advance(plan, results[index] as AppendResult);
  }

  private async encode(drafts: readonly Draft[]): Promise<NewEvent[]> {
    const events: NewEvent[] = [];
    for (const { id, event, metadata } of drafts) events.push(await this.options.codec.encode(id, event, metadata));
    return events;
  }

  private advance({ fold, drafts, state }: Plan, { position, revision: newest }: AppendResult): void {
    // The log numbered it otherwise (a deleted stream that revives goes on counting): read it again when it is needed.
    if (newest !== drafts.at(-1)?.revision) {
      this.folds.drop(fold.stream);
      return;
    }
    const events = drafts.map(({ id, event, revision, metadata }) => ({ id, event, revision, position, metadata }));
    if (!fold.adopt(state, events)) {
      for (const one of events) fold.apply({ ...one, event: this.options.codec.withoutPersonal(one.event) });
    }
    this.folds.keep(fold);
  }

  private async result({ fold, remembered, drafts }: Plan): Promise<Transacted<DomainEvent, unknown>> {
    const then = remembered && remembered.last < fold.revision ? await this.folds.at(fold, remembered.last) : fold;
    const { revision, position, state } = then;
    const events = remembered
      ? await this.read(fold.stream, { from: remembered.first, limit: remembered.last - remembered.first + 1 })
      : drafts
          .filter(({ due }) => !due)
          .map((draft) => ({
            ...this.options.codec.withoutPersonal(draft.event),
            id: draft.id,
            revision: draft.revision,
          }));
    const views = events.map((event) => ({
      id: event.id,
      revision: event.revision,
      type: event.type,
      data: event.data,
    }));
    return { events: views, revision, position, state, repeated: remembered !== undefined };
  }
}

/** Without a client's key a command is its own: it can be carried out once, and not be repeated. */
function withCommandId(part: AnyPart): AnyPart {
  return part.context.commandId === undefined
    ? { ...part, context: { ...part.context, commandId: randomUUID() } }
    : part;
}

/** What the service records by itself because its time has come. */
function dueMetadata(id: string, occurredAt: string, { receivedAt, causationId }: CommandContext): EventMetadata {
  return {
    schemaVersion,
    actor: { kind: 'system', id: 'timer' },
    occurredAt,
    receivedAt,
    correlationId: id,
    ...(causationId === undefined ? {} : { causationId }),
    source: 'server',
  };
}
