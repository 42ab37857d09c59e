// Runners that go over the log together: one subscription, each event decoded once. A runner that needs a person leaves
// the lane; any other failure is tried again, from where each runner then stands.
import type { EventLog, LogEvent } from '../../event-log/event-log.js';
import { Backoff } from '../backoff.js';
import { type DocumentRunner, ProjectionStuck } from './document-runner.js';
import { type Decoder, decodePage } from './page.js';

export interface LaneListener {
  /** The runners have folded a page. */
  folded?(): Promise<void>;
  /** The runners have folded everything up to the head as it was a moment ago. */
  caughtUp?(): Promise<void>;
  fault?(error: unknown): void;
  stuck?(runner: DocumentRunner, error: ProjectionStuck): void;
}

export class Lane {
  private runners: readonly DocumentRunner[];

  constructor(
    private readonly log: Pick<EventLog, 'subscribeAll'>,
    private readonly decoder: Decoder,
    runners: readonly DocumentRunner[],
    private readonly listener: LaneListener = {},
    private readonly backoff: Pick<Backoff, 'wait' | 'reset'> = new Backoff(),
  ) {
    this.runners = runners;
  }

  /** It leaves after the page that is being folded. */
  remove(runner: DocumentRunner): void {
    this.runners = this.runners.filter((one) => one !== runner);
  }

  /** Until the signal aborts, or no runner is left. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.runners.length > 0) {
      try {
        await this.each((runner) => runner.open());
        await this.each((runner) => runner.begin());
        if (this.runners.length > 0) await this.follow(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.listener.fault?.(error);
        await this.backoff.wait(signal);
      }
    }
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const start = leastOf(this.runners.map(({ position }) => position));
    let after = start;
    for await (const page of this.log.subscribeAll({ ...(start > 0n ? { after: start } : {}), signal })) {
      if (page.kind === 'caught-up') {
        await this.each((runner) => runner.pass(page.position));
        await this.listener.caughtUp?.();
      } else {
        await this.fold(page.events, signal);
        // Somebody moved a checkpoint back: its events are behind this subscription.
        if (this.runners.some(({ position }) => position < after)) return;
        after = page.events.at(-1)?.position ?? after;
        await this.listener.folded?.();
      }
      this.backoff.reset();
      if (this.runners.length === 0) return;
    }
  }

  private async fold(events: readonly LogEvent[], signal: AbortSignal): Promise<void> {
    const page = await decodePage(events, this.decoder, (type) => this.runners.some((runner) => runner.wants(type)));
    await this.each((runner) => runner.fold(page, signal));
  }

  /** All of them, whichever fails; then the first failure that is not its runner's own. */
  private async each(step: (runner: DocumentRunner) => Promise<void>): Promise<void> {
    const { runners } = this;
    const results = await Promise.allSettled(runners.map(step));
    let fault: unknown;
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const runner = runners[index] as DocumentRunner;
      if (result.reason instanceof ProjectionStuck) {
        this.remove(runner);
        this.listener.stuck?.(runner, result.reason);
      } else if (this.runners.includes(runner)) fault ??= result.reason;
    }
    if (fault !== undefined) throw fault;
  }
}

function leastOf(positions: readonly bigint[]): bigint {
  let least = positions[0] ?? 0n;
  for (const position of positions) if (position < least) least = position;
  return least;
}
