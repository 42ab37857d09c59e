// Runners that go over the log together: one subscription, each event decoded once. A runner that needs a person, or
// whose build is gone, leaves the lane; any other failure is tried again, from where each runner then stands.
import type { EventLog, LogEvent } from '../../event-log/event-log.js';
import { Backoff } from '../backoff.js';
import { BuildGone } from '../sinks/document-sink.js';
import { type DocumentRunner, ProjectionStuck } from './document-runner.js';
import { type Decoder, decodePage } from './page.js';

/** Pages that are folded at a time: so many are in memory. */
const pagesAheadMax = 3;

export interface LaneListener {
  /** The runners have folded a page. */
  folded?(): Promise<void>;
  /** The runners have folded everything up to the head as it was a moment ago. */
  caughtUp?(): Promise<void>;
  fault?(error: unknown): void;
  stuck?(runner: DocumentRunner, error: ProjectionStuck): void;
  gone?(runner: DocumentRunner): void;
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
    const line = new Line();
    try {
      let after = start;
      for await (const page of this.log.subscribeAll({ ...(start > 0n ? { after: start } : {}), signal })) {
        if (page.kind === 'caught-up') {
          while (line.length > 0) if (!(await this.finish(line))) return;
          await this.each((runner) => runner.pass(page.position));
          await this.listener.caughtUp?.();
        } else {
          const fresh = ascending(page.events, after);
          await this.begin(line, fresh, after, signal);
          after = fresh.at(-1)?.position ?? after;
          if (line.length > pagesAheadMax && !(await this.finish(line))) return;
        }
        this.backoff.reset();
        if (this.runners.length === 0) return;
      }
    } finally {
      await line.settled();
    }
  }

  /** Each runner folds its pages one after the other, but need not wait for the others' pages. */
  private async begin(line: Line, events: readonly LogEvent[], after: bigint, signal: AbortSignal): Promise<void> {
    const page = await decodePage(events, this.decoder, (type) => this.runners.some((runner) => runner.wants(type)));
    const folding = this.runners.map(
      (runner) => [runner, line.next(runner, () => runner.fold(page, after, signal))] as const,
    );
    const done = new Map(folding);
    line.push({ after, done: () => this.each(async (runner) => done.get(runner)) });
  }

  /** Waits for the oldest page. False: somebody moved a checkpoint back, and its events are behind this subscription. */
  private async finish(line: Line): Promise<boolean> {
    const oldest = line.shift();
    await oldest?.done();
    if (this.runners.some(({ position }) => position < (oldest?.after ?? 0n))) return false;
    await this.listener.folded?.();
    return true;
  }

  /** All of them, whichever fails; then the first failure that is not its runner's own. */
  private async each(step: (runner: DocumentRunner) => Promise<void>): Promise<void> {
    const { runners } = this;
    const results = await Promise.allSettled(runners.map(step));
    let fault: unknown;
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') continue;
      const runner = runners[index] as DocumentRunner;
      if (!this.runners.includes(runner)) continue;
      if (result.reason instanceof ProjectionStuck) {
        this.remove(runner);
        this.listener.stuck?.(runner, result.reason);
      } else if (result.reason instanceof BuildGone) {
        this.remove(runner);
        this.listener.gone?.(runner);
      } else fault ??= result.reason;
    }
    if (fault !== undefined) throw fault;
  }
}

/** What has been delivered before, or comes twice in a page, counts once. */
function ascending(events: readonly LogEvent[], after: bigint): readonly LogEvent[] {
  let last = after;
  return events.filter(({ position }) => {
    const isFresh = position > last;
    if (isFresh) last = position;
    return isFresh;
  });
}

interface PageInHand {
  readonly after: bigint;
  readonly done: () => Promise<void>;
}

/** Pages that are being folded, oldest first. */
class Line {
  private readonly pages: PageInHand[] = [];
  private readonly last = new Map<DocumentRunner, Promise<void>>();

  get length(): number {
    return this.pages.length;
  }

  /** After what the runner is doing; when that fails, this fails alike. */
  next(runner: DocumentRunner, work: () => Promise<void>): Promise<void> {
    const turn = (this.last.get(runner) ?? Promise.resolve()).then(work);
    // Whoever waits for the page hears of it.
    turn.catch(() => undefined);
    this.last.set(runner, turn);
    return turn;
  }

  push(page: PageInHand): void {
    this.pages.push(page);
  }
  shift(): PageInHand | undefined {
    return this.pages.shift();
  }

  /** Nothing is in hand any more, however it ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.last.values());
  }
}

function leastOf(positions: readonly bigint[]): bigint {
  let least = positions[0] ?? 0n;
  for (const position of positions) if (position < least) least = position;
  return least;
}
