// The whole service on a log server: the demo runs with HOMING_EVENT_LOG=esdb://… against `homing log serve`, which is
// killed and started again in the middle, and every figure agrees with the truth.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { expect, it } from '@jest/globals';
import { closedAfterEach } from '../clean-up.js';
import { freePort } from '../free-port.js';
import { temporaryDirectory } from '../temporary-directory.js';

const node = ['--import', './test/register.mjs', 'src/cli/homing.ts'];
const demoMsMax = 480_000;
/** Requests sent when the server is killed: about half of them. */
const half = /sending: (1[5-9]|2[0-9])\d\d of/;

async function serve(port: number, data: string): Promise<ChildProcess> {
  const args = [...node, 'log', 'serve', '--port', String(port), '--data', data];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await Promise.race([
    new Promise<[string]>((resolve) =>
      createInterface({ input: child.stdout }).once('line', (text) => resolve([text])),
    ),
    ended(child).then((code) => [`ended with ${code}`]),
  ]);
  expect(line).toBe(`READY ${port}`);
  return child;
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

const atTheEnd = closedAfterEach();

it(
  'the demo agrees in every figure',
  async () => {
    const [logDirectory, dataDirectory] = [temporaryDirectory(), temporaryDirectory()];
    for (const made of [logDirectory, dataDirectory]) atTheEnd(() => made.remove());
    const port = await freePort();
    let server = await serve(port, logDirectory.path);
    const kill = async (child: ChildProcess, signal: NodeJS.Signals) => {
      child.kill(signal);
      return ended(child);
    };
    atTheEnd(async () => {
      await kill(server, 'SIGKILL');
    });
    const env = {
      ...process.env,
      HOMING_EVENT_LOG: `esdb://127.0.0.1:${port}?tls=false`,
      HOMING_MASTER_KEY: randomBytes(32).toString('base64'),
    };
    const args = [...node, 'demo', '--exit', '--profile', 'nano', '--port', '0', '--data-dir', dataDirectory.path];
    const demo = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    atTheEnd(async () => {
      await kill(demo, 'SIGKILL');
    });
    let output = '';
    let restarting: Promise<void> | undefined;
    for (const stream of [demo.stdout, demo.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (!half.test(output)) return;
        restarting ??= kill(server, 'SIGKILL').then(async () => {
          server = await serve(port, logDirectory.path);
        });
      });
    }
    const code = await ended(demo);
    expect([code, output]).toEqual([0, expect.stringContaining('Every figure agrees.')]);
    console.info(`demo on a log server: ${/Sent in .*/.exec(output)?.[0]}`);
    expect(restarting).toBeDefined();
    await restarting;
    expect(await kill(server, 'SIGTERM')).toBe(0);
    const checked = execFileSync(process.execPath, [...node, 'log', 'check', '--data', logDirectory.path]).toString();
    // The figures came out of this log and no other.
    expect(Number(/^OK log \S+: ([0-9]+) events/.exec(checked)?.[1])).toBeGreaterThan(2_000);
  },
  demoMsMax,
);
