// For whoever moves the clock: says so to the hand of the timers, wherever it runs, and can wait until it is done.
import { randomUUID } from 'node:crypto';
import { type Job, Queue, QueueEvents } from 'bullmq';
import type { RedisClient } from '../stores/redis/redis-endpoint.js';
import {
  type Connect,
  keptJobs,
  queuePrefix,
  type TakeDueTimersData,
  type TakeDueTimersResult,
  takeDueTimers,
  timerQueue,
} from './timer-queue.js';

/** Tries of a job that somebody waits for, while the projection catches up. */
const attemptsMax = 20;
const retryMs = 500;
/** How often a waiter looks for itself: what the queue says before its events are first read reaches nobody. */
const lookEveryMs = 500;

export class TimerClient {
  private readonly connections: RedisClient[] = [];
  private readonly queue: Queue<TakeDueTimersData, TakeDueTimersResult>;
  private readonly events: QueueEvents;
  private closed = false;

  constructor(
    private readonly connect: Connect,
    failed: (error: unknown) => void,
  ) {
    this.queue = new Queue(timerQueue, { connection: this.connection(), prefix: queuePrefix });
    this.events = new QueueEvents(timerQueue, { connection: this.connection(), prefix: queuePrefix });
    this.queue.on('error', failed);
    this.events.on('error', failed);
  }

  /**
   * Every timer that is due by `nowMs` has been acted on. Gives back how many were.
   * @throws Error when no worker came to it in time; nothing is lost.
   */
  async settle(nowMs: number, timeoutMs: number): Promise<number> {
    const job = await this.tell(nowMs);
    const end = performance.now() + timeoutMs;
    for (;;) {
      try {
        return (await job.waitUntilFinished(this.events, lookEveryMs)).acted;
      } catch (error) {
        if (this.closed || performance.now() >= end || (await job.isFailed())) throw error;
      }
    }
  }

  /** Without waiting. */
  tell(nowMs: number): Promise<Job<TakeDueTimersData, TakeDueTimersResult>> {
    const jobId = `${randomUUID()}.${takeDueTimers}`;
    const backoff = { type: 'fixed', delay: retryMs } as const;
    return this.queue.add(takeDueTimers, { nowMs }, { jobId, attempts: attemptsMax, backoff, ...keptJobs });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.events.close();
    await this.queue.close();
    for (const connection of this.connections) connection.disconnect();
  }

  private connection(): RedisClient {
    const connection = this.connect({ maxRetriesPerRequest: null });
    this.connections.push(connection);
    return connection;
  }
}
