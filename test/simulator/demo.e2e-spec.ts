// The demo as a user runs it, with a small profile: from end to end, killed with its service in the middle and
// run again, told to stop and run again, and on a directory that is not its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const command = ['--enable-source-maps', '--import', './test/register.mjs', 'src/cli/homing.ts', 'demo'];
const demoMsMax = 180_000;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'homing-demo-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

class Demo {
  output = '';
  readonly child: ChildProcess;
  readonly #ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(...options: readonly string[]) {
    const args = [...command, '--profile', 'nano', '--port', '0', '--data-dir', directory, ...options];
    this.child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.#ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  ended(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    return this.#ended;
  }
  /** When the output says so. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      const ended = await Promise.race([
        this.#ended,
        new Promise<undefined>((resolve) => this.child.stdout?.once('data', () => resolve(undefined))),
        new Promise<undefined>((resolve) => this.child.stderr?.once('data', () => resolve(undefined))),
      ]);
      if (ended) throw new Error(`ended (${ended.code}) before it said ${String(pattern)}:\n${this.output}`);
    }
  }
}

const half = /sending: (1[5-9]|2[0-9])\d\d of/;

describe('homing demo', () => {
  it(
    'agrees with the truth in every figure and exits 0',
    async () => {
      const demo = new Demo('--exit');
      expect([(await demo.ended()).code, demo.output]).toEqual([0, expect.stringContaining('Every figure agrees.')]);
      expect(demo.output).not.toContain('✗');
    },
    demoMsMax,
  );

  it(
    'goes on after kill -9 of itself and of its service in the middle, and agrees',
    async () => {
      const first = new Demo('--exit');
      await first.says(half);
      // No clean stop: what the service held in memory is gone, and its Redis and its ClickHouse are left to themselves.
      const { servicePid } = JSON.parse(await readFile(join(directory, 'demo.json'), 'utf8')) as { servicePid: number };
      process.kill(servicePid, 'SIGKILL');
      first.child.kill('SIGKILL');
      await first.ended();
      const second = new Demo('--exit');
      expect([(await second.ended()).code, second.output]).toEqual([
        0,
        expect.stringContaining('Every figure agrees.'),
      ]);
      expect(second.output).toMatch(/Going on after \d{4} of/);
    },
    demoMsMax,
  );

  it(
    'stops at SIGTERM in the middle, goes on when run again, and stays up until it is told to stop',
    async () => {
      const first = new Demo();
      await first.says(half);
      first.child.kill('SIGTERM');
      expect((await first.ended()).code).toBe(143);
      expect(first.output).toContain('The same command goes on from here.');
      const second = new Demo();
      await second.says(/Ctrl-C stops it/);
      expect(second.output).toContain('Every figure agrees.');
      second.child.kill('SIGTERM');
      expect((await second.ended()).code).toBe(0);
    },
    demoMsMax,
  );

  it('refuses a directory that holds something else, or the demo of another world', async () => {
    await writeFile(join(directory, 'mine.txt'), 'not a demo');
    const foreign = new Demo('--exit');
    expect((await foreign.ended()).code).toBe(1);
    expect(foreign.output).toContain('is not empty and holds no demo');
    expect(await readFile(join(directory, 'mine.txt'), 'utf8')).toBe('not a demo');

    const manifest = { profile: 'nano', seed: 2, worldVersion: 1, key: 'hk_x', dashboardKey: 'hk_y' };
    await writeFile(join(directory, 'demo.json'), JSON.stringify(manifest));
    const other = new Demo('--exit');
    expect((await other.ended()).code).toBe(1);
    expect(other.output).toContain('seed 2');
  });
});
