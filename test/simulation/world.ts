// A world in which one seed decides everything that is left to chance: whose turn it is at every await, what fails
// before or after it was done, which process stalls, dies, or comes back. Nothing else in it takes time.
import type { LogEvent, SubscriptionPage } from '../../src/event-log/event-log.js';
import type { ReadSpec } from '../../src/kernel/projection.js';
import type {
  DocumentSink,
  FenceMismatch,
  LoadedAt,
  SinkCommit,
  SinkState,
} from '../../src/projector/sinks/document-sink.js';
import type { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { seeded } from '../seeded.js';

/** What a process sees when its engine fails it. */
export class SimulatedFault extends Error {}

interface Turn {
  readonly process: string;
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

export class World {
  readonly random: () => number;
  /** Chance that an await ends in a fault. */
  faults = 0;
  private turns: Turn[] = [];
  private readonly dead = new Set<string>();
  private readonly stalled = new Set<string>();

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }
  upTo(max: number): number {
    return 1 + Math.floor(this.random() * max);
  }

  /** An await of a process: it goes on when it is its turn, fails, or never goes on because the process is dead. */
  pause(process: string): Promise<void> {
    return new Promise((go, fail) => {
      if (!this.dead.has(process)) this.turns.push({ process, go, fail });
    });
  }

  /** The process ends between two awaits, wherever it is. */
  crash(process: string): void {
    this.dead.add(process);
    this.turns = this.turns.filter((turn) => turn.process !== process);
  }
  /** It gets no turn until it is woken: it still believes that it owns what it owned. */
  stall(process: string): void {
    this.stalled.add(process);
  }
  wake(process: string): void {
    this.stalled.delete(process);
  }

  /** One turn of one process. False: nobody waits for one. */
  async step(): Promise<boolean> {
    // Everything that follows from the last turn has happened when the next macrotask begins.
    await new Promise(setImmediate);
    const ready = this.turns.filter(({ process }) => !this.stalled.has(process));
    const turn = ready[Math.floor(this.random() * ready.length)];
    if (!turn) return false;
    this.turns.splice(this.turns.indexOf(turn), 1);
    if (this.chance(this.faults)) turn.fail(new SimulatedFault('the connection was lost'));
    else turn.go();
    return true;
  }
}

/** The log as one process sees it; all see the same events, and some of them again. */
export class WorldLog {
  constructor(
    private readonly world: World,
    private readonly process: string,
    private readonly events: readonly LogEvent[],
  ) {}

  async *subscribeAll({
    after = 0n,
    signal,
  }: {
    readonly after?: bigint;
    readonly signal: AbortSignal;
  }): AsyncIterable<SubscriptionPage> {
    let last = after;
    while (!signal.aborted) {
      await this.world.pause(this.process);
      const from = this.events.findIndex(({ position }) => position > last);
      const page = from < 0 ? [] : this.events.slice(from, from + this.world.upTo(12));
      if (page.length > 0) {
        last = page.at(-1)?.position ?? last;
        yield { kind: 'events', events: this.redelivered(page, from) };
      } else {
        last = this.events.at(-1)?.position ?? last;
        yield { kind: 'caught-up', position: last };
      }
    }
  }

  /** Sometimes with what came before it once more, with an event twice, or all of it twice. */
  private redelivered(page: readonly LogEvent[], from: number): readonly LogEvent[] {
    if (this.world.chance(0.1)) return [...this.events.slice(Math.max(0, from - this.world.upTo(6)), from), ...page];
    if (this.world.chance(0.1)) return page.flatMap((event) => (this.world.chance(0.3) ? [event, event] : [event]));
    return this.world.chance(0.05) ? [...page, ...page] : page;
  }
}

/** A sink that several processes share: each call may fail before it is done, or after it is done and before it is told. */
export class WorldSink implements DocumentSink {
  constructor(
    private readonly world: World,
    private readonly process: string,
    private readonly shared: MemorySink,
  ) {}

  private async call<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    await this.world.pause(this.process);
    const answer = await work();
    await this.world.pause(this.process);
    return answer;
  }

  state(): Promise<SinkState> {
    return this.call(() => this.shared.state());
  }
  load(specs: readonly ReadSpec[]): Promise<LoadedAt> {
    return this.call(() => this.shared.load(specs));
  }
  commit(commit: SinkCommit): Promise<FenceMismatch | undefined> {
    return this.call(() => this.shared.commit(commit));
  }
  documents(): AsyncIterable<readonly (readonly [key: string, document: unknown])[]> {
    return this.shared.documents();
  }
  clear(): Promise<void> {
    return this.call(() => this.shared.clear());
  }
}
