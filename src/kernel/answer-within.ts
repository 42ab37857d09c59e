// For what can be done without: an answer, or an error when it takes too long.

/** Ends after so many milliseconds, or as soon as the signal aborts; never fails. */
type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

const systemSleep: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** @throws Error when the work is not done in time; it goes on alone. */
export async function answerWithin<Value>(work: Promise<Value>, msMax: number, sleep = systemSleep): Promise<Value> {
  const answered = new AbortController();
  const late = sleep(msMax, answered.signal).then(() => {
    throw new Error(`no answer within ${msMax} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    answered.abort();
  }
}
