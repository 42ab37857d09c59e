// The life of the embedded engine's process, seen from the service: started, started again when it dies, stopped with us.
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type DirectoryHold, holdDirectory } from '../directory-hold.js';
import { type ForkedModule, firstMessage, forkModule } from '../forked-module.js';
import type { Report } from '../report.js';
import { RestartPause } from '../restart-pause.js';
import type { EngineSays, EngineStart } from './engine/engine.main.js';

/** Opening many parts after a crash takes its time. */
const readyMsMax = 120_000;
/** How long the engine of a process that was killed may take to let go of the directory. */
const lockMsMax = 30_000;
const lockPauseMs = 100;
const stopMsMax = 15_000;
const user = 'homing';
/** The engine tells the reason (code 76) on stderr, which may come after its message: the message alone is taken for a lock. */
const locked = /Code: 76\b|Cannot lock file|Failed to create connection/;
/** Libuv's own pool runs the queries; two more are for files. */
const poolExtra = 4;

export interface EngineProcessOptions {
  readonly directory: string;
  readonly queriesMax: number;
  readonly report: Report;
}

export class EngineProcess {
  private readonly password = randomBytes(32).toString('base64url');
  private forked: ForkedModule | undefined;
  private port = 0;
  private closing = false;
  private readonly pause = new RestartPause();
  private readonly stopping = new AbortController();
  private restarting: Promise<void> | undefined;
  version = '';

  private constructor(
    private readonly options: EngineProcessOptions,
    private readonly hold: DirectoryHold,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get login(): { readonly username: string; readonly password: string } {
    return { username: user, password: this.password };
  }

  get pid(): number | undefined {
    return this.forked?.child.pid;
  }

  /** @throws DirectoryHeld, or Error with what the engine said. */
  static async start(options: EngineProcessOptions): Promise<EngineProcess> {
    const hold = holdDirectory(options.directory);
    const engine = new EngineProcess(options, hold);
    try {
      await engine.beginWhenUnlocked();
      return engine;
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  /** We hold the directory, so whoever locks it is what is left of a service that was killed, and about to go. */
  private async beginWhenUnlocked(): Promise<void> {
    const end = performance.now() + lockMsMax;
    for (;;) {
      try {
        await this.begin();
        return;
      } catch (error) {
        if (!locked.test((error as Error).message) || performance.now() > end) throw error;
        await delay(lockPauseMs);
      }
    }
  }

  private async begin(): Promise<void> {
    const { directory, queriesMax } = this.options;
    const forked = forkModule(import.meta.url, 'engine/engine.main', {
      environment: { TZ: 'UTC', UV_THREADPOOL_SIZE: String(queriesMax + poolExtra) },
    });
    const start: EngineStart = { directory, queriesMax, port: this.port, password: this.password, user };
    forked.child.send(start);
    try {
      const said = await firstMessage<EngineSays>(forked, readyMsMax);
      if (said.kind === 'failed') throw new Error(`the embedded ClickHouse did not start: ${said.message}`);
      this.port = said.port;
      this.version = said.version;
    } catch (error) {
      forked.child.kill('SIGKILL');
      throw error;
    }
    this.forked = forked;
    forked.child.once('exit', (code, signal) => {
      if (this.closing) return;
      const how = signal ?? `exit code ${code}`;
      this.options.report('error', `the embedded ClickHouse died (${how}): starting it again. ${forked.stderrTail()}`);
      this.restarting = this.restart().finally(() => {
        this.restarting = undefined;
      });
    });
  }

  /** On the port of before, so that clients find it again. */
  private async restart(): Promise<void> {
    while (!this.closing) {
      // The first pause also lets what is in flight of the dead one fail, rather than meet the next one half-way.
      await delay(this.pause.next(), undefined, { signal: this.stopping.signal }).catch(() => {});
      if (this.closing) return;
      try {
        await this.begin();
        this.options.report('info', `the embedded ClickHouse runs again (pid ${this.pid})`);
        return;
      } catch (error) {
        this.options.report('error', (error as Error).message);
      }
    }
  }

  /** Lets running queries end, at most some seconds, and closes the engine's files. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.stopping.abort();
    await this.restarting;
    const child = this.forked?.child;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      const late = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(late);
    }
    this.hold.release();
  }
}
