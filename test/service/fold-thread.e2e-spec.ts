// The facts are folded in a thread of their own: it makes what this thread would make, and ends when it is told to.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog } from '../../src/event-log/event-log.js';
import { type Cut, type CutLog, cutLog } from '../../src/projector/clickhouse/chunk/chunk-stream.js';
import { factSource } from '../../src/service/fact-source.js';
import { cutInThread } from '../../src/service/fold-thread.js';
import { type TemporaryDirectory, temporaryDirectory } from '../event-log/temporary-directory.js';
import { asNewEvent, SocialHistory } from '../projections/social-history.js';

const limits = { rowsMax: 300, bytesMax: 8_000_000, waitMs: 5 };

async function write(log: EventLog, seed: number): Promise<void> {
  const { events } = new SocialHistory(seed, 12, 400);
  for (const [index, event] of events.entries()) {
    await log.append(`${event.stream}-${seed}`, [asNewEvent(event, seed * 100_000 + index)], 'any');
  }
}

/** Cuts from the start, until nothing is left to read. */
async function cutsOf(cut: CutLog, head: bigint): Promise<Cut[]> {
  const stop = new AbortController();
  const cuts: Cut[] = [];
  for await (const one of cut({ after: 0n, limits, signal: stop.signal })) {
    cuts.push(one);
    if (one.considered >= head) stop.abort();
  }
  return cuts;
}

/** Where a chunk was cut is a matter of time: what counts is what all of them hold. */
function held(cuts: readonly Cut[]): unknown {
  const months = new Map<number, string[]>();
  for (const { chunk } of cuts) {
    for (const { month, pieces } of chunk?.parts ?? []) {
      const lines = Buffer.concat(pieces)
        .toString('utf8')
        .replaceAll(/\t\d+\n/g, '\n');
      months.set(month, [...(months.get(month) ?? []), lines]);
    }
  }
  return [...months].map(([month, texts]) => [month, texts.join('')]);
}

describe('the thread that folds the facts', () => {
  let temporary: TemporaryDirectory;
  let log: EmbeddedEventLog;
  beforeEach(async () => {
    temporary = temporaryDirectory();
    log = await EmbeddedEventLog.open(temporary.path, { segmentBytes: 100_000, durable: false });
    await write(log, 1);
  });
  afterEach(async () => {
    await log.close();
    temporary.remove();
  });

  it('makes the rows that this thread makes, of what was there before and of what is written meanwhile', async () => {
    const stop = new AbortController();
    const cuts: Cut[] = [];
    const before = await log.head();
    let writing: Promise<void> | undefined;
    for await (const cut of cutInThread(log)({ after: 0n, limits, signal: stop.signal })) {
      cuts.push(cut);
      if (cut.considered >= before) writing ??= write(log, 2);
      if (writing && cut.considered >= (await writing.then(() => log.head()))) stop.abort();
    }
    const here = await cutsOf((options) => cutLog(log, factSource, decodeHidden, options), await log.head());
    expect(held(cuts)).toEqual(held(here));
    expect(cuts.at(-1)?.considered).toBe(here.at(-1)?.considered);
    expect(cuts.filter(({ chunk }) => chunk).length).toBeGreaterThan(3);
  });

  it('says why it cannot go on, and again to whoever asks after that', async () => {
    const stop = new AbortController();
    const cuts = cutInThread(log)({ after: 0n, limits, signal: stop.signal })[Symbol.asyncIterator]();
    await cuts.next();
    await log.close();
    const failure = async () => {
      for (;;) await cuts.next();
    };
    await expect(failure()).rejects.toThrow(/the log is closed/);
    await expect(cuts.next()).rejects.toThrow(/the log is closed/);
    await cuts.return?.();
  });

  it('is done when the signal aborts, wherever it is', async () => {
    const stop = new AbortController();
    const cuts = cutInThread(log)({ after: await log.head(), limits, signal: stop.signal })[Symbol.asyncIterator]();
    expect(await cuts.next()).toMatchObject({ value: { caughtUp: true } });
    const next = cuts.next();
    stop.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await cuts.next()).toEqual({ done: true, value: undefined });
  });
});
