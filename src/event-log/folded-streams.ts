// Gets a stream folded: out of the cache where that is up to date, else from the log, only as far as needed.
import type { Decider } from '../kernel/decider.js';
import { type Command, type DomainEvent, type RecordedEvent, streamName } from '../kernel/message.js';
import { decodeHidden } from './codec.js';
import type { EventLog, ReadOptions } from './event-log.js';
import { FoldedStream, rememberedCommandsMax, type StateCache } from './state-cache.js';

export class FoldedStreams {
  private readonly loading = new Map<string, Promise<unknown>>();

  /** @param shared other processes append too: what the cache holds is brought up to date before each use */
  constructor(
    private readonly log: Pick<EventLog, 'readStream'>,
    private readonly shared: boolean,
    private readonly cache: StateCache,
  ) {}

  async load<C extends Command, E extends DomainEvent, State>(
    decider: Decider<C, E, State>,
    id: string,
  ): Promise<FoldedStream<C, E, State>> {
    const stream = streamName(decider.category, id);
    const held = this.cache.get<C, E, State>(stream);
    if (held) return this.shared ? this.fold(held, undefined) : held;
    // Readers of one stream share its first fold.
    const running = this.loading.get(stream) as Promise<FoldedStream<C, E, State>> | undefined;
    if (running) return running;
    const started = this.fold(new FoldedStream(stream, decider), decider.tail);
    this.loading.set(stream, started);
    try {
      return await started;
    } finally {
      this.loading.delete(stream);
    }
  }

  /** The stream as it was at a revision of its past: what a command that led there was answered from. Not kept. */
  async at<C extends Command, E extends DomainEvent, State>(
    { stream, decider }: FoldedStream<C, E, State>,
    revision: number,
  ): Promise<FoldedStream<C, E, State>> {
    const limit = decider.tail === undefined ? {} : { limit: decider.tail };
    const past = new FoldedStream(stream, decider);
    applyAll(past, await this.backwards(stream, { from: revision, ...limit }));
    return past;
  }

  keep<C extends Command, E extends DomainEvent, State>(fold: FoldedStream<C, E, State>): void {
    this.cache.keep(fold);
  }

  /** After an append whose outcome is unknown: the log is asked again. */
  drop(stream: string): void {
    this.cache.drop(stream);
  }

  /** Reads what the fold has not seen; `tail`: only so many events from the end, or as many as commands are remembered. */
  private async fold<C extends Command, E extends DomainEvent, State>(
    fold: FoldedStream<C, E, State>,
    tail: number | undefined,
  ): Promise<FoldedStream<C, E, State>> {
    if (tail === undefined) {
      for await (const page of this.log.readStream(fold.stream, { from: fold.revision + 1 })) {
        applyAll(fold, page.map(decodeHidden));
      }
    } else {
      applyAll(fold, await this.backwards(fold.stream, { limit: Math.max(tail, rememberedCommandsMax) }));
    }
    return this.cache.keep(fold);
  }

  /** Read from their end, given in order. */
  private async backwards(stream: string, options: Pick<ReadOptions, 'from' | 'limit'>): Promise<RecordedEvent[]> {
    const newestFirst: RecordedEvent[] = [];
    for await (const page of this.log.readStream(stream, { ...options, direction: 'backwards' })) {
      newestFirst.push(...page.map(decodeHidden));
    }
    return newestFirst.toReversed();
  }
}

function applyAll<C extends Command, E extends DomainEvent, State>(
  fold: FoldedStream<C, E, State>,
  events: readonly RecordedEvent[],
): void {
  for (const event of events) {
    const { id, revision, position, metadata } = event;
    fold.apply({ id, event: { type: event.type, data: event.data }, revision, position, metadata });
  }
}
