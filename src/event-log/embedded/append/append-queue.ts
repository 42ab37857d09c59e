// Group commit: all that is asked for while one commit is on its way to the disk goes into the next. Nobody is told
// anything, success or refusal, before the commit that decided it is on disk.
import { EventLogError, LogUnavailable } from '../../event-log.js';
import type { Batch } from './batch.js';

/** A commit takes at most this many appends and stops after this many bytes. */
const commitAppendsMax = 4096;
const commitBytesMax = 8 * 1024 * 1024;
export const queueBytesMaxDefault = 64 * 1024 * 1024;
/** What waiting costs at least, whatever is to be written: an append without events, a delete. */
const jobBytesMin = 512;

export interface Commits {
  /** @throws LogFull */
  begin(): Promise<Batch>;
  /** Resolves when the batch is on disk and visible. */
  commit(batch: Batch): Promise<void>;
}

/** An AbortSignal, or anything else that says whether it is too late. */
export interface CallOff {
  readonly aborted: boolean;
}

interface Job {
  readonly bytes: number;
  readonly signal: { readonly aborted: boolean } | undefined;
  readonly write: (batch: Batch) => unknown;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

type Outcome = { readonly job: Job; readonly result?: unknown; readonly refusal?: unknown };

export class AppendQueue {
  private jobs: Job[] = [];
  private bytes = 0;
  private draining: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly commits: Commits,
    private readonly bytesMax: number,
  ) {}

  /**
   * `write` is run when its turn comes. A job whose signal has aborted by then is refused and never written.
   * @throws LogUnavailable when the queue is full or closed
   */
  run<Result>(
    recordBytes: number,
    write: (batch: Batch) => Result,
    signal?: { readonly aborted: boolean },
  ): Promise<Result> {
    if (this.closed) return Promise.reject(new LogUnavailable('the log is closed'));
    const bytes = recordBytes + jobBytesMin;
    if (this.bytes > 0 && this.bytes + bytes > this.bytesMax) {
      return Promise.reject(
        new LogUnavailable(`the append queue holds ${this.bytes} of at most ${this.bytesMax} bytes; try again later`),
      );
    }
    return new Promise<Result>((resolve, reject) => {
      this.jobs.push({ bytes, write, signal, resolve: resolve as (result: unknown) => void, reject });
      this.bytes += bytes;
      this.draining ??= this.drain();
    });
  }

  /** Takes no more; resolves when all that was taken is decided. */
  async close(): Promise<void> {
    this.closed = true;
    await this.draining;
  }

  private async drain(): Promise<void> {
    // The turn ends first, so that all writers of this turn share the commit.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.jobs.length > 0) {
      const jobs = this.take();
      await this.commit(jobs);
      for (const job of jobs) this.bytes -= job.bytes;
      // Whoever was just told may ask again at once; that belongs into the next commit.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.draining = undefined;
  }

  private take(): Job[] {
    let bytes = 0;
    let count = 0;
    while (count < this.jobs.length && count < commitAppendsMax && (count === 0 || bytes < commitBytesMax)) {
      bytes += (this.jobs[count] as Job).bytes;
      count += 1;
    }
    const taken = this.jobs.slice(0, count);
    this.jobs = this.jobs.slice(count);
    return taken;
  }

  private async commit(jobs: readonly Job[]): Promise<void> {
    try {
      const batch = await this.commits.begin();
      const outcomes = jobs.map((job) => decide(job, batch));
      await this.commits.commit(batch);
      for (const { job, result, refusal } of outcomes) {
        if (refusal === undefined) job.resolve(result);
        else job.reject(refusal);
      }
    } catch (error) {
      for (const job of jobs) job.reject(error);
    }
  }
}

function decide(job: Job, batch: Batch): Outcome {
  try {
    if (job.signal?.aborted)
      throw new EventLogError('append-aborted', 'the append was called off before its turn came');
    return { job, result: batch.atomically(job.write) };
  } catch (refusal) {
    return { job, refusal };
  }
}
