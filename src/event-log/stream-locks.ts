// One command at a time per stream within this process. Other processes are met by the expected revision.
import { LogUnavailable } from './event-log.js';

/** Commands that may wait for one stream. */
const waitersMax = 1_000;

export class StreamLocks {
  private readonly tails = new Map<string, { last: Promise<void>; waiting: number }>();

  /** Runs alone on all of these streams; they are taken in order of name, so that two callers never wait for each other. */
  async withStreams<Result>(streams: readonly string[], run: () => Promise<Result>): Promise<Result> {
    const [stream, ...others] = streams.toSorted();
    if (stream === undefined) return run();
    return this.withStream(stream, () => this.withStreams(others, run));
  }

  private async withStream<Result>(stream: string, run: () => Promise<Result>): Promise<Result> {
    const tail = this.tails.get(stream) ?? { last: Promise.resolve(), waiting: 0 };
    if (tail.waiting >= waitersMax) throw new LogUnavailable(`${stream}: ${tail.waiting} commands wait for it already`);
    this.tails.set(stream, tail);
    tail.waiting += 1;
    const turn = tail.last;
    const { promise: done, resolve: release } = makeGate();
    tail.last = turn.then(() => done);
    await turn;
    try {
      return await run();
    } finally {
      tail.waiting -= 1;
      if (tail.waiting === 0) this.tails.delete(stream);
      release();
    }
  }
}

function makeGate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
