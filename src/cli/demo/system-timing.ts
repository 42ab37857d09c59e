// The sender's time is the machine's.
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { Timing } from '../../simulator/runner/http-client.js';

export const systemTiming: Timing = {
  now: () => performance.now(),
  sleep: async (ms) => {
    await wait(ms);
  },
};
