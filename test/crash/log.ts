// The embedded log under `kill -9`: 64 writers at once in a child process, killed at a random moment, round after round
// on the same directory. Every acknowledged event must be there, none twice, in order, nothing half-written.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Orders, unitKey } from './log-units.js';
import { judge } from './log-verdict.js';
import { type CrashSuite, randomFrom } from './suite.js';

/** Rounds on one directory: long enough for merges, short enough to read all of it after every round. */
const roundsPerDirectory = 8;
/** The kill comes this long after the order to begin, at most; every fifth while the log is being opened. */
const killAfterMsMax = 350;
const killAtOpeningMsMax = 25;

interface Victim {
  readonly process: ChildProcess;
  /** What it tells goes to a file: that takes everything at once, and a kill takes nothing back. */
  readonly told: string;
  readonly ready: Promise<void>;
}

function raise(): Victim {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const told = join(mkdtempSync(join(tmpdir(), 'homing-told-')), 'acknowledged');
  const output = openSync(told, 'a');
  const child = spawn(process.execPath, ['--import', here('../register.mjs'), here('./log-child.ts')], {
    stdio: ['pipe', output, 'pipe'],
  });
  closeSync(output);
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr?.once('data', (bytes: Buffer) =>
      bytes.toString().startsWith('ready') ? resolve() : reject(new Error(bytes.toString())),
    );
    child.once('exit', () => reject(new Error('the child ended before it was ready')));
  });
  ready.catch(() => {});
  return { process: child, told, ready };
}

/** Lets the child work and kills it; gives what it had told by then. */
async function killAtWork(victim: Victim, orders: Orders, afterMs: number): Promise<string[]> {
  await victim.ready;
  const { process: child } = victim;
  let complaint = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    complaint += bytes.toString();
  });
  const closed = new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_, signal) => resolve(signal)));
  child.stdin?.write(JSON.stringify(orders));
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  if ((await closed) !== 'SIGKILL') throw new Error(`round ${orders.round}: the writers failed: ${complaint}`);
  const bytes = readFileSync(victim.told);
  rmSync(dirname(victim.told), { recursive: true });
  const keys: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    keys.push(unitKey({ round: orders.round, writer: bytes.readUInt32LE(at), number: bytes.readUInt32LE(at + 4) }));
  }
  return keys;
}

export const crashLog: CrashSuite = async ({ rounds, seed, report }) => {
  const random = randomFrom(seed);
  let directory = '';
  let acknowledged = new Set<string>();
  let [units, events] = [0, 0];
  let next = raise();
  try {
    for (let round = 0; round < rounds; round++) {
      if (round % roundsPerDirectory === 0) {
        if (directory) rmSync(directory, { recursive: true });
        directory = mkdtempSync(join(tmpdir(), 'homing-crash-'));
        acknowledged = new Set();
      }
      const victim = next;
      const told = await killAtWork(
        victim,
        { directory, seed, round },
        random() * (random() < 0.2 ? killAtOpeningMsMax : killAfterMsMax),
      );
      if (round + 1 < rounds) next = raise();
      for (const key of told) acknowledged.add(key);
      const checked = await judge({ directory, seed, acknowledged });
      units += told.length;
      events += checked;
      report(
        `round ${round}: ${told.length} appends acknowledged before the kill, ${checked} events found and checked`,
      );
    }
    return { 'acknowledged appends': units, events };
  } finally {
    next.process.kill('SIGKILL');
    rmSync(dirname(next.told), { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  }
};
