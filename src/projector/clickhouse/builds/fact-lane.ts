// One build being kept up to date in this process: a sink that is run again after every failure, until it is stopped or
// the build turns out not to be what the log says any more.
import { Backoff } from '../../backoff.js';
import type { Timers } from '../../timers.js';
import { type ClickHouseSink, FactsLost } from '../clickhouse-sink.js';

export interface LaneHooks {
  /** A failure after which it is tried again. */
  fault(error: unknown): void;
  /** Gives the build up; tried until it succeeds, and then the lane is over. */
  lost(): Promise<void>;
  /** Runs beside the sink, as long as it is in the making. */
  beside?(signal: AbortSignal): Promise<void>;
}

export class FactLane {
  readonly ended: Promise<void>;
  private readonly stopped = new AbortController();
  private isLost = false;
  private hasCompanion: boolean;

  constructor(
    readonly build: number,
    readonly sink: ClickHouseSink,
    private readonly hooks: LaneHooks,
    private readonly timers: Timers,
  ) {
    const { signal } = this.stopped;
    this.hasCompanion = hooks.beside !== undefined;
    const beside = hooks.beside?.(signal).then(() => {
      this.hasCompanion = false;
    });
    this.ended = Promise.all([this.keep(signal), beside]).then(() => undefined);
  }

  /** Whether anything still runs beside the sink. */
  get isAccompanied(): boolean {
    return this.hasCompanion;
  }

  async end(): Promise<void> {
    this.stopped.abort();
    await this.ended;
  }

  private async keep(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(this.timers);
    const forget = this.sink.onProgress(() => backoff.reset());
    while (!signal.aborted) {
      try {
        if (this.isLost) await this.hooks.lost();
        else await this.sink.run(signal);
        if (this.isLost) break;
      } catch (error) {
        if (signal.aborted) break;
        this.hooks.fault(error);
        // Nothing is waited for then: the loop turns to giving it up.
        if (error instanceof FactsLost && !this.isLost) this.isLost = true;
        else await backoff.wait(signal);
      }
    }
    forget();
    this.stopped.abort();
  }
}
