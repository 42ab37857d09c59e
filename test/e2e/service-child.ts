// The service as a process of its own, so that it can be killed; it runs the sources, as the tests do, or what was built.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const startMsMax = 45_000;

export interface ServiceChild {
  readonly process: ChildProcess;
  readonly url: string;
  /** All it printed until it was up. */
  readonly printed: string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export const sources = ['--import', './test/register.mjs', 'src/main.ts'];

/** @param program what Node is given to run */
export async function startChild(
  environment: Readonly<Record<string, string>>,
  program: readonly string[] = sources,
): Promise<ServiceChild> {
  const child = spawn(process.execPath, program, {
    cwd: root,
    env: { PATH: process.env['PATH'], PORT: '0', HOMING_LOG_LEVEL: 'error', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | string>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? `${signal}`)),
  );
  let printed = '';
  const up = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const url = /API +(\S+)\/v1/.exec(printed)?.[1];
      // The keys stand below; the last line is empty.
      if (url && printed.endsWith('\n')) resolve(url);
    });
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4_000);
  });
  let timer: NodeJS.Timeout | undefined;
  const failed = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not up after ${startMsMax} ms: ${complaints}`)), startMsMax);
    void ended.then((code) => reject(new Error(`ended with ${code}: ${complaints}`)));
  });
  failed.catch(() => {});
  try {
    const url = await Promise.race([up, failed]);
    return { process: child, url, printed, ended };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The key that a service made at its first start for a scope. */
export function keyOf({ printed }: ServiceChild, scope: string): string {
  const token = new RegExp(`^ +${scope} +(hk_\\S+)$`, 'm').exec(printed)?.[1];
  if (token === undefined) throw new Error(`the service made no key with scope ${scope}: ${printed}`);
  return token;
}

export async function stopped(service: ServiceChild): Promise<void> {
  service.process.kill('SIGTERM');
  const code = await service.ended;
  if (code !== 0) throw new Error(`the service stopped with ${code}`);
}
