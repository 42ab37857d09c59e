// One process per data directory. The lock is a file that names its holder; it is made with its content in one step (a
// hard link), so nobody ever reads half of it, and one whose holder is gone is taken over.

import { randomUUID } from 'node:crypto';
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventLogError, LogLocked } from '../../event-log.js';

const lockName = 'owner.lock';
const asideSuffix = '.aside';
/** Two takers may meet over a dead holder's lock; each meeting leaves one of them the winner. */
const attemptsMax = 8;

interface Holder {
  readonly pid: number;
  /** When the process started, in clock ticks since boot, where /proc tells; a reused pid differs in it. */
  readonly startedAt: string | undefined;
  readonly token: string;
}

export class DirectoryLock {
  private constructor(
    private readonly path: string,
    private readonly token: string,
  ) {}

  /** @throws LogLocked naming the holder's pid */
  static acquire(directory: string): DirectoryLock {
    const path = join(directory, lockName);
    const token = randomUUID();
    const own = `${path}.${token}`;
    const content = JSON.stringify({ pid: process.pid, startedAt: processStat(process.pid)?.startedAt, token });
    try {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        writeFileSync(own, content, { mode: 0o640 });
        if (tryLink(own, path)) {
          removeLeftovers(directory);
          // One who took us for the dead holder may just have moved our lock aside.
          if (readHolder(path)?.token === token) return new DirectoryLock(path, token);
          continue;
        }
        const holder = readHolder(path);
        if (holder && isAlive(holder)) throw new LogLocked(directory, holder.pid);
        setAside(path, `${path}.${token}${asideSuffix}`, holder?.token);
      }
      throw new EventLogError('log-locked', `${path}: other processes keep taking the lock`, true);
    } finally {
      rmSync(own, { force: true });
    }
  }

  release(): void {
    if (readHolder(this.path)?.token === this.token) unlinkSync(this.path);
  }
}

/** What those left who were killed while they took the lock. Who is taking it right now writes his file again. */
function removeLeftovers(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(`${lockName}.`) && !name.endsWith(asideSuffix)) rmSync(join(directory, name), { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    // ENOENT: whoever got the lock first has tidied up.
    if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  }
}

/** Moves a dead holder's lock out of the way; puts it back when somebody else took it over in between. */
function setAside(path: string, aside: string, deadToken: string | undefined): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readHolder(aside)?.token !== deadToken) tryLink(aside, path);
  rmSync(aside, { force: true });
}

/** Undefined when there is no lock, or none that names a holder. */
function readHolder(path: string): Holder | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder> | null;
    if (typeof value?.pid !== 'number' || typeof value.token !== 'string') return undefined;
    return { pid: value.pid, startedAt: value.startedAt, token: value.token };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const found = processStat(holder.pid);
  if (found?.state === 'Z') return false;
  return found === undefined || holder.startedAt === undefined || found.startedAt === holder.startedAt;
}

/** Undefined where /proc does not tell. */
function processStat(
  pid: number,
): { readonly state: string | undefined; readonly startedAt: string | undefined } | undefined {
  try {
    // The command name in parentheses may hold spaces; after it come the state (field 3) and the start time (field 22).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], startedAt: fields[19] };
  } catch {
    return undefined;
  }
}
