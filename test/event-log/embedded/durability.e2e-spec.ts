// What "acknowledged means on disk" and "writers share a commit" come down to, as the operating system sees it.

import { cpSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { all, newStream, several } from '../contract/rule.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import { segmentPaths } from './log-fixture.js';

/** Linux: the flags a file was opened with, in octal. */
const synchronousData = 0o10000;
const onLinux = process.platform === 'linux' ? it : it.skip;

function openFlags(path: string): number {
  const fd = readdirSync('/proc/self/fd').find((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false;
    }
  });
  return Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
}

function writeCalls(): number {
  return Number(/^syscw: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

describe('an embedded log', () => {
  let temporary: TemporaryDirectory;
  beforeEach(() => {
    temporary = temporaryDirectory();
  });
  afterEach(() => temporary.remove());

  onLinux('writes events with calls that return when they are on disk', async () => {
    for (const durable of [true, false]) {
      const directory = join(temporary.path, `${durable}`);
      const log = await EmbeddedEventLog.open(directory, { durable, segmentBytes: 1_000 });
      for (let i = 0; i < 5; i++) await log.append('s', several(5), 'any');
      // The file the log began with, and one that it began later.
      const flags = segmentPaths(directory).map(openFlags);
      expect(flags.length).toBeGreaterThan(1);
      for (const flag of flags) expect((flag & synchronousData) !== 0).toBe(durable);
      await log.close();
    }
  });

  onLinux('lets all who write at once share a commit', async () => {
    const log = await EmbeddedEventLog.open(temporary.path);
    const before = writeCalls();
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 64 }, () => log.append(newStream(), several(1), 'no_stream')));
    }
    // 640 appends: a write of events and one of the mark for each round, and what else the process writes.
    expect(writeCalls() - before).toBeLessThan(100);
    await log.close();
  });

  it('can be made where the making of one was cut short', async () => {
    const whole = join(temporary.path, 'whole');
    await (await EmbeddedEventLog.open(whole)).close();
    const leftovers: ((directory: string) => void)[] = [
      (directory) => rmSync(join(directory, 'log.json')),
      (directory) => rmSync(join(directory, 'head.mark')),
      (directory) => writeFileSync(segmentPaths(directory)[0] as string, ''),
      (directory) => writeFileSync(join(directory, 'log.json.new'), '{"for'),
    ];
    for (const [i] of leftovers.entries()) {
      const directory = join(temporary.path, `${i}`);
      cpSync(whole, directory, { recursive: true });
      for (const cut of leftovers.slice(0, i + 1)) cut(directory);
      const log = await EmbeddedEventLog.open(directory);
      expect((await log.append('s', several(1), 'no_stream')).revision).toBe(0);
      await log.close();
    }
  });

  it('can be copied while it is written: the copy has all that was acknowledged when the copying began', async () => {
    const log = await EmbeddedEventLog.open(join(temporary.path, 'running'), { segmentBytes: 20_000 });
    for (let i = 0; i < 50; i++) await log.append('s', several(3), 'any');
    let writing = true;
    const writer = (async () => {
      while (writing) await Promise.all([1, 2, 3, 4].map(() => log.append('s', several(3), 'any')));
    })();
    const copy = join(temporary.path, 'copy');
    mkdirSync(copy);
    const head = await log.head();
    // In the order that docs/event-log.md tells: the mark first.
    for (const name of [
      'head.mark',
      'log.json',
      ...readdirSync(join(temporary.path, 'running')).filter((file) => file.endsWith('.seg')),
    ]) {
      cpSync(join(temporary.path, 'running', name), join(copy, name));
      await new Promise((resolve) => setImmediate(resolve));
    }
    writing = false;
    await writer;
    await log.close();
    const restored = await EmbeddedEventLog.open(copy, { segmentBytes: 20_000 });
    expect(await restored.head()).toBeGreaterThanOrEqual(head);
    expect((await all(restored.readStream('s'))).length).toBeGreaterThanOrEqual(150);
    await restored.close();
  });
});
