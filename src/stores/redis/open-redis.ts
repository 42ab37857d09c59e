// The Redis of the read models and the queues: the one that is named, else a private redis-server, else one in JavaScript.
import { spawn } from 'node:child_process';
import { type Report, silent } from '../report.js';
import { JavascriptRedis } from './javascript-redis.js';
import {
  answeredWithin,
  type ConnectionOverrides,
  clientFor,
  parseInfo,
  parseRedisUrl,
  type RedisClient,
  type RedisEndpoint,
  redisUrlOf,
  serversOf,
} from './redis-endpoint.js';
import { RedisServerChild } from './redis-server-child.js';

const majorMin = 7;
const versionMsMax = 10_000;
const readyMsMaxDefault = 30_000;
const readMsMaxDefault = 5_000;

export interface RedisStoreOptions {
  /** `redis[s]://` or `redis[s]-cluster://`; undefined: embedded. */
  readonly url: string | undefined;
  /** Of the embedded server. */
  readonly directory: string;
  readonly report?: Report;
  /** Name or path of the server binary to look for. */
  readonly binary?: string;
  /** How long to wait for the first connection. */
  readonly readyMsMax?: number;
  /** How long whoever reads waits for an answer. */
  readonly readMsMax?: number;
  /** How long the embedded server waits for our return after a crash of ours. */
  readonly graceSeconds?: number;
}

export interface RedisStore {
  readonly kind: 'external' | 'redis-server' | 'javascript';
  /** False: what it holds does not outlive it, and is filled again from the log. */
  readonly durable: boolean;
  /** True when the embedded server was still running from before. */
  readonly adopted: boolean;
  /** With its password: for other processes, never for a log line. */
  readonly url: string;
  /** For BullMQ and others that make their own connections; workers add `maxRetriesPerRequest: null`. */
  readonly endpoint: RedisEndpoint;
  /** Commands and scripts. One cut off in flight is sent again; it fails after some attempts to connect. */
  readonly client: RedisClient;
  /** A connection of its own for reads that somebody waits for: a Redis that stands still fails them in time. */
  readonly reader: RedisClient;
  /** Another connection (blocking reads, subscriptions), closed with the store. */
  connect(overrides?: ConnectionOverrides): RedisClient;
  /** Process id of the embedded server. */
  pid(): number | undefined;
  close(): Promise<void>;
}

interface Server {
  readonly endpoint: RedisEndpoint;
  readonly pid?: number | undefined;
  readonly adopted?: boolean;
  close(): Promise<void>;
}

/** Major and full version of a server binary, undefined when it is not there. */
async function versionOf(binary: string): Promise<{ major: number; text: string } | undefined> {
  const output = await new Promise<string>((resolve) => {
    let text = '';
    const child = spawn(binary, ['--version'], { stdio: ['ignore', 'pipe', 'ignore'] });
    // Not spawn's own `timeout`: its timer stays when there is no such program.
    setTimeout(() => child.kill('SIGKILL'), versionMsMax).unref();
    child.on('error', () => resolve(''));
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('close', () => resolve(text));
  });
  const version = /\bv=([0-9]+)([0-9.]*)/.exec(output);
  return version?.[1] ? { major: Number(version[1]), text: version[1] + version[2] } : undefined;
}

async function startEmbedded(
  options: RedisStoreOptions,
  report: Report,
): Promise<{ kind: 'redis-server' | 'javascript'; server: Server }> {
  const binary = options.binary ?? 'redis-server';
  const version = await versionOf(binary);
  if (version && version.major >= majorMin) {
    const server = await RedisServerChild.start({ ...options, binary, report });
    return { kind: 'redis-server', server };
  }
  const why = version ? `${binary} ${version.text} is older than ${majorMin}` : `there is no ${binary} on PATH`;
  report(
    'warn',
    `${why}: using a Redis written in JavaScript. It is slow and in memory: read models are filled again from the log at every start, and queues start empty. Install Redis ${majorMin} or newer (apt-get install redis-server, brew install redis) or set HOMING_REDIS.`,
  );
  return { kind: 'javascript', server: await JavascriptRedis.start(report) };
}

