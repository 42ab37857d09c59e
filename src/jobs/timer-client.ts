// For whoever moves the clock: says so to the hand of the timers, wherever it runs, and can wait until it is done.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Job, Queue } from 'bullmq';
import { answerWithin } from '../kernel/answer-within.js';
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
/** How often a waiter looks, milliseconds; BullMQ's events would tell at once, but reach nobody who is not reading them just then. */
const lookEveryMs = 25;

type TimerJob = Job<TakeDueTimersData, TakeDueTimersResult>;

export class TimerClient {
  private readonly connection: RedisClient;
  private readonly queue: Queue<TakeDueTimersData, TakeDueTimersResult>;
  private closed = false;

  constructor(connect: Connect, failed: (error: unknown) => void) {
    this.connection = connect({ maxRetriesPerRequest: null });
    this.queue = new Queue(timerQueue, { connection: this.connection, prefix: queuePrefix });
    this.queue.on('error', failed);
  }

  /**
   * Every timer that is due by `nowMs` has been acted on. Gives back how many were.
   * @throws Error when no worker came to it in time, or none could; nothing is lost.
   */
  settle(nowMs: number, timeoutMs: number): Promise<number> {
    const end = performance.now() + timeoutMs;
    return answerWithin(this.done(nowMs, end), timeoutMs);
  }

  /** Without waiting. */
  tell(nowMs: number): Promise<TimerJob> {
    const jobId = `${randomUUID()}.${takeDueTimers}`;
    const backoff = { type: 'fixed', delay: retryMs } as const;
    return this.queue.add(takeDueTimers, { nowMs }, { jobId, attempts: attemptsMax, backoff, ...keptJobs });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.queue.close();
    this.connection.disconnect();
  }

  private async done(nowMs: number, end: number): Promise<number> {
    const { id = '' } = await this.tell(nowMs);
    while (!this.closed && performance.now() < end) {
      const job: TimerJob | undefined = await Job.fromId(this.queue, id);
      if (job?.finishedOn !== undefined) {
        if (await job.isFailed()) throw new Error(job.failedReason);
        return job.returnvalue.acted;
      }
      await sleep(lookEveryMs);
    }
    throw new Error('nobody waits for the timers any more');
  }
}
