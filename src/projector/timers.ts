// What the projector's loops wait by: handed in, so that whoever hands it in lets the time pass.
import { sleep } from '../kernel/sleep.js';

export interface Timers {
  /** Milliseconds since some beginning of this process; never goes back. */
  now(): number;
  /** Ends after so many milliseconds, or as soon as the signal aborts; never fails. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1): so that processes that wait for the same do not come back at the same time. */
  random(): number;
}

export const systemTimers: Timers = {
  now: () => performance.now(),
  sleep,
  random: () => Math.random(),
};
