// One process per data directory: the second is told who holds it, and a dead holder's lock is taken over.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkLog } from '../../../src/event-log/embedded/check/log-check.js';
import { EmbeddedEventLog } from '../../../src/event-log/embedded/embedded-event-log.js';
import { DirectoryLock } from '../../../src/event-log/embedded/storage/directory-lock.js';
import { LogLocked } from '../../../src/event-log/event-log.js';
import { failure } from '../contract/rule.js';
import { type TemporaryDirectory, temporaryDirectory } from '../temporary-directory.js';
import { HeldLog } from './held-log.js';

describe('the lock of a data directory', () => {
  let temporary: TemporaryDirectory;
  beforeEach(() => {
    temporary = temporaryDirectory();
  });
  afterEach(() => temporary.remove());

  it('names the process that holds it, to another process and to the same', async () => {
    const [held, said] = await HeldLog.start(temporary.path);
    expect(said).toBe('open');
    const refusal = await failure(EmbeddedEventLog.open(temporary.path));
    expect(refusal).toBeInstanceOf(LogLocked);
    expect(refusal).toMatchObject({ pid: held.child.pid, directory: temporary.path, code: 'log-locked' });
    expect((refusal as Error).message).toContain(`held by process ${held.child.pid}`);
    expect(await failure(checkLog(temporary.path))).toBeInstanceOf(LogLocked);
    await held.end();
    const log = await EmbeddedEventLog.open(temporary.path);
    expect(await failure(EmbeddedEventLog.open(temporary.path))).toMatchObject({ pid: process.pid });
    const [, refused] = await HeldLog.start(temporary.path);
    expect(refused).toBe(`log-locked: ${temporary.path} is held by process ${process.pid}`);
    await log.close();
  });

  it('is taken over when its holder was killed', async () => {
    const [held] = await HeldLog.start(temporary.path);
    expect(await held.ask('append 10')).toBe('ok 0');
    await held.kill();
    const log = await EmbeddedEventLog.open(temporary.path);
    expect((await log.append('held', [], 'any')).revision).toBe(0);
    await log.close();
    expect(readdirSync(temporary.path).filter((name) => name.includes('lock'))).toEqual([]);
  });

  it('is taken over when its pid belongs to another process by now', () => {
    const lock = DirectoryLock.acquire(temporary.path);
    const path = join(temporary.path, 'owner.lock');
    const holder = JSON.parse(readFileSync(path, 'utf8')) as { startedAt?: string };
    lock.release();
    // Only where the system tells when a process began can a reused pid be told.
    if (holder.startedAt === undefined) return;
    writeFileSync(path, JSON.stringify({ ...holder, startedAt: `${Number(holder.startedAt) - 1}` }));
    DirectoryLock.acquire(temporary.path).release();
    writeFileSync(path, JSON.stringify(holder));
    expect(() => DirectoryLock.acquire(temporary.path)).toThrow(LogLocked);
  });

  it('is taken over when it names nobody', () => {
    for (const nonsense of ['', '{', 'null', '{"pid":"x"}']) {
      writeFileSync(join(temporary.path, 'owner.lock'), nonsense);
      DirectoryLock.acquire(temporary.path).release();
    }
  });

  it('is taken by one of many who try at once over a dead holder', async () => {
    for (let round = 0; round < 2; round++) {
      const [dead] = await HeldLog.start(temporary.path);
      await dead.kill();
      writeFileSync(join(temporary.path, 'owner.lock.left-by-a-kill'), '');
      const tries = await Promise.all(Array.from({ length: 3 }, () => HeldLog.start(temporary.path)));
      const winners = tries.filter(([, said]) => said === 'open');
      expect(winners).toHaveLength(1);
      const [[winner]] = winners as [[HeldLog, string]];
      for (const [held, said] of tries) {
        if (held !== winner) expect(said).toBe(`log-locked: ${temporary.path} is held by process ${winner.child.pid}`);
      }
      expect(await winner.ask('append 1')).toBe(`ok ${round}`);
      await Promise.all(tries.map(([held]) => held.end()));
      expect(readdirSync(temporary.path).filter((name) => name.includes('lock'))).toEqual([]);
    }
  });

  it('is not released by one who lost it', () => {
    const lost = DirectoryLock.acquire(temporary.path);
    const path = join(temporary.path, 'owner.lock');
    const other = JSON.stringify({ pid: process.pid, token: 'somebody else' });
    writeFileSync(path, other);
    lost.release();
    expect(readFileSync(path, 'utf8')).toBe(other);
  });
});
