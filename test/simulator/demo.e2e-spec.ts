// The demo as a user runs it, with a small profile: killed with its service in the middle and run again, told to stop and
// run again, from end to end; and on a directory that is not its own. That it runs through with --exit is shown on a log
// server (event-log/eventstoredb/demo) and, of the usual profile, in CI.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const command = ['--enable-source-maps', '--import', './test/register.mjs', 'src/cli/homing.ts', 'demo'];
const demoMsMax = 240_000;

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
  says(pattern: RegExp): Promise<void> {
    return this.until(String(pattern), () => pattern.test(this.output));
  }
  /** When so large a share of the world has been sent. */
  sent(share: number): Promise<void> {
    return this.until(`sent ${share}`, () =>
      [...this.output.matchAll(/sending: (\d+) of (\d+)/g)].some(
        ([, done, all]) => Number(done) >= share * Number(all),
      ),
    );
  }

  private async until(what: string, happened: () => boolean): Promise<void> {
    while (!happened()) {
      const ended = await Promise.race([
        this.#ended,
        new Promise<undefined>((resolve) => this.child.stdout?.once('data', () => resolve(undefined))),
        new Promise<undefined>((resolve) => this.child.stderr?.once('data', () => resolve(undefined))),
      ]);
      if (ended) throw new Error(`ended (${ended.code}) before it ${what}:\n${this.output}`);
    }
  }
}

describe('homing demo', () => {
  it(
    'goes on after kill -9 of itself and of its service, and after SIGTERM, and agrees with the truth in every figure',
    async () => {
      const killed = new Demo();
      await killed.sent(0.3);
      // No clean stop: what the service held in memory is gone, and its Redis and its ClickHouse are left to themselves.
      const { servicePid } = JSON.parse(await readFile(join(directory, 'demo.json'), 'utf8')) as { servicePid: number };
      process.kill(servicePid, 'SIGKILL');
      killed.child.kill('SIGKILL');
      await killed.ended();

      const stopped = new Demo();
      await stopped.sent(0.6);
      stopped.child.kill('SIGTERM');
      expect([(await stopped.ended()).code, stopped.output]).toEqual([
        143,
        expect.stringContaining('The same command goes on from here.'),
      ]);
      expect(stopped.output).toMatch(/Going on after \d+ of/);

      // It stays up until it is told to stop.
      const last = new Demo();
      await last.says(/Ctrl-C stops it/);
      expect(last.output).toMatch(/Going on after \d{4} of/);
      expect(last.output).toContain('Every figure agrees.');
      expect(last.output).not.toContain('✗');
      last.child.kill('SIGTERM');
      expect((await last.ended()).code).toBe(0);
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
