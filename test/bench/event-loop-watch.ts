// The longest turns of this thread's event loop: how long a timer came late, and for how long of that the thread was at
// work itself. The rest it waited for a processor that others had, which on two cores the engine's threads often do.
import { readFileSync } from 'node:fs';

export interface LongestTurn {
  readonly ms: number;
  /** At work, milliseconds; undefined where the kernel does not tell. */
  readonly workMs: number | undefined;
}

const everyMs = 5;

export function watchTurns(): { stop(): LongestTurn } {
  let last = performance.now();
  let lastWork = workMs();
  const longest: { ms: number; workMs: number | undefined } = { ms: 0, workMs: lastWork === undefined ? undefined : 0 };
  const timer = setInterval(() => {
    const now = performance.now();
    const work = workMs();
    longest.ms = Math.max(longest.ms, now - last - everyMs);
    if (work !== undefined && lastWork !== undefined) longest.workMs = Math.max(longest.workMs ?? 0, work - lastWork);
    last = now;
    lastWork = work;
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
}

/** Time that the main thread has been on a processor: the first figure of its schedstat, in nanoseconds. */
function workMs(): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    return undefined;
  }
}
