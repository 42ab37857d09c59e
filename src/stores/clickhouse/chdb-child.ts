// The parent's side of the embedded ClickHouse: starts the child, starts it again when it dies, stops it. The port and the
// password stay the same, so a client sees a dead child as a connection that is refused for a moment.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type DirectoryHold, holdDirectory } from '../directory-hold.js';
import { type ForkedModule, firstMessage, forkModule } from '../forked-module.js';
import type { Report } from '../report.js';
import type { ChildOptions, FromChild } from './front/chdb.main.js';

const readyMsMax = 60_000;
const stopMsMax = 15_000;
/** After the n-th death in a row, n² times this, at most restartMsMax. */
const restartMs = 200;
const restartMsMax = 10_000;
/** A child that lived this long starts the count of deaths anew. */
const soundMs = 60_000;

export class ChdbChild {
  private stopping = false;
  private deaths = 0;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly options: ChildOptions,
    private readonly report: Report,
    private readonly hold: DirectoryHold,
    private forked: ForkedModule,
  ) {
    this.watch();
  }

  /** @throws DirectoryHeld naming the process that has the directory; Error in the child's own words when it cannot be opened. */
  static async start(directory: string, report: Report): Promise<ChdbChild> {
    const hold = holdDirectory(directory);
    const options = { directory, port: 0, user: 'homing', password: randomBytes(24).toString('base64url') };
    try {
      const { forked, port } = await launch(options);
      return new ChdbChild({ ...options, port }, report, hold, forked);
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }
  get credentials(): { readonly username: string; readonly password: string } {
    return { username: this.options.user, password: this.options.password };
  }
  get pid(): number | undefined {
    return this.forked.child.pid;
  }

  private watch(): void {
    const { child, stderrTail } = this.forked;
    const began = Date.now();
    const ended = (code: number | null, signal: string | null): void => {
      if (this.stopping) return;
      this.deaths = Date.now() - began > soundMs ? 1 : this.deaths + 1;
      const waitMs = Math.min(restartMs * this.deaths ** 2, restartMsMax);
      this.report(
        'error',
        `the embedded ClickHouse ended (${signal ?? `exit code ${code}`}), started again in ${waitMs} ms: ${stderrTail()}`,
      );
      this.timer = setTimeout(() => void this.restart(), waitMs);
    };
    if (child.exitCode !== null || child.signalCode !== null) ended(child.exitCode, child.signalCode);
    else child.once('exit', ended);
  }

  private async restart(): Promise<void> {
    try {
      const { forked } = await launch(this.options);
      this.forked = forked;
      if (this.stopping) await end(forked);
      else this.watch();
    } catch (error) {
      if (this.stopping) return;
      this.deaths += 1;
      const waitMs = Math.min(restartMs * this.deaths ** 2, restartMsMax);
      this.report('error', `the embedded ClickHouse could not be started, next try in ${waitMs} ms: ${String(error)}`);
      this.timer = setTimeout(() => void this.restart(), waitMs);
    }
  }

  async close(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await end(this.forked);
    this.hold.release();
  }
}

async function launch(options: ChildOptions): Promise<{ forked: ForkedModule; port: number }> {
  const forked = forkModule(import.meta.url, 'front/chdb.main');
  forked.child.send(options);
  const first = await firstMessage<FromChild>(forked, readyMsMax).catch((error: unknown) => {
    forked.child.kill('SIGKILL');
    throw error;
  });
  if ('error' in first) throw new Error(`the embedded ClickHouse cannot open ${options.directory}: ${first.error}`);
  return { forked, port: first.port };
}

async function end({ child }: ForkedModule): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.send('stop');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax);
  await exited;
  clearTimeout(timer);
}
