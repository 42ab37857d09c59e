// The service as its users run it, in a process of its own, on embedded engines; ended by its pid.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface ServiceProcess {
  readonly url: string;
  /** Token of the first key with this scope. */
  key(scope: string): string;
  /** Bytes of memory that is no file's: the part that must not grow with the log. Linux only. */
  anonymousBytes(): number;
  close(): Promise<void>;
}

export async function startServiceProcess(
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--import', here('../register.mjs'), here('../../src/main.ts')],
    {
      env: { ...process.env, HOMING_DATA_DIR: directory, PORT: '0', HOMING_LOG_LEVEL: 'fatal', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const told = await untilUp(child);
  const url = /API\s+(\S+)\/v1/.exec(told)?.[1];
  if (url === undefined) throw new Error(`the service did not say where it is: ${told}`);
  return {
    url,
    key: (scope) => {
      const token = new RegExp(`\\b${scope}\\s+(hk_\\S+)`).exec(told)?.[1];
      if (token === undefined) throw new Error(`the service made no key with scope ${scope}`);
      return token;
    },
    anonymousBytes: () => anonymousBytesOf(child.pid as number),
    close: async () => {
      child.removeAllListeners('exit');
      child.kill('SIGTERM');
      if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve));
    },
  };
}

/** Everything it prints until it is up; its keys come last, before an empty line. */
async function untilUp(child: ChildProcess): Promise<string> {
  let text = '';
  return await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the service ended with ${String(code)}`)));
    child.stdout?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (text.includes('Homing is up.') && text.endsWith('\n')) resolve(text);
    });
  });
}

function anonymousBytesOf(pid: number): number {
  const kibibytes = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1_024;
}
