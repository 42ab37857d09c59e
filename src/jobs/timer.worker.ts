// Takes what is due again and again, and whenever somebody asks, and destroys what is to be forgotten by then. One at a time in
// the whole deployment; two at once would do the same twice, which is once.
import { Queue, Worker } from 'bullmq';
import type { Clock } from '../kernel/clock.js';
import type { RedisClient } from '../stores/redis/redis-endpoint.js';
import type { DueTimers } from './due-timers.js';
import {
  type Connect,
  keptJobs,
  queuePrefix,
  type TakeDueTimersData,
  type TakeDueTimersResult,
  takeDueTimers,
  timerQueue,
} from './timer-queue.js';

/** How often the scheduler is put in place again: a Redis that was emptied has none. */
const ensureEveryMs = 10_000;

export interface TimerWorkerOptions {
  readonly connect: Connect;
  readonly dueTimers: DueTimers;
  /** Destroys what is to be forgotten by then. Never fails: what is left is left to the next call. */
  readonly forget: (nowMs: number) => Promise<void>;
  readonly clock: Clock;
  readonly everyMs: number;
  /** What keeps a job from being done; it is tried again with the next. */
  readonly failed: (error: unknown) => void;
}

export class TimerWorker {
  private readonly stop = new AbortController();
  private readonly connections: RedisClient[] = [];
  private queue: Queue<TakeDueTimersData> | undefined;
  private ensuring: NodeJS.Timeout | undefined;
  private worker: Worker<TakeDueTimersData, TakeDueTimersResult> | undefined;

  constructor(private readonly options: TimerWorkerOptions) {}

  async start(): Promise<void> {
    const { failed } = this.options;
    this.queue = new Queue(timerQueue, { connection: this.connection(), prefix: queuePrefix });
    this.queue.on('error', failed);
    this.worker = new Worker<TakeDueTimersData, TakeDueTimersResult>(timerQueue, ({ data }) => this.take(data), {
      connection: this.connection(),
      prefix: queuePrefix,
      concurrency: 1,
    });
    this.worker.on('error', failed).on('failed', (_, error) => {
      if (!this.stop.signal.aborted) failed(error);
    });
    await this.ensureScheduler();
    this.ensuring = setInterval(() => void this.ensureScheduler().catch(failed), ensureEveryMs);
  }

  private async ensureScheduler(): Promise<void> {
    const { everyMs: every } = this.options;
    await this.queue?.upsertJobScheduler(takeDueTimers, { every }, { name: takeDueTimers, opts: keptJobs });
  }

  /** A job in hand is broken off between two timers; the next process goes on. */
  async close(): Promise<void> {
    this.stop.abort();
    clearInterval(this.ensuring);
    await this.worker?.close();
    await this.queue?.close();
    for (const connection of this.connections) connection.disconnect();
  }

  private async take({ nowMs = 0 }: TakeDueTimersData): Promise<TakeDueTimersResult> {
    const { dueTimers, forget, clock } = this.options;
    const now = Math.max(nowMs, clock.now());
    // First: the projection of the timers may be behind.
    await forget(now);
    return { acted: await dueTimers.take(now, this.stop.signal) };
  }

  private connection(): RedisClient {
    const connection = this.options.connect({ maxRetriesPerRequest: null });
    this.connections.push(connection);
    return connection;
  }
}
