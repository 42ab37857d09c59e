// Homing as several processes: a served log, a Redis and a ClickHouse that all of them share, and processes of each role.
// The two stores are the embedded ones, opened by the test and given to the processes by their addresses.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EngineProcess } from '../../src/stores/clickhouse/engine-process.js';
import { openRedis, type RedisStore } from '../../src/stores/redis/open-redis.js';
import { type ServiceChild, startChild } from './service-child.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const homing = ['--import', './test/register.mjs', 'src/cli/homing.ts'];
const quiet = () => undefined;

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** A command of the command line, from its start to its end. */
export async function runHoming(args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [...homing, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', (ended) => resolve(ended)));
  return { code, output };
}

/** `homing log serve`; gives its process and port. */
async function serveLog(directory: string): Promise<{ readonly process: ChildProcess; readonly port: number }> {
  const args = [...homing, 'log', 'serve', '--port', '0', '--data', directory];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const ready = /^READY (\d+)$/.exec(line)?.[1];
      if (ready) resolve(Number(ready));
    });
    child.once('exit', (code) => reject(new Error(`the log server ended with ${code}`)));
  });
  return { process: child, port };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

export class Deployment {
  private readonly children: ServiceChild[] = [];

  private constructor(
    private readonly directory: string,
    private readonly logServer: { readonly process: ChildProcess; readonly port: number },
    readonly redis: RedisStore,
    private readonly clickhouse: EngineProcess,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** @param environment what all processes are told beside the addresses */
  static async open(environment: Readonly<Record<string, string>>): Promise<Deployment> {
    const directory = mkdtempSync(join(tmpdir(), 'homing-deployment-'));
    const [logServer, redis, clickhouse] = await Promise.all([
      serveLog(join(directory, 'log')),
      openRedis({ url: undefined, directory: join(directory, 'redis') }),
      EngineProcess.start({ directory: join(directory, 'clickhouse'), queriesMax: 8, report: quiet }),
    ]);
    return new Deployment(directory, logServer, redis, clickhouse, environment);
  }

  /** One more process. */
  async start(role: 'api' | 'projector' | 'worker'): Promise<ServiceChild> {
    const { username, password } = this.clickhouse.login;
    const child = await startChild({
      HOMING_ROLE: role,
      HOMING_DATA_DIR: join(this.directory, 'unused'),
      HOMING_EVENT_LOG: `esdb://127.0.0.1:${this.logServer.port}?tls=false`,
      HOMING_REDIS: this.redis.url,
      HOMING_CLICKHOUSE: this.clickhouse.url.replace('//', `//${username}:${password}@`),
      HOMING_MASTER_KEY: Buffer.alloc(32, 5).toString('base64'),
      ...this.environment,
    });
    this.children.push(child);
    return child;
  }

  async close(): Promise<void> {
    await Promise.all(this.children.map(({ process: child }) => ended(child)));
    await Promise.all([ended(this.logServer.process), this.redis.close(), this.clickhouse.close()]);
    rmSync(this.directory, { recursive: true, force: true });
  }
}
