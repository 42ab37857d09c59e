// Bytes that are gone or wrong: always a clear error with the position, never a crash, never a silent skip. What was
// never acknowledged is cut off without a word.

import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkLog } from '../../../src/event-log/embedded/check/log-check.js';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import type { IndexEntry } from '../../../src/event-log/embedded/index/index-entry.js';
import { RunReader } from '../../../src/event-log/embedded/index/run-reader.js';
import { writeRun } from '../../../src/event-log/embedded/index/run-writer.js';
import { LogDamaged, type LogEvent } from '../../../src/event-log/event-log.js';
import { all, failure, ids } from '../contract/rule.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import {
  eventNumber,
  fixtureOptions,
  indexPaths,
  positions,
  readEverything,
  segmentPaths,
  writeHistory,
} from './log-fixture.js';

describe('an embedded log whose files were harmed', () => {
  let temporary: TemporaryDirectory;
  let sound: string;
  let directory: string;
  let events: LogEvent[];

  beforeEach(async () => {
    temporary = temporaryDirectory();
    sound = join(temporary.path, 'sound');
    directory = join(temporary.path, 'harmed');
    mkdirSync(sound);
    events = await writeHistory(sound);
    restore();
  });
  afterEach(() => temporary.remove());

  function restore(): void {
    rmSync(directory, { recursive: true, force: true });
    cpSync(sound, directory, { recursive: true });
  }

  function flip(path: string, at: number): void {
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] as number) ^ 0x40;
    writeFileSync(path, bytes);
  }

  it('is noticed when it is shorter than it was, wherever it is cut', async () => {
    const last = segmentPaths(directory).at(-1) as string;
    const length = statSync(last).size;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: length - 1 }), async (kept) => {
        restore();
        truncateSync(last, kept);
        const error = await failure(EmbeddedEventLog.open(directory, fixtureOptions));
        expect(error).toBeInstanceOf(LogDamaged);
        expect((error as LogDamaged).position).toBeGreaterThanOrEqual(0n);
      }),
      { numRuns: 20 },
    );
  });

  it('is noticed when a file from the middle or from the end is gone', async () => {
    for (const path of [segmentPaths(directory)[1] as string, segmentPaths(directory).at(-1) as string]) {
      restore();
      rmSync(path);
      expect(await failure(EmbeddedEventLog.open(directory, fixtureOptions))).toBeInstanceOf(LogDamaged);
    }
  });

  it('tells the position of a damaged record, whatever byte is wrong, and gives nothing wrong', async () => {
    const paths = segmentPaths(directory);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (file, place) => {
        restore();
        const path = paths[file % paths.length] as string;
        const at = place % statSync(path).size;
        flip(path, at);
        const error = await failure(readEverything(directory));
        expect(error).toBeInstanceOf(LogDamaged);
        expect((error as Error).message).toMatch(/position|header/);
        const report = await checkLog(directory);
        expect(report.problemCount).toBeGreaterThan(0);
        const base = Number(/log-(\d{16})\.seg/.exec(path)?.[1]);
        const hit = events.findLast((event) => event.position <= BigInt(base + at));
        if (at >= 64) expect(report.problems.map((problem) => problem.position)).toContain(hit?.position);
      }),
      { numRuns: 25 },
    );
  });

  it('tells it also to who reads backwards, or from a position that is none', async () => {
    const [, second] = segmentPaths(directory) as [string, string];
    const base = Number(/log-(\d{16})\.seg/.exec(second)?.[1]);
    const inSecond = events.filter((event) => event.position > BigInt(base) && event.position < BigInt(base + 4_000));
    const [hit, next] = [inSecond[5], inSecond[6]] as [LogEvent, LogEvent];
    // Its first byte, one in the middle, the length at its end.
    for (const place of [hit.position, hit.position + 70n, next.position - 4n]) {
      restore();
      flip(second, Number(place) - base);
      const log = await EmbeddedEventLog.open(directory, fixtureOptions);
      const after = events.at(-1)?.position ?? 0n;
      const readings = [
        log.readEverything({ direction: 'backwards' }),
        log.readEverything({ direction: 'backwards', from: next.position }),
        log.readEverything({ direction: 'forwards', from: hit.position }),
        log.readEverything({ direction: 'forwards', from: hit.position - 1n }),
        log.readAll({ after: hit.position }),
      ];
      for (const reading of readings) {
        const error = await failure(all(reading));
        expect(error).toBeInstanceOf(LogDamaged);
        expect(error).toMatchObject({ position: hit.position });
      }
      // What does not need it is read.
      expect(await all(log.readAll({ after, direction: 'backwards', limit: 3 }))).toHaveLength(3);
      expect((await all(log.readAll({ after: next.position }))).at(-1)?.position).toBe(after);
      await log.close();
    }
  });

  it('refuses to guess when the mark of what was acknowledged is gone or unreadable', async () => {
    rmSync(join(directory, 'head.mark'));
    expect(await failure(EmbeddedEventLog.open(directory, fixtureOptions))).toBeInstanceOf(LogDamaged);
    expect((await checkLog(directory)).problems[0]?.what).toMatch(/head.mark/);
    writeFileSync(join(directory, 'head.mark'), Buffer.alloc(64));
    expect(await failure(EmbeddedEventLog.open(directory, fixtureOptions))).toBeInstanceOf(LogDamaged);
  });

  it('survives a torn write of the mark: the other slot counts, and a later end is found by reading', async () => {
    for (const slot of [0, 1]) {
      restore();
      const mark = readFileSync(join(directory, 'head.mark'));
      mark.fill(0xff, slot * 32, slot * 32 + 20);
      writeFileSync(join(directory, 'head.mark'), mark);
      expect(positions(await readEverything(directory))).toEqual(positions(events));
    }
  });

  it('refuses a directory whose log.json is gone or is not ours', async () => {
    rmSync(join(directory, 'log.json'));
    expect(await failure(EmbeddedEventLog.open(directory, fixtureOptions))).toBeInstanceOf(LogDamaged);
    writeFileSync(join(directory, 'log.json'), '{}');
    expect(await failure(EmbeddedEventLog.open(directory, fixtureOptions))).toBeInstanceOf(LogDamaged);
  });

  it('refuses a file of another log', async () => {
    const other = join(temporary.path, 'other');
    mkdirSync(other);
    await writeHistory(other);
    cpSync(segmentPaths(other)[1] as string, segmentPaths(directory)[1] as string);
    expect(await failure(EmbeddedEventLog.open(directory, fixtureOptions))).toBeInstanceOf(LogDamaged);
  });

  it('cuts off what was never acknowledged, and goes on', async () => {
    const last = segmentPaths(directory).at(-1) as string;
    const path = segmentPaths(sound)[0] as string;
    const record = readFileSync(path).subarray(
      64,
      64 + Number((events[1] as LogEvent).position - (events[0] as LogEvent).position),
    );
    for (const torn of [Buffer.from([1]), Buffer.alloc(5000), record, record.subarray(0, record.length - 1)]) {
      restore();
      appendFileSync(last, torn);
      expect((await checkLog(directory)).unacknowledgedBytes).toBe(torn.length);
      expect(positions(await readEverything(directory))).toEqual(positions(events));
      const log = await EmbeddedEventLog.open(directory, fixtureOptions);
      const { position } = await log.append('history-0', [eventNumber(999)], 'any');
      expect(ids(await all(log.readAll({ after: events.at(-1)?.position ?? 0n })))).toEqual([eventNumber(999).id]);
      await log.close();
      expect((await readEverything(directory)).at(-1)?.position).toBe(position);
    }
  });

  it('cuts off an append of several events of which only the first reached the disk', async () => {
    const log = await EmbeddedEventLog.open(directory, { ...fixtureOptions, segmentBytes: 1e9 });
    const before = await log.head();
    const { position } = await log.append('two', [eventNumber(1001), eventNumber(1002)], 'no_stream');
    await log.close();
    const mark = readFileSync(join(sound, 'head.mark'));
    const last = segmentPaths(directory).at(-1) as string;
    const base = BigInt(/log-(\d{16})\.seg/.exec(last)?.[1] ?? 0);
    // As if the kill had come when the first of the two was written and before anything was acknowledged.
    truncateSync(last, Number(position - base));
    writeFileSync(join(directory, 'head.mark'), mark);
    expect((await readEverything(directory)).at(-1)?.position).toBe(before);
  });

  it('makes the index anew when it is gone, cut short or of no use', async () => {
    const [first, second] = indexPaths(directory) as [string, string];
    const harms = [
      () => rmSync(join(directory, 'index'), { recursive: true }),
      () => truncateSync(first, 1000),
      () => truncateSync(second, 0),
      () => flip(second, statSync(second).size - 10),
      () => rmSync(first),
      () => writeFileSync(join(directory, 'index', '0000000000000000-0000000000000100.idx.new'), 'half'),
    ];
    for (const harm of harms) {
      restore();
      harm();
      expect(positions(await readEverything(directory))).toEqual(positions(events));
      expect(await checkLog(directory)).toMatchObject({ problemCount: 0, events: events.length });
    }
  });

  it('never gives a wrong answer from a damaged index', async () => {
    const paths = indexPaths(directory);
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (file, place) => {
        restore();
        const path = paths[file % paths.length] as string;
        flip(path, place % statSync(path).size);
        try {
          expect(positions(await readEverything(directory))).toEqual(positions(events));
        } catch (error) {
          expect(error).toBeInstanceOf(LogDamaged);
          expect((await checkLog(directory)).problemCount).toBeGreaterThan(0);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('is found out by the check when its index says something else than the log', async () => {
    const [path] = indexPaths(directory) as [string];
    const run = RunReader.open(path) as RunReader;
    const entries: IndexEntry[] = [];
    for await (const batch of run.entries()) entries.push(...batch);
    run.close();
    const lies: ((entry: IndexEntry) => IndexEntry[])[] = [
      (entry) => [{ ...entry, positions: entry.positions.with(0, (entry.positions[1] as number) - 1) }],
      (entry) => [{ ...entry, positions: entry.positions.toSpliced(1, 1) }],
      () => [],
    ];
    for (const lie of lies) {
      restore();
      const told = entries.flatMap((entry, i) => (i === 2 ? lie(entry) : [entry]));
      const { from, to, logId } = run.footer;
      const signal = new AbortController().signal;
      await writeRun({ directory: join(directory, 'index'), from, to, logId, streams: 10, durable: false, signal }, [
        told,
      ]);
      const report = await checkLog(directory);
      expect(report.problemCount).toBeGreaterThan(0);
      expect(await failure(readEverything(directory))).toBeInstanceOf(LogDamaged);
    }
  });

  it('has nothing to tell of a sound log', async () => {
    const report = await checkLog(directory);
    expect(report).toMatchObject({ events: events.length, problems: [], problemCount: 0, unacknowledgedBytes: 0 });
    expect(report.indexed).toBeGreaterThan(100);
    expect(report.acknowledgedTo).toBeGreaterThan(events.at(-1)?.position ?? 0n);
  });
});
