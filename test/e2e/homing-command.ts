// `homing …` as a person would type it, from the sources.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** @param started is given the process, to be interrupted */
export function homing(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  started: (child: ChildProcess) => void = () => undefined,
): Promise<Ran> {
  const program = ['--no-warnings', '--import', here('../register.mjs'), here('../../src/cli/homing.ts'), ...words];
  const child = spawn(process.execPath, program, { env: { ...process.env, ...environment } });
  started(child);
  let [out, error] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    error += bytes.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, error })));
}
