// Pauses between two tries: they double, and each is a random part of what it could be, so that many clients of a server
// that comes back do not all come at once.
import type { EventStoreDbSettings } from './settings.js';

export class BackOff {
  private tries = 0;

  constructor(private readonly settings: Pick<EventStoreDbSettings, 'backOffMinMs' | 'backOffMaxMs' | 'random'>) {}

  /** Something worked: the next pause is a short one again. */
  reset(): void {
    this.tries = 0;
  }

  /** Between half and all of the current step. */
  nextMs(): number {
    const { backOffMinMs, backOffMaxMs, random } = this.settings;
    const step = Math.min(backOffMinMs * 2 ** this.tries, backOffMaxMs);
    this.tries += 1;
    return step * (0.5 + random() / 2);
  }

  /** Resolves early when the signal aborts. */
  pause(signal: AbortSignal): Promise<void> {
    return sleep(this.nextMs(), signal);
  }
}

export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
