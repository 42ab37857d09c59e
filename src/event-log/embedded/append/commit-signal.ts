// The head of the log as readers may see it, and the waking of those who wait for it to move.

import { LogUnavailable } from '../../event-log.js';

/** How far the log is acknowledged, as those see it who read on. */
export interface Committed {
  /** The position after the last acknowledged byte. */
  readonly end: number;
  /** Position of the last acknowledged event, 0 when there is none. */
  readonly lastPosition: number;
  /** Resolves when the end has moved beyond `end`, or the signal aborts. @throws LogUnavailable when the log is closed */
  beyond(end: number, signal: AbortSignal): Promise<void>;
}

export class CommitSignal implements Committed {
  private readonly waiting = new Set<() => void>();
  private closed = false;

  constructor(
    private committedEnd: number,
    private committedLast: number,
  ) {}

  get end(): number {
    return this.committedEnd;
  }

  get lastPosition(): number {
    return this.committedLast;
  }

  advance(end: number, lastPosition: number): void {
    this.committedEnd = end;
    this.committedLast = lastPosition;
    this.wake();
  }

  beyond(end: number, signal: AbortSignal): Promise<void> {
    if (this.committedEnd > end || signal.aborted) return Promise.resolve();
    if (this.closed) return Promise.reject(new LogUnavailable('the log is closed'));
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  close(): void {
    this.closed = true;
    this.wake();
  }

  private wake(): void {
    // Each takes itself out of the set, which a Set allows while it is walked.
    for (const wake of this.waiting) wake();
  }
}
