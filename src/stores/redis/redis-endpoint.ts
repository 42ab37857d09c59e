// Where a Redis answers, as ioredis takes it and as a person would write it.
import { Cluster, Redis, type RedisOptions } from 'ioredis';

export type RedisClient = Redis | Cluster;

export interface RedisNode {
  readonly host: string;
  /** TCP port. */
  readonly port: number;
}

export interface RedisEndpoint extends RedisNode {
  /** Of a Redis Cluster: nodes to ask for the others, the one above among them. Absent: a server by itself. */
  readonly nodes?: readonly RedisNode[];
  readonly username?: string;
  readonly password?: string;
  /** Number of the logical database. */
  readonly db?: number;
  readonly tls?: Record<string, never>;
}

/** Replies keep the shapes that ioredis has always given. */
export type ConnectionOverrides = Omit<RedisOptions, 'replyMapping'>;

const retryMsMax = 2_000;
const connectMsMax = 5_000;
const probeMsMax = 2_000;
const disconnectMsMax = 500;
/** A command waits for this many attempts to connect again before it fails: callers decide, memory stays bounded. */
const retriesMax = 4;

/**
 * For what can be done without: a Redis that is away, or stands still with its connection open, holds nobody up, and what
 * it was asked does not pile up.
 */
export const impatient: ConnectionOverrides = {
  commandTimeout: 250,
  socketTimeout: 1_000,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
};

/**
 * For reads that somebody waits for. One that is not answered in time fails; a connection on which nothing comes for so
 * long is dropped with all that was asked on it, so that nothing piles up while Redis stands still. Nothing is asked a
 * second time: nobody may wait for it any more.
 */
export function answeredWithin(msMax: number): ConnectionOverrides {
  return { commandTimeout: msMax, socketTimeout: msMax, maxRetriesPerRequest: 0 };
}

const clusterUrl = /^(rediss?)-cluster:\/\/(?:([^@/]*)@)?([^@/,]+(?:,[^@/,]+)*)$/;

/**
 * `redis[s]://[user[:password]@]host[:port][/db]`, or `redis[s]-cluster://[user[:password]@]host[:port],host[:port]…`
 * with some nodes of a Redis Cluster. @throws TypeError for anything else.
 */
export function parseRedisUrl(text: string): RedisEndpoint {
  const [, scheme, login, hosts] = clusterUrl.exec(text) ?? [];
  if (hosts === undefined) return parseServerUrl(text);
  const at = login === undefined ? '' : `${login}@`;
  const nodes = hosts.split(',').map((host) => parseServerUrl(`${scheme}://${at}${host}`));
  return { ...(nodes[0] as RedisEndpoint), nodes: nodes.map(({ host, port }) => ({ host, port })) };
}

function parseServerUrl(text: string): RedisEndpoint {
  const url = new URL(text);
  const db = url.pathname.replace(/^\//, '');
  if (!/^rediss?:$/.test(url.protocol) || !/^[0-9]*$/.test(db)) throw new TypeError('expected redis://host:port/db');
  return {
    host: url.hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(url.port || 6379),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(db === '' ? {} : { db: Number(db) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** With its password: for other processes, never for a log line. */
export function redisUrlOf({ host, port, nodes, username, password, db, tls }: RedisEndpoint): string {
  const login = password === undefined ? '' : `${encodeURIComponent(username ?? '')}:${encodeURIComponent(password)}@`;
  const written = (node: RedisNode) => `${node.host.includes(':') ? `[${node.host}]` : node.host}:${node.port}`;
  const hosts = (nodes ?? [{ host, port }]).map(written).join(',');
  return `${tls ? 'rediss' : 'redis'}${nodes ? '-cluster' : ''}://${login}${hosts}${db === undefined ? '' : `/${db}`}`;
}

/** Exponential with jitter, so that many clients do not come back in step. */
function retryDelayMs(attempt: number): number {
  const ceiling = Math.min(retryMsMax, 25 * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + Math.random() * (ceiling / 2);
}

/**
 * A client that comes back by itself. A command in flight when the connection breaks is sent again, although it may have
 * been carried out: whatever is sent must bear that. (Told not to send them again, ioredis forgets them: whoever waits
 * for one waits for ever.)
 */
export function clientFor({ nodes, ...endpoint }: RedisEndpoint, overrides: ConnectionOverrides = {}): RedisClient {
  const options: ConnectionOverrides = {
    connectTimeout: connectMsMax,
    disconnectTimeout: disconnectMsMax,
    maxRetriesPerRequest: retriesMax,
    ...overrides,
  };
  if (!nodes) return new Redis({ ...endpoint, lazyConnect: true, retryStrategy: retryDelayMs, ...options });
  const { username, password, tls } = endpoint;
  const login = { ...(username ? { username } : {}), ...(password ? { password } : {}), ...(tls ? { tls } : {}) };
  const cluster = new Cluster([...nodes], {
    lazyConnect: true,
    clusterRetryStrategy: retryDelayMs,
    redisOptions: { ...login, ...options },
  });
  // A cluster counts no attempts: once it has been there, a command fails at once while no node answers, unless it is to
  // wait as long as it takes.
  if (options.maxRetriesPerRequest !== null) {
    cluster.once('ready', () => Object.assign(cluster.options, { enableOfflineQueue: false }));
  }
  return cluster;
}

/** The servers behind a client: one, or the masters of a cluster. */
export function serversOf(client: RedisClient): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/** A client that tries once; for looking whether somebody is there. */
export function probeFor(endpoint: RedisEndpoint): Redis {
  const probe = new Redis({
    ...endpoint,
    lazyConnect: true,
    connectTimeout: probeMsMax,
    commandTimeout: probeMsMax,
    disconnectTimeout: disconnectMsMax,
    retryStrategy: null,
    // A server that is still loading its file answers INFO, and that is what a probe asks for.
    enableReadyCheck: false,
  });
  probe.on('error', () => {});
  return probe;
}

/** The fields of an INFO answer. */
export function parseInfo(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return fields;
}
