// A Redis Cluster of three nodes on loopback, of real redis-server processes, for tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

const slots = 16_384;
const nodes = 3;
const upMsMax = 30_000;
/** Somebody may have taken a port between its choice and its use, or the cluster's own port above it. */
const attemptsMax = 5;

export class RedisCluster {
  private constructor(
    private readonly directory: string,
    private readonly ports: readonly number[],
    private readonly servers: ChildProcess[],
  ) {}

  /** @throws Error when the nodes do not come up and agree */
  static async start(): Promise<RedisCluster> {
    for (let attempt = 1; ; attempt += 1) {
      const directory = mkdtempSync(join(tmpdir(), 'homing-cluster-'));
      const ports = await Promise.all(Array.from({ length: nodes }, freePort));
      const servers = ports.map((port) => spawnNode(directory, port));
      const cluster = new RedisCluster(directory, ports, servers);
      try {
        await meet(ports);
        return cluster;
      } catch (error) {
        const isOneGone = servers.some(isGone);
        await cluster.close();
        if (!isOneGone || attempt >= attemptsMax) throw error;
      }
    }
  }

  get url(): string {
    return `redis-cluster://${this.ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  }

  /** One node dies at once and comes back with what it had. */
  async killOne(): Promise<void> {
    await end(this.servers[0] as ChildProcess);
    this.servers[0] = spawnNode(this.directory, this.ports[0] as number);
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map(end));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function end(server: ChildProcess): Promise<void> {
  if (isGone(server)) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await ended;
}

function spawnNode(directory: string, port: number): ChildProcess {
  const network = ['--port', String(port), '--bind', '127.0.0.1', '--cluster-enabled', 'yes'];
  const files = ['--cluster-config-file', join(directory, `nodes-${port}.conf`), '--dir', directory];
  const memory = ['--save', '', '--appendonly', 'yes', '--appenddirname', `log-${port}`];
  return spawn('redis-server', [...network, ...files, ...memory], { stdio: 'ignore' });
}

async function meet(ports: readonly number[]): Promise<void> {
  const clients = ports.map((port) => new Redis({ host: '127.0.0.1', port, retryStrategy: () => 50 }));
  for (const client of clients) client.on('error', () => undefined);
  try {
    const step = Math.ceil(slots / nodes);
    for (const [index, client] of clients.entries()) {
      const from = index * step;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', String(from), String(Math.min(slots, from + step) - 1));
      // Distinct epochs, so that the nodes agree at once.
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    }
    for (const port of ports.slice(1)) await clients[0]?.call('CLUSTER', 'MEET', '127.0.0.1', String(port));
    const end = performance.now() + upMsMax;
    for (const client of clients) {
      while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
        if (performance.now() > end) throw new Error('the cluster did not come up');
        await sleep(50);
      }
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}

/** Low enough that the cluster's own port, 10,000 above, is one too. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
      });
    });
    if (port < 55_535) return port;
  }
}
