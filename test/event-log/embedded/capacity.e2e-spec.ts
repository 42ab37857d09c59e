// Full queues, full logs and full disks: refused with a clear error, nothing half-written, reading goes on, and so does
// writing once there is room.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkLog } from '../../../src/event-log/embedded/check/log-check.js';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { EventLogError, LogFull, LogUnavailable } from '../../../src/event-log/event-log.js';
import { all, binary, failure, ids, several } from '../contract/rule.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import { HeldLog } from './held-log.js';

function sized(bytes: number): ReturnType<typeof binary> {
  return binary(new Uint8Array(bytes));
}

describe('an embedded log at its limits', () => {
  let temporary: TemporaryDirectory;
  beforeEach(() => {
    temporary = temporaryDirectory();
  });
  afterEach(() => temporary.remove());

  it('refuses appends while its queue is full, as retryable, and takes the same ones later', async () => {
    const log = await EmbeddedEventLog.open(temporary.path, { queueBytesMax: 100_000 });
    const appends = Array.from({ length: 40 }, (_, i) => ({ stream: `s-${i}`, event: sized(9_000) }));
    const results = await Promise.allSettled(
      appends.map(({ stream, event }) => log.append(stream, [event], 'no_stream')),
    );
    const refused = appends.filter((_, i) => results[i]?.status === 'rejected');
    expect(refused.length).toBeGreaterThan(25);
    expect(refused.length).toBeLessThan(40);
    for (const result of results) {
      if (result.status === 'fulfilled') continue;
      expect(result.reason).toBeInstanceOf(LogUnavailable);
      expect(result.reason).toMatchObject({ code: 'log-unavailable', retryable: true });
    }
    for (const { stream, event } of refused) await log.append(stream, [event], 'no_stream');
    expect(ids(await all(log.readAll())).toSorted()).toEqual(appends.map(({ event }) => event.id).toSorted());
    // One append may be larger than the queue when nothing else waits.
    await log.append('large', [sized(200_000)], 'no_stream');
    await log.close();
  });

  it('refuses appends when the log is as large as it may be, reads on, and goes on with a higher limit', async () => {
    let log = await EmbeddedEventLog.open(temporary.path, { logBytesMax: 20_000, segmentBytes: 4_000 });
    let written = 0;
    let refusal: unknown;
    while (refusal === undefined) {
      try {
        await log.append('filled', [sized(900)], 'any');
        written += 1;
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toBeInstanceOf(LogFull);
    expect(refusal).toMatchObject({ code: 'log-full', retryable: true });
    // A large one does not take a small one down that still fits.
    const [large, small] = await Promise.allSettled([
      log.append('filled', [sized(5_000)], 'any'),
      log.append('tiny', [sized(1)], 'no_stream'),
    ]);
    expect([large?.status, small?.status]).toEqual(['rejected', 'fulfilled']);
    expect(await all(log.readStream('filled'))).toHaveLength(written);
    await log.close();
    log = await EmbeddedEventLog.open(temporary.path, { logBytesMax: 40_000, segmentBytes: 4_000 });
    expect((await log.append('filled', [sized(5_000)], written - 1)).revision).toBe(written);
    await log.close();
  });

  // A file size limit gives what a full disk gives (the write fails half-way), and needs no privilege.
  const hasLimits = spawnSync('prlimit', ['--version']).status === 0;
  (hasLimits ? it : it.skip)('survives a write that fails half-way, and goes on when there is room', async () => {
    const [held, said] = await HeldLog.start(temporary.path, {}, ['prlimit', '--fsize=300000:unlimited']);
    expect(said).toBe('open');
    let written = 0;
    let answer = await held.ask('append 50000');
    for (; answer.startsWith('ok'); answer = await held.ask('append 50000')) written += 1;
    expect(answer).toBe('log-full');
    expect(written).toBe(5);
    expect(await held.ask('append 50000')).toBe('log-full');
    expect(await held.ask('read')).toBe('5');
    expect(await held.ask('append 100')).toBe('ok 5');
    execFileSync('prlimit', ['--pid', `${held.child.pid}`, '--fsize=unlimited']);
    expect(await held.ask('append 50000')).toBe('ok 6');
    await held.end();
    expect(await checkLog(temporary.path)).toMatchObject({ events: 7, problemCount: 0 });
  });

  const canMount = triesToMount();
  (canMount ? it : it.skip)('survives a full disk, and goes on when there is room', async () => {
    const small = join(temporary.path, 'small-disk');
    mountSmall(small, '2m');
    try {
      const warnings: string[] = [];
      const ballast = join(small, 'ballast');
      writeFileSync(ballast, Buffer.alloc(1_000_000));
      const log = await EmbeddedEventLog.open(join(small, 'log'), {
        indexRunEvents: 40,
        segmentBytes: 200_000,
        warn: (warning) => warnings.push(warning),
      });
      let written = 0;
      let refusal: unknown;
      while (refusal === undefined && written < 4_000) {
        const four = (): ReturnType<typeof binary>[] => [1, 2, 3, 4].map(() => sized(300));
        const tries = await Promise.allSettled([1, 2, 3].map(() => log.append('filled', four(), 'any')));
        for (const attempt of tries) {
          if (attempt.status === 'fulfilled') written += 4;
          else refusal = attempt.reason;
        }
      }
      expect(refusal).toBeInstanceOf(LogFull);
      expect(await all(log.readStream('filled'))).toHaveLength(written);
      expect(await failure(log.append('filled', [sized(500_000)], 'any'))).toBeInstanceOf(LogFull);
      rmSync(ballast);
      expect((await log.append('filled', several(4), written - 1)).revision).toBe(written + 3);
      await log.append('filled', [sized(300_000)], written + 3);
      await log.close();
      expect(await checkLog(join(small, 'log'))).toMatchObject({ events: written + 5, problemCount: 0 });
    } finally {
      unmount(small);
    }
  });

  it('never writes an append that was called off before its turn', async () => {
    const log = await EmbeddedEventLog.open(temporary.path);
    const callOff = new AbortController();
    const called = log.append('s', several(1), 'no_stream', { signal: callOff.signal });
    callOff.abort();
    const refusal = await failure(called);
    expect(refusal).toBeInstanceOf(EventLogError);
    expect(refusal).toMatchObject({ code: 'append-aborted' });
    expect((await log.append('s', several(1), 'no_stream', { signal: new AbortController().signal })).revision).toBe(0);
    await log.close();
  });

  it('writes on closing what was asked for before, and refuses what comes after', async () => {
    let log = await EmbeddedEventLog.open(temporary.path);
    const asked = Array.from({ length: 20 }, (_, i) => log.append(`s-${i}`, several(2), 'no_stream'));
    const following = failure(
      (async () => {
        for await (const page of log.subscribeAll({ signal: new AbortController().signal })) void page;
      })(),
    );
    const closed = log.close();
    expect(await failure(log.append('late', several(1), 'any'))).toBeInstanceOf(LogUnavailable);
    await Promise.all([...asked, closed, log.close()]);
    expect(await following).toBeInstanceOf(LogUnavailable);
    log = await EmbeddedEventLog.open(temporary.path);
    expect(await all(log.readAll())).toHaveLength(40);
    await log.close();
  });

  it('refuses what is no event before anything else', async () => {
    const log = await EmbeddedEventLog.open(temporary.path);
    const [event] = several(1) as [ReturnType<typeof binary>];
    const nonsense: [string, ReturnType<typeof binary>, number | 'any'][] = [
      ['', event, 'any'],
      ['$$', event, 'any'],
      ['x'.repeat(2_049), event, 'any'],
      ['ü'.repeat(1_025), event, 'any'],
      ['s', { ...event, id: event.id.toUpperCase() }, 'any'],
      ['s', { ...event, id: 'no uuid' }, 'any'],
      ['s', { ...event, type: '' }, 'any'],
      ['s', event, -1],
      ['s', event, 0.5],
    ];
    for (const [stream, given, expected] of nonsense) {
      expect(await failure(log.append(stream, [given], expected))).toMatchObject({ code: 'invalid-append' });
    }
    expect(await log.head()).toBe(0n);
    await log.close();
  });
});

/** Only a privileged user may mount. */
function triesToMount(): boolean {
  const probe = temporaryDirectory();
  try {
    return mountSmall(probe.path, '1m') && unmount(probe.path);
  } finally {
    probe.remove();
  }
}

function mountSmall(path: string, size: string): boolean {
  mkdirSync(path, { recursive: true });
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', path]).status === 0;
}

/** Lazily: a failed test may still have files open. */
function unmount(path: string): boolean {
  return spawnSync('umount', ['--lazy', path]).status === 0;
}
