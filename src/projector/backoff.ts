// Waiting between attempts: doubling up to a maximum, with jitter so that several processes do not come back at once.
import { setTimeout as sleep } from 'node:timers/promises';

const firstMs = 50;
const waitMsMax = 5_000;

export class Backoff {
  private attempt = 0;

  reset(): void {
    this.attempt = 0;
  }

  /** Returns early when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    const ceiling = Math.min(waitMsMax, firstMs * 2 ** Math.min(this.attempt, 16));
    this.attempt += 1;
    await sleep(ceiling / 2 + (Math.random() * ceiling) / 2, undefined, { signal }).catch(() => undefined);
  }
}
