// A reader of the log's files in another thread: whatever is written meanwhile, in however many files, it reads what is
// acknowledged, all of it and nothing else.
import { appendFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { LogFollower } from '../../../src/event-log/embedded/reading/log-follower.js';
import type { LogEvent } from '../../../src/event-log/event-log.js';
import { seeded } from '../../seeded.js';
import { all } from '../contract/rule.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import { eventNumber, fixtureOptions, segmentPaths } from './log-fixture.js';

const seed = Number(process.env['FOLLOWER_SEED'] ?? Date.now() % 1_000_000);

describe(`a follower of a log that is being written (seed ${seed})`, () => {
  let temporary: TemporaryDirectory;
  let log: EmbeddedEventLog;
  beforeEach(async () => {
    temporary = temporaryDirectory();
    log = await EmbeddedEventLog.open(temporary.path, fixtureOptions);
  });
  afterEach(async () => {
    await log.close();
    temporary.remove();
  });

  function follower(): LogFollower {
    const ask = (end: number, signal: AbortSignal) => log.acknowledgedBeyond(end, signal);
    return LogFollower.open(temporary.path, log.acknowledged(), ask);
  }

  /** Everything after a position, until the follower has caught up and `isAll` says that nothing more comes. */
  async function read(
    reader: LogFollower,
    after?: bigint,
    isAll: (events: readonly LogEvent[]) => boolean = () => true,
  ): Promise<LogEvent[]> {
    const stop = new AbortController();
    const events: LogEvent[] = [];
    const options = { ...(after === undefined ? {} : { after }), signal: stop.signal };
    for await (const page of reader.subscribeAll(options)) {
      if (page.kind === 'events') events.push(...page.events);
      else if (isAll(events) && page.position === (await log.head())) stop.abort();
    }
    return events;
  }

  it('reads what the log itself reads, from any position on, while files are begun', async () => {
    const random = seeded(seed);
    let written = 0;
    const write = async () => {
      const size = 1 + Math.floor(random() * 4);
      const events = Array.from({ length: size }, (_, i) => eventNumber(written + i, Math.floor(random() * 3_000)));
      written += size;
      await log.append(`history-${written % 5}`, events, 'any');
    };
    for (let i = 0; i < 20; i += 1) await write();
    const reader = follower();
    expect(await read(reader)).toEqual(await all(log.readAll()));
    const writing = (async () => {
      while (written < 300) await write();
      await log.append('history', [eventNumber(written)], 'any');
    })();
    const seen = await read(reader, undefined, (events) => events.at(-1)?.stream === 'history');
    await writing;
    expect(seen).toEqual(await all(log.readAll()));
    expect(segmentPaths(temporary.path).length).toBeGreaterThan(20);
    const from = seen[Math.floor(random() * seen.length)]?.position as bigint;
    expect(await read(reader, from)).toEqual(await all(log.readAll({ after: from })));
    reader.close();
  });

  it('reads nothing that is written and not acknowledged, nor stumbles over it later', async () => {
    await log.append('history', [eventNumber(1)], 'any');
    const before = await all(log.readAll());
    // As bytes of a batch that is in flight, and cut off or written over when it fails.
    appendFileSync(segmentPaths(temporary.path).at(-1) as string, Buffer.alloc(20_000, 7));
    const reader = follower();
    expect(await read(reader)).toEqual(before);
    for (let i = 2; i < 60; i += 1) await log.append('history', [eventNumber(i, 500)], 'any');
    expect(await read(reader)).toEqual(await all(log.readAll()));
    reader.close();
  });

  it('is told when the log is closed, and refuses a directory that holds none', async () => {
    const reader = follower();
    const stop = new AbortController();
    const known = log.acknowledged();
    const pages = reader.subscribeAll({ signal: stop.signal });
    await pages.next();
    const next = pages.next();
    await log.close();
    await expect(next).rejects.toMatchObject({ code: 'log-unavailable' });
    reader.close();
    const empty = temporaryDirectory();
    expect(() => LogFollower.open(empty.path, known, () => new Promise(() => {}))).toThrow(/holds no log/);
    empty.remove();
  });
});
