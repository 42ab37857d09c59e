// Starts a process that holds a log (holder.ts) and talks to it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export class HeldLog {
  private constructor(
    readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
    private readonly reader: Interface,
  ) {}

  /** `prefix`: a command to run it under, such as one that sets limits. Resolves with what the process says first. */
  static async start(
    directory: string,
    options: object = {},
    prefix: readonly string[] = [],
  ): Promise<[HeldLog, string]> {
    const own = [
      process.execPath,
      '--import',
      file('../../register.mjs'),
      file('./holder.ts'),
      directory,
      JSON.stringify(options),
    ];
    const [command = '', ...args] = [...prefix, ...own];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const held = new HeldLog(child, reader[Symbol.asyncIterator](), reader);
    return [held, await held.line()];
  }

  async ask(command: string): Promise<string> {
    this.child.stdin?.write(`${command}\n`);
    return this.line();
  }

  /** Ends it in good order. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    await this.gone();
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.gone();
  }

  private async gone(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    this.reader.close();
  }

  private async line(): Promise<string> {
    const next = await this.lines.next();
    if (next.done) throw new Error('the process that holds the log has ended');
    return next.value;
  }
}
