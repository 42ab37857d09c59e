// What an outage is made with: a redis-server that can be stopped, continued, killed and started again, and the service's
// own child processes, as Linux tells of them.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { freePort } from '../../src/stores/redis/redis-files.js';

/** A redis-server with an append-only file, whose data outlive it. */
export class OwnRedis {
  private child: ChildProcess | undefined;

  private constructor(
    private readonly directory: string,
    private readonly port: number,
  ) {}

  static async start(directory: string): Promise<OwnRedis> {
    mkdirSync(directory, { recursive: true });
    const redis = new OwnRedis(directory, await freePort());
    redis.begin();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Whoever needs it waits until it answers. */
  begin(): void {
    const settings = { port: this.port, bind: '127.0.0.1', dir: this.directory, appendonly: 'yes', save: '' };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.child = spawn('redis-server', args, { stdio: 'ignore' });
  }

  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  async end(name: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(name);
    await gone;
  }
}

function readProc(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** The child of this process that has the text in its command line. */
export function childOf(parent: number, text: string): number | undefined {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isChild = (pid: string) => new RegExp(`^PPid:\\s+${parent}$`, 'm').test(readProc(pid, 'status'));
  const found = pids.find((pid) => isChild(pid) && readProc(pid, 'cmdline').includes(text));
  return found === undefined ? undefined : Number(found);
}
