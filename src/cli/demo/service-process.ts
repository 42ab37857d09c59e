// Starts the demo's service as a child process, and ends it.
import { type ChildProcess, fork } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { extname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { environmentWith } from '../../config.js';
import type { ChildOrder, ChildReport } from './service-child.js';

const startMsMax = 90_000;
/** Longer than the service's own limit for a clean stop. */
const stopMsMax = 30_000;
const logTailChars = 2_000;

export interface ServiceProcessOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly logFile: string;
  readonly order: ChildOrder;
}

export class ServiceProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly dashboardUrl: string | undefined,
  ) {}

  /** @throws Error with the end of the service's log when it does not come up */
  static async start({ dataDir, port, logFile, order }: ServiceProcessOptions): Promise<ServiceProcess> {
    const entry = fileURLToPath(new URL(`./service-child${extname(import.meta.url)}`, import.meta.url));
    const log = openSync(logFile, 'a');
    const child = fork(entry, [], {
      env: environmentWith({
        PORT: String(port),
        HOMING_DATA_DIR: dataDir,
        HOMING_CLOCK: 'import',
        HOMING_ROLE: 'all',
        HOMING_LOG_LEVEL: 'warn',
      }) as NodeJS.ProcessEnv,
      stdio: ['ignore', log, log, 'ipc'],
    });
    child.send(order);
    const report = await firstReport(child);
    if (report.kind === 'up') return new ServiceProcess(child, report.url, report.dashboardUrl);
    throw new Error(`the service did not start: ${report.message}\n${tailOf(logFile)}`);
  }

  get pid(): number {
    return this.child.pid as number;
  }
  get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Stops it cleanly; one that does not stop is killed. @returns its exit code, null when it was killed */
  async stop(): Promise<number | null> {
    if (!this.isGone) {
      const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      this.child.kill('SIGTERM');
      const killer = setTimeout(() => this.child.kill('SIGKILL'), stopMsMax);
      await gone;
      clearTimeout(killer);
    }
    return this.child.exitCode;
  }
}

function firstReport(child: ChildProcess): Promise<ChildReport> {
  return new Promise((resolve) => {
    const failed = (message: string) => resolve({ kind: 'failed', message });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      failed(`not up after ${startMsMax} ms`);
    }, startMsMax);
    child.once('message', (message) => {
      clearTimeout(timer);
      resolve(message as ChildReport);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      failed(`it ended with ${signal ?? `code ${code}`}`);
    });
  });
}

function tailOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').slice(-logTailChars);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The service of a demo that was killed ends by itself; waits until it has. */
export async function waitUntilGone(pid: number): Promise<void> {
  for (let waitedMs = 0; isAlive(pid); waitedMs += 100) {
    if (waitedMs > stopMsMax)
      throw new Error(`the service of an earlier demo (process ${pid}) is still there: end it first`);
    await wait(100);
  }
}

/** The wanted port, or any when it was not asked for by name and is taken. */
export function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', () => (wanted === 0 ? reject(new Error('no free port')) : resolve(freePort(0))));
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
