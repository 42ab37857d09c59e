// Settles on a condition instead of sleeping a fixed time.
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 25;

/** Tries again until the attempt neither throws nor gives undefined or false; the last failure is the error. */
export async function eventually<T>(attempt: () => T | Promise<T>, msMax = 20_000): Promise<NonNullable<T>> {
  const end = performance.now() + msMax;
  for (;;) {
    let failure: unknown = new Error('the condition does not hold');
    try {
      const value = await attempt();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end) throw failure;
    await delay(pollMs);
  }
}
