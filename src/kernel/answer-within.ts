// For what can be done without: an answer, or an error when it takes too long.
import { sleep } from './sleep.js';

/**
 * @param timers by which the time passes; absent: the system's
 * @throws Error when the work is not done in time; it goes on alone.
 */
export async function answerWithin<Value>(
  work: Promise<Value>,
  msMax: number,
  timers: { readonly sleep: typeof sleep } = { sleep },
): Promise<Value> {
  const answered = new AbortController();
  const late = timers.sleep(msMax, answered.signal).then(() => {
    throw new Error(`no answer within ${msMax} ms`);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    answered.abort();
  }
}
