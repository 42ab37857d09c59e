// What a private redis-server is given and what it leaves in its directory: configuration, password, log, pid.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Everything the server is told; it holds the password, so it is nobody else's to read. */
export function configuration(directory: string, port: number, password: string): string {
  return `${[
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${quoted(directory)}`,
    `pidfile ${quoted(join(directory, 'redis.pid'))}`,
    `logfile ${quoted(join(directory, 'redis.log'))}`,
    'loglevel notice',
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // A queue or a document that is evicted is a job or an answer that is lost without a word.
    'maxmemory-policy noeviction',
  ].join('\n')}\n`;
}

/** Undefined when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The port of the server that was last started here. */
export function portOf(directory: string): number | undefined {
  const port = /^port ([0-9]+)$/m.exec(readText(join(directory, 'redis.conf')) ?? '')?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Made once for a directory: a server that is adopted later must know it. */
export function passwordOf(directory: string): string {
  const path = join(directory, 'password');
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  const password = randomBytes(32).toString('base64url');
  writeFileSync(path, password, { mode: 0o600 });
  return password;
}

/** Free a moment ago; whoever listens on it must be ready to find it taken. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