/** Waits for the first connection and looks whether the server is one that loses nothing by its settings. */
async function check(
  client: RedisClient,
  kind: RedisStore['kind'],
  readyMsMax: number,
  report: Report,
): Promise<{ durable: boolean }> {
  await untilReady(client, readyMsMax);
  if (kind === 'javascript') return { durable: false };
  const servers = await Promise.all(serversOf(client).map(async (server) => parseInfo(await server.info())));
  for (const info of servers) checkServer(info, report);
  const durable = servers.every((info) => info['aof_enabled'] === '1');
  if (!durable)
    report('warn', 'Redis keeps no append-only file: after a crash of it, read models are filled again from the log.');
  return { durable };
}

/** @throws Error when it is too old */
function checkServer(info: Readonly<Record<string, string>>, report: Report): void {
  const major = Number.parseInt(info['redis_version'] ?? '', 10);
  if (major < majorMin) throw new Error(`Redis ${info['redis_version']} is too old: ${majorMin} or newer is needed`);
  // Valkey and managed servers that hide CONFIG still tell their policy in INFO.
  const policy = info['maxmemory_policy'];
  if (policy === undefined || policy === 'noeviction') return;
  report(
    'error',
    `Redis evicts keys when it is full (maxmemory-policy ${policy}): jobs and read models can vanish. Set it to noeviction.`,
  );
}

/** What trying again does not mend. */
const refusal = /^(NOAUTH|WRONGPASS|NOPERM)/;

/** How an attempt to reach a cluster ends, after one of its nodes has said why. */
const noNodeLeft = 'None of startup nodes is available';

/** @throws Error with the reason of the last attempt; at once when the server refuses us. */
async function untilReady(client: RedisClient, msMax: number): Promise<void> {
  let last = 'no answer';
  await new Promise<void>((resolve, reject) => {
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      client.off('error', onError).off('ready', onReady);
      act();
    };
    const fail = (): void => settle(() => reject(new Error(`Redis cannot be reached: ${last}`)));
    const onReady = (): void => settle(resolve);
    const onError = (error: Error & { readonly lastNodeError?: Error }): void => {
      if (error.message !== noNodeLeft) last = (error.lastNodeError ?? error).message;
      if (refusal.test(last)) fail();
    };
    const timer = setTimeout(fail, msMax);
    client.on('error', onError).on('ready', onReady);
    client.connect().catch(onError);
  });
}

/** @throws DirectoryHeld for an embedded server that another process owns; Error when no Redis can be had. */
export async function openRedis(options: RedisStoreOptions): Promise<RedisStore> {
  const report = options.report ?? silent;
  const { kind, server } =
    options.url === undefined
      ? await startEmbedded(options, report)
      : {
          kind: 'external' as const,
          server: { endpoint: parseRedisUrl(options.url), close: async () => {} } satisfies Server,
        };
  const clients: RedisClient[] = [];
  const connect = (overrides?: ConnectionOverrides): RedisClient => {
    const client = clientFor(server.endpoint, overrides);
    // A client without a listener throws; what matters fails at the command.
    client.on('error', (error) => report('warn', `Redis connection: ${error.message}`));
    clients.push(client);
    return client;
  };
  const client = connect();
  const reader = connect(answeredWithin(options.readMsMax ?? readMsMaxDefault));
  const readyMsMax = options.readyMsMax ?? readyMsMaxDefault;
  const close = async (): Promise<void> => {
    for (const open of clients) open.disconnect();
    await server.close();
  };
  try {
    const { durable } = await check(client, kind, readyMsMax, report);
    await untilReady(reader, readyMsMax);
    return {
      kind,
      durable,
      adopted: (server as Server).adopted ?? false,
      url: redisUrlOf(server.endpoint),
      endpoint: server.endpoint,
      client,
      reader,
      connect,
      pid: () => (server as Server).pid,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
