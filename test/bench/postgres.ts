// A PostgreSQL of one benchmark's own: a fresh cluster in a temporary directory, on a loopback port, everything durable.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

const user = 'postgres';
const startMsMax = 20_000;

/** Debian keeps the programs outside of PATH. */
function programs(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(debian, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

export function hasPostgres(): boolean {
  return programs() !== undefined;
}

/** PostgreSQL refuses to run as root; there it runs as its own user. */
function asUser(command: string, args: readonly string[]): [string, string[]] {
  return process.getuid?.() === 0 ? ['runuser', ['-u', user, '--', command, ...args]] : [command, [...args]];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export class Postgres {
  private constructor(
    private readonly bin: string,
    private readonly data: string,
    private readonly server: ChildProcess,
    private readonly port: number,
  ) {}

  /** `directory` exists and is empty. */
  static async start(directory: string): Promise<Postgres> {
    const bin = programs();
    if (!bin) throw new Error('PostgreSQL is not installed');
    if (process.getuid?.() === 0) {
      const number = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
      chownSync(directory, number('-u'), number('-g'));
    }
    const data = join(directory, 'data');
    execFileSync(...asUser(join(bin, 'initdb'), ['-D', data, '-U', user, '-A', 'trust', '-E', 'UTF8', '--locale=C']), {
      stdio: 'ignore',
    });
    const port = await freePort();
    const settings = [
      'fsync=on',
      'synchronous_commit=on',
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      `unix_socket_directories=${directory}`,
      'max_connections=200',
      'shared_buffers=512MB',
      'max_wal_size=4GB',
    ];
    const server = spawn(
      ...asUser(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])]),
      { stdio: 'ignore' },
    );
    const postgres = new Postgres(bin, data, server, port);
    await postgres.accepts();
    return postgres;
  }

  /** A new, empty database; gives its connection string. */
  database(name: string): string {
    execFileSync(join(this.bin, 'createdb'), ['-h', '127.0.0.1', '-p', `${this.port}`, '-U', user, name]);
    return `postgresql://${user}@127.0.0.1:${this.port}/${name}`;
  }

  drop(name: string): void {
    execFileSync(join(this.bin, 'dropdb'), ['-h', '127.0.0.1', '-p', `${this.port}`, '-U', user, '--force', name]);
  }

  stop(): void {
    if (this.server.exitCode !== null) return;
    execFileSync(...asUser(join(this.bin, 'pg_ctl'), ['-D', this.data, '-m', 'fast', '-w', 'stop']), {
      stdio: 'ignore',
    });
  }

  private async accepts(): Promise<void> {
    const end = performance.now() + startMsMax;
    while (spawnSync(join(this.bin, 'pg_isready'), ['-h', '127.0.0.1', '-p', `${this.port}`]).status !== 0) {
      if (this.server.exitCode !== null || performance.now() > end) throw new Error('PostgreSQL did not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
