// Tells a process from a later one that got the same number: in a container the service is often process 1 or 7 again.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const psMsMax = 5_000;
const pollMs = 20;

export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, as the system tells it: comparable for equality only. Undefined where the system does not tell. */
  readonly born: string | undefined;
}

function birthOf(pid: number): string | undefined {
  try {
    // After the command, which is in parentheses and may hold spaces, the start time is the 20th field.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${ticks}`;
  } catch {
    return ps('lstart', pid);
  }
}

/** One field of `ps`, where there is no /proc. */
function ps(field: string, pid: number): string | undefined {
  try {
    const output = execFileSync('ps', ['-o', `${field}=`, '-p', String(pid)], {
      timeout: psMsMax,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output.toString().trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Program and arguments, as the process shows them; empty for one that is gone. */
export function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ps('args', pid) ?? '';
  }
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, born: birthOf(pid) };
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ended, but its parent (in a container often one that never looks) has not taken note of it. */
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] === 'Z';
  } catch {
    return false;
  }
}

/** True when that very process still runs. Where births are not told, the number alone decides. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  if (!isRunning(identity.pid)) return false;
  const born = birthOf(identity.pid);
  return born === undefined || identity.born === undefined || born === identity.born;
}

/** False when it still runs after `msMax`. */
export async function untilEnded(identity: ProcessIdentity, msMax: number): Promise<boolean> {
  const end = performance.now() + msMax;
  while (isSameProcess(identity)) {
    if (performance.now() > end) return false;
    await delay(pollMs);
  }
  return true;
}

/** Sends a signal to that very process; a process that is gone is fine. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isSameProcess(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
