// The projectors under `kill -9`: a child process with log, Redis and ClickHouse writes and projects, and is killed at a
// random moment, or its Redis or its ClickHouse is, or all at once; round after round on the same directory. The next one
// catches up and compares with the log, to the row: no difference, nothing twice, nothing lost.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Told } from './projector-orders.js';
import { type CrashSuite, randomFrom } from './suite.js';

/** Rounds on one directory; every round compares all of it. */
const roundsPerDirectory = 10;
/** The kill comes this long after the work began, at most. */
const killAtWorkMsMax = 1_500;
/** One round in so many is killed while it opens, catches up or compares. */
const earlyOneIn = 4;
const killEarlyMsMax = 3_000;
/** Longest wait for a round to catch up and compare. */
const verifiedMsMax = 120_000;

class Victim {
  readonly process: ChildProcess;
  acknowledged = 0;
  pids = { redis: 0, clickhouse: 0 };
  private complaint = '';
  private readonly closed: Promise<void>;
  readonly verified: Promise<Extract<Told, { kind: 'verified' }>>;

  constructor(directory: string, seed: number) {
    const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
    const args = ['--no-warnings', '--import', here('../register.mjs'), here('./projector-child.ts')];
    this.process = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.closed = new Promise((resolve) => this.process.once('close', () => resolve()));
    this.process.stderr?.on('data', (bytes: Buffer) => {
      this.complaint += bytes.toString();
    });
    this.verified = new Promise((resolve, reject) => {
      createInterface({ input: this.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        // The last line may have been cut by the kill.
        if (!line.endsWith('}')) return;
        const told = JSON.parse(line) as Told;
        if (told.kind === 'open') this.pids = told;
        if (told.kind === 'acknowledged') this.acknowledged = told.events;
        if (told.kind === 'verified') resolve(told);
      });
      this.process.once('close', () => reject(new Error(`the child ended before it had compared: ${this.complaint}`)));
      setTimeout(
        () => reject(new Error(`not compared after ${verifiedMsMax} ms: ${this.complaint}`)),
        verifiedMsMax,
      ).unref();
    });
    this.verified.catch(() => undefined);
    this.process.stdin?.write(JSON.stringify({ directory, seed }));
  }

  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.closed;
  }
  /** Ends one engine's process; whoever runs it starts it again. */
  killEngine(which: 'redis' | 'clickhouse'): void {
    const pid = this.pids[which];
    if (pid > 0) process.kill(pid, 'SIGKILL');
  }
}

export const crashProjector: CrashSuite = async ({ rounds, seed, report }) => {
  const random = randomFrom(seed);
  let directory = '';
  let historySeed = seed;
  let acknowledged = 0;
  const counts = { events: 0, keysAndRows: 0, kills: 0, early: 0, redisKills: 0, clickhouseKills: 0 };
  let victim: Victim | undefined;
  try {
    for (let round = 0; round < rounds; round += 1) {
      if (round % roundsPerDirectory === 0) {
        if (directory) await endEngines(directory, historySeed);
        directory = mkdtempSync(join(tmpdir(), 'homing-crash-'));
        historySeed = (seed + round) % 2 ** 31;
        acknowledged = 0;
      }
      victim = new Victim(directory, historySeed);
      if (random() < 1 / earlyOneIn) {
        counts.early += 1;
        await sleep(random() * killEarlyMsMax);
      } else {
        const told = await victim.verified;
        counts.keysAndRows += told.compared;
        if (told.written < acknowledged)
          throw new Error(`round ${round}: ${acknowledged} acknowledged, ${told.written} there`);
        if (told.differences > 0)
          throw new Error(`round ${round}: ${told.differences} differences\n${told.wrong.join('\n')}`);
        const fate = random();
        await sleep((random() * killAtWorkMsMax) / 2);
        if (fate < 0.2) {
          victim.killEngine('redis');
          counts.redisKills += 1;
        }
        if (fate > 0.8) {
          victim.killEngine('clickhouse');
          counts.clickhouseKills += 1;
        }
        await sleep((random() * killAtWorkMsMax) / 2);
      }
      await victim.kill();
      counts.kills += 1;
      counts.events += Math.max(0, victim.acknowledged - acknowledged);
      acknowledged = Math.max(acknowledged, victim.acknowledged);
      report(`round ${round}: ${acknowledged} events, ${counts.keysAndRows} keys and rows compared so far`);
    }
    const { differences, wrong } = await lastLook(directory, historySeed);
    if (differences > 0) throw new Error(`at the end: ${differences} differences\n${wrong.join('\n')}`);
    rmSync(directory, { recursive: true, force: true });
  } finally {
    await victim?.kill();
  }
  return counts;
};

async function lastLook(directory: string, seed: number): Promise<Extract<Told, { kind: 'verified' }>> {
  const victim = new Victim(directory, seed);
  try {
    return await victim.verified;
  } finally {
    // It stops by itself and takes its engines along.
    victim.process.kill('SIGTERM');
    await new Promise((resolve) => victim.process.once('close', resolve));
  }
}

/** A directory that is done with: its engines end with a last process that may close them. */
async function endEngines(directory: string, seed: number): Promise<void> {
  const { differences, wrong } = await lastLook(directory, seed);
  if (differences > 0) throw new Error(`at the end of a directory: ${differences} differences\n${wrong.join('\n')}`);
  rmSync(directory, { recursive: true, force: true });
}
