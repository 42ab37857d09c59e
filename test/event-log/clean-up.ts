// What a test opened is closed when it ends, also when it fails: nothing of it keeps the test run from ending.
import { afterEach } from '@jest/globals';

/** To be called once at the top of a test file: the function it gives takes what is to be closed, last opened first. */
export function closedAfterEach(): (close: () => void | Promise<void>) => void {
  const open: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0).toReversed()) await close();
  });
  return (close) => {
    open.push(close);
  };
}
