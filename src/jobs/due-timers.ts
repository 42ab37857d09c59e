// The hand of the timers: reads what is due by a given time, once the projection has considered the head of the log, and
// acts on it, until nothing is due any more. What it does comes back through the log and clears the timer.
import type { IntentDecider } from '../domain/intent/intent.decider.js';
import type { EventLog } from '../event-log/event-log.js';
import { EventLogError } from '../event-log/event-log.js';
import type { EventStore } from '../event-log/transact.js';
import { decodeMarker, ownKeys, type ShardName } from '../kernel/document-keys.js';
import { Rejection } from '../kernel/rejection.js';
import { decodeTimer, dueKey, encodeTimer, timersName } from '../kernel/timer.js';
import type { Progress } from '../stores/documents/progress.js';
import type { DocumentReader } from '../stores/documents/reader.js';
import { scoredReply } from '../stores/documents/replies.js';
import { actOn, type DueTimer, streamOf } from './timer-acts.js';

/** Timers read at a time. */
const pageMax = 1_000;
/** Streams that are written at a time. */
const streamsAtOnceMax = 32;
/** Timers remembered that came to nothing: the projection clears them with the next event of their stream. */
const spentMax = 100_000;

/** The projection has not come as far as the log: what is due cannot be told yet. */
export class TimersBehind extends Error {
  constructor() {
    super('timers: the projection is behind the log');
    this.name = 'TimersBehind';
  }
}

/**
 * The timers were folded by other settings than this hand's: it would come too early or too late to find anything due. They
 * are being built anew, or another process of the deployment is configured otherwise.
 */
export class TimersOfOtherSettings extends Error {
  constructor(theirs: string | undefined, ours: string) {
    super(`timers: they were folded by other settings (${theirs ?? 'none'}) than this process has (${ours})`);
    this.name = 'TimersOfOtherSettings';
  }
}

export interface DueTimersOptions {
  readonly log: Pick<EventLog, 'head'>;
  readonly store: EventStore;
  readonly intentDecider: IntentDecider;
  /** Of the projection that the timers are read from, as this process would fold it. */
  readonly settings: string | undefined;
  readonly reader: DocumentReader;
  readonly progress: Progress;
  /** How long the projection may take to come to the head of the log. */
  readonly catchUpMsMax: number;
  /** Something that trying again will not mend. */
  readonly failed: (error: unknown, stream: string) => void;
}

export class DueTimers {
  /** `<score> <member>` of timers on which acting led to nothing. */
  private readonly spent = new Set<string>();
  private readonly shards: readonly ShardName[];

  constructor(private readonly options: DueTimersOptions) {
    const { shards } = options.reader;
    this.shards = Array.from({ length: shards }, (_, shard) => ({ projection: timersName, shard, shards }));
  }

  /**
   * Until nothing is due by `nowMs`. Gives back how many timers it acted on.
   * @throws TimersBehind, TimersOfOtherSettings, EventLogError (`retryable`): nothing is lost, the next call goes on.
   */
  async take(nowMs: number, signal?: AbortSignal): Promise<number> {
    let acted = 0;
    for (;;) {
      signal?.throwIfAborted();
      await this.caughtUp(signal);
      const due = (await Promise.all(this.shards.map((name) => this.due(name, nowMs)))).flat();
      if (due.length === 0) return acted;
      await this.act(due, signal);
      acted += due.length;
    }
  }

  /** A stop does not wait for a projection that has stopped before. */
  private async caughtUp(signal: AbortSignal | undefined): Promise<void> {
    const { log, progress, catchUpMsMax } = this.options;
    const passed = progress.waitFor(this.shards, await log.head(), catchUpMsMax);
    const listening = new AbortController();
    const stopped = new Promise<false>((resolve) => {
      signal?.addEventListener('abort', () => resolve(false), { once: true, signal: listening.signal });
    });
    const inTime = await Promise.race([passed, stopped]);
    listening.abort();
    signal?.throwIfAborted();
    if (!inTime) throw new TimersBehind();
  }

  /** In the order in which they fell due; those that came to nothing are passed over. */
  private async due(name: ShardName, nowMs: number): Promise<DueTimer[]> {
    for (let offset = 0; ; offset += pageMax) {
      const { replies } = await this.options.reader.readShard(name, (pipeline, key) => {
        pipeline.get(key(ownKeys.marker));
        pipeline.zrangebyscore(key(dueKey), '-inf', nowMs, 'WITHSCORES', 'LIMIT', offset, pageMax);
      });
      this.refuseOthers(replies[0]);
      const page = scoredReply(replies[1]);
      const due = page.filter(({ member, score }) => !this.spent.has(`${score} ${member}`));
      if (due.length > 0 || page.length < pageMax) {
        return due.map(({ member, score }) => ({ timer: decodeTimer(member), dueMs: score }));
      }
    }
  }

  private refuseOthers(marker: unknown): void {
    const settings = decodeMarker(marker)?.settings;
    if (settings !== this.options.settings) throw new TimersOfOtherSettings(settings, String(this.options.settings));
  }

  private async act(due: readonly DueTimer[], signal: AbortSignal | undefined): Promise<void> {
    const byStream = new Map<string, DueTimer[]>();
    for (const timer of due.toSorted((a, b) => a.dueMs - b.dueMs)) {
      const stream = streamOf(timer.timer);
      byStream.set(stream, [...(byStream.get(stream) ?? []), timer]);
    }
    const streams = [...byStream];
    const lane = async (): Promise<void> => {
      for (let next = streams.shift(); next; next = streams.shift()) {
        signal?.throwIfAborted();
        for (const timer of next[1]) await this.actOnce(timer, next[0]);
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: streamsAtOnceMax }, lane));
    for (const result of lanes) if (result.status === 'rejected') throw result.reason;
  }

  private async actOnce(due: DueTimer, stream: string): Promise<void> {
    try {
      await actOn(due, this.options);
    } catch (error) {
      if (error instanceof EventLogError && error.retryable) throw error;
      if (!(error instanceof Rejection)) this.options.failed(error, stream);
    }
    // Whatever it led to clears the timer; what led to nothing must not be acted on over and over.
    if (this.spent.size >= spentMax) this.spent.clear();
    this.spent.add(`${due.dueMs} ${encodeTimer(due.timer)}`);
  }
}
