// Starts one of our own modules as a child process that ends when we do: its channel to us closes with our process, however
// that ended. Compiled code is started as it is; when we run from source ourselves (tests), so does the child.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Kept of what a child writes to stderr, for the error message when it dies. */
const stderrBytesMax = 16_384;

export interface ForkedModule {
  readonly child: ChildProcess;
  /** The end of what it wrote to stderr. */
  readonly stderrTail: () => string;
}

export interface ForkOptions {
  readonly args?: readonly string[];
  /** All of the child's environment: ours holds secrets that it has no use for. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** What Node wants to run a module of ours. `beside` is the caller's import.meta.url, `name` the module next to it without its ending. */
export function ownModule(beside: string, name: string): { readonly path: string; readonly execArgv: string[] } {
  const fromSource = beside.endsWith('.ts');
  const path = fileURLToPath(new URL(`./${name}.${fromSource ? 'ts' : 'js'}`, beside));
  const loader = new URL('../../test/register.mjs', import.meta.url).href;
  return { path, execArgv: fromSource ? ['--import', loader] : ['--enable-source-maps'] };
}

/** As `ownModule` says. */
export function forkModule(beside: string, name: string, options: ForkOptions = {}): ForkedModule {
  const { path, execArgv } = ownModule(beside, name);
  const child = fork(path, options.args ?? [], {
    env: options.environment ?? {},
    execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    // Its own process group: an interrupt from the terminal is ours to hand on, after what is in flight has ended.
    detached: true,
  });
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-stderrBytesMax);
  });
  return { child, stderrTail: () => tail.trim() };
}

/** The first message of a child. @throws Error with the end of its stderr when it ends first, or says nothing in time. */
export function firstMessage<Message>({ child, stderrTail }: ForkedModule, msMax: number): Promise<Message> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      act();
    };
    const onMessage = (message: unknown): void => settle(() => resolve(message as Message));
    const onExit = (code: number | null, signal: string | null): void =>
      settle(() =>
        reject(new Error(`the child ended (${signal ?? `exit code ${code}`}) before it was ready: ${stderrTail()}`)),
      );
    const onError = (error: Error): void => settle(() => reject(error));
    const timer = setTimeout(
      () => settle(() => reject(new Error(`the child was not ready after ${msMax} ms: ${stderrTail()}`))),
      msMax,
    );
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
  });
}
