// A world in which one seed decides everything that is left to chance: whose turn it is at every await, what fails
// before or after it was done, which process stalls, dies, or comes back, and how long all of it takes. Time is the
// world's own: it goes on to the next thing that is due when nothing else is to be done.
import { createHash } from 'node:crypto';
import type { LogEvent, ReadAllOptions, SubscriptionPage } from '../../src/event-log/event-log.js';
import type { ReadSpec } from '../../src/kernel/projection.js';
import type {
  DocumentSink,
  FenceMismatch,
  LoadedAt,
  SinkCommit,
  SinkState,
} from '../../src/projector/sinks/document-sink.js';
import type { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import type { Timers } from '../../src/projector/timers.js';
import type { Around } from '../projector/memory-documents.js';
import { logId } from '../projector/support.js';
import { seeded } from '../seeded.js';

const stepMsMax = 8;

/** What a process sees when its engine fails it. */
export class SimulatedFault extends Error {}

interface Turn {
  readonly process: string;
  /** For the trace. */
  readonly what: string;
  dueMs: number;
  readonly go: () => void;
  /** Absent: it cannot fail. */
  readonly fail?: (error: Error) => void;
}

export class World {
  readonly random: () => number;
  /** Chance that an await ends in a fault. */
  faults = 0;
  /** The world's time. */
  nowMs = 0;
  private readonly happened = createHash('sha256');
  private turns: Turn[] = [];
  private readonly dead = new Set<string>();
  private readonly stalled = new Set<string>();

  constructor(readonly seed: number) {
    this.random = seeded(seed);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }
  upTo(max: number): number {
    return 1 + Math.floor(this.random() * max);
  }

  /**
   * An await of a process: it goes on when it is its turn, fails, or never goes on because the process is dead.
   * @param ms that it takes at least
   */
  pause(process: string, ms = 0, what = ''): Promise<void> {
    return new Promise((go, fail) => this.add({ process, what, dueMs: this.nowMs + ms, go, fail }));
  }

  /** As pause, without faults; ends when the signal aborts. */
  async sleep(process: string, ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return;
    let wake: () => void = () => undefined;
    await new Promise<void>((go) => {
      const turn: Turn = { process, what: 'sleep', dueMs: this.nowMs + ms, go };
      wake = () => {
        turn.dueMs = this.nowMs;
      };
      signal?.addEventListener('abort', wake);
      this.add(turn);
    });
    signal?.removeEventListener('abort', wake);
  }

  /** The time of a process whose clock runs at a rate of its own. */
  timersOf(process: string, rate: number): Timers {
    const offsetMs = this.random() * 1_000_000;
    return {
      now: () => offsetMs + this.nowMs * rate,
      sleep: (ms, signal) => this.sleep(process, ms / rate, signal),
      random: this.random,
    };
  }

  private add(turn: Turn): void {
    if (!this.dead.has(turn.process)) this.turns.push(turn);
  }

  /** What happens around each step of a store that a process asks: it takes its time, and it may fail on either side. */
  around(process: string): Around {
    return async (step, what) => {
      await this.pause(process, this.random() * stepMsMax, what);
      const answer = step();
      await answer;
      await this.pause(process, this.random() * stepMsMax, what);
      return answer;
    };
  }

  /** Of all turns so far, who had them and when. */
  trace(): string {
    return this.happened.copy().digest('hex');
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
    const waiting = this.turns.filter(({ process }) => !this.stalled.has(process));
    if (waiting.length === 0) return false;
    this.nowMs = Math.max(this.nowMs, Math.min(...waiting.map(({ dueMs }) => dueMs)));
    const ready = waiting.filter(({ dueMs }) => dueMs <= this.nowMs);
    const turn = ready[Math.floor(this.random() * ready.length)] as Turn;
    this.turns.splice(this.turns.indexOf(turn), 1);
    this.happened.update(`${this.nowMs} ${turn.process} ${turn.what}\n`);
    if (turn.fail && this.chance(this.faults)) turn.fail(new SimulatedFault('the connection was lost'));
    else turn.go();
    return true;
  }
}

/** The log as one process sees it; all see the same events, and some of them again. */
export class WorldLog {
  /** @param lookMs after which a subscription that has caught up looks again; 0: it says each time that it has */
  constructor(
    protected readonly world: World,
    protected readonly process: string,
    private readonly events: readonly LogEvent[],
    protected readonly lookMs = 0,
  ) {}

  async id(): Promise<string> {
    return logId;
  }

  async head(): Promise<bigint> {
    await this.world.pause(this.process, 0, 'head');
    return this.events.at(-1)?.position ?? 0n;
  }

  /** Forwards. */
  async *readAll({ after = 0n, signal }: ReadAllOptions = {}): AsyncIterable<readonly LogEvent[]> {
    const head = this.events.length;
    for (let at = this.after(after); at < head; ) {
      await this.world.pause(this.process, 0, 'read');
      signal?.throwIfAborted();
      const page = this.events.slice(at, Math.min(head, at + this.world.upTo(60)));
      at += page.length;
      yield page;
    }
  }

  private after(position: bigint): number {
    const from = this.events.findIndex((event) => event.position > position);
    return from < 0 ? this.events.length : from;
  }

  async *subscribeAll({
    after = 0n,
    signal,
  }: {
    readonly after?: bigint;
    readonly signal: AbortSignal;
  }): AsyncIterable<SubscriptionPage> {
    let last = after;
    let isTold = false;
    while (!signal.aborted) {
      await this.world.pause(this.process, 0, 'subscription');
      const from = this.after(last);
      const page = this.events.slice(from, from + this.world.upTo(12));
      if (page.length > 0) {
        last = page.at(-1)?.position ?? last;
        isTold = false;
        yield { kind: 'events', events: this.redelivered(page, from) };
      } else if (isTold && this.lookMs > 0) await this.world.sleep(this.process, this.lookMs, signal);
      else {
        isTold = true;
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
