// Waiting between attempts: doubling up to a maximum, with jitter so that several processes do not come back at once.
import { systemTimers, type Timers } from './timers.js';

const firstMs = 50;
const waitMsMax = 5_000;

export class Backoff {
  private attempt = 0;

  constructor(private readonly timers: Timers = systemTimers) {}

  reset(): void {
    this.attempt = 0;
  }

  /** Returns early when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const ceiling = Math.min(waitMsMax, firstMs * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    await this.timers.sleep(ceiling / 2 + (this.timers.random() * ceiling) / 2, signal);
  }
}
