// One process per embedded directory. The hold is a file that names its holder; it is linked into place whole, so that
// nobody reads half of one, and the hold of a process that is gone is taken over.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf, isSameProcess, type ProcessIdentity } from './process-identity.js';

const holdName = 'owner.json';
/** Two takers may meet over a dead holder's file; each meeting leaves one of them the winner. */
const attemptsMax = 8;

export class DirectoryHeld extends Error {
  constructor(
    readonly directory: string,
    readonly pid: number,
  ) {
    super(`${directory} is held by process ${pid}: stop it, or give this process another HOMING_DATA_DIR`);
    this.name = 'DirectoryHeld';
  }
}

export interface DirectoryHold {
  release(): void;
}

type Holder = ProcessIdentity & { readonly token: string };

function read(path: string): Holder | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder> | null;
    if (typeof value?.pid !== 'number' || typeof value.token !== 'string') return undefined;
    return { pid: value.pid, born: value.born, token: value.token };
  } catch {
    return undefined;
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead holder's file away; puts it back when it turns out to be a living taker's. */
function setAside(path: string, aside: string, deadToken: string | undefined): void {
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (read(aside)?.token !== deadToken) link(aside, path);
  rmSync(aside, { force: true });
}

/** Makes the directory when it is missing. @throws DirectoryHeld naming the other process. */
export function holdDirectory(directory: string): DirectoryHold {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, holdName);
  const token = randomUUID();
  const draft = `${path}.${token}`;
  writeFileSync(draft, JSON.stringify({ ...identityOf(process.pid), token }), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      if (link(draft, path)) return { release: () => read(path)?.token === token && unlinkSync(path) };
      const holder = read(path);
      if (holder && isSameProcess(holder)) throw new DirectoryHeld(directory, holder.pid);
      setAside(path, `${path}.gone.${token}`, holder?.token);
    }
    throw new Error(`${path}: other processes keep taking it`);
  } finally {
    rmSync(draft, { force: true });
  }
}
