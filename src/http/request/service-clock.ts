// The two clocks a service may run by: the system's, or the one an importer moves.
import type { Clock } from '../../kernel/clock.js';

export class SystemClock implements Clock {
  private last = 0;

  now(): number {
    this.last = Math.max(this.last, Date.now());
    return this.last;
  }
}

/**
 * Stands where the importer last put it and never goes back. What it says goes through `record`, so that a restart
 * finds it again.
 */
export class ImportClock implements Clock {
  private current: number;

  /** @param startMs where an earlier run left it; 0: nobody has said what time it is */
  constructor(
    startMs: number,
    private readonly record: (nowMs: number) => void,
  ) {
    this.current = startMs;
  }

  /** False until somebody said what time it is. */
  get isSet(): boolean {
    return this.current > 0;
  }

  now(): number {
    return this.current;
  }

  advance(toMs: number): void {
    if (toMs <= this.current) return;
    this.current = toMs;
    this.record(toMs);
  }
}
