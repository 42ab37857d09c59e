// The ClickHouse of the facts: the server that is named, else the embedded engine. One client, one code path for both.
import { setTimeout as delay } from 'node:timers/promises';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type Report, silent } from '../report.js';
import { EngineProcess } from './engine-process.js';
import { isRetryable } from './retryable.js';

const connectionsMax = 16;
/** A check or a repair of a large month may take long; the engine itself is given a limit with each statement. */
const requestMsMax = 660_000;
const reachMsMaxDefault = 60_000;
const reachPauseMs = 250;
const queriesMaxDefault = 8;

export interface ClickHouseOptions {
  /** `http://` or `https://`, with user, password and database; undefined: embedded. */
  readonly url: string | undefined;
  /** Of the embedded engine; one process at a time. */
  readonly directory: string;
  /** Queries that run at the same time in the embedded engine. */
  readonly queriesMax?: number;
  /** How long to wait for a server that does not answer yet. */
  readonly reachMsMax?: number;
  readonly report?: Report;
}

export interface ClickHouseStore {
  readonly kind: 'external' | 'embedded';
  /**
   * After a crash of the engine its calls fail until it runs again: see isRetryable. Every statement states its own
   * limits (`max_execution_time`, `max_memory_usage`) and every insert its own deduplication token.
   */
  readonly client: ClickHouseClient;
  /** Where it listens, without credentials. */
  readonly url: string;
  /** Of the engine, such as 26.7.2.1. */
  readonly version: string;
  /** Another client of the same store, for those that close their own. */
  connect(): ClickHouseClient;
  /** Process id of the embedded engine; another one after a restart. */
  pid(): number | undefined;
  close(): Promise<void>;
}

interface Login {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

function clientOf(login: Login): ClickHouseClient {
  return createClient({
    ...login,
    max_open_connections: connectionsMax,
    request_timeout: requestMsMax,
    keep_alive: { enabled: true },
    // What goes wrong is thrown to whoever asked; the client's own lines would bypass the service's log.
    log: { level: ClickHouseLogLevel.OFF },
    // Rows that wait in the server's memory would be acknowledged before they are kept.
    clickhouse_settings: { async_insert: 0 },
  });
}

/** The version of a server, once it answers. @throws Error with the reason of the last attempt; at once when it refuses us. */
async function versionOf(client: ClickHouseClient, where: string, msMax: number): Promise<string> {
  const end = performance.now() + msMax;
  for (;;) {
    try {
      const answer = await client.query({ query: 'SELECT version() AS version', format: 'JSONEachRow' });
      const [row] = await answer.json<{ version: string }>();
      return row?.version ?? '';
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!isRetryable(error) || performance.now() > end) {
        throw new Error(`ClickHouse at ${where} cannot be used: ${message}`, { cause: error });
      }
      await delay(reachPauseMs);
    }
  }
}

/** @throws DirectoryHeld for an embedded engine that another process owns; Error when no ClickHouse can be had. */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouseStore> {
  if (options.url !== undefined) return await openServer(options.url, options.reachMsMax ?? reachMsMaxDefault);
  const { directory, queriesMax = queriesMaxDefault, report = silent } = options;
  const engine = await EngineProcess.start({ directory, queriesMax, report });
  const connect = (): ClickHouseClient => clientOf({ url: engine.url, ...engine.login });
  const client = connect();
  return {
    kind: 'embedded',
    client,
    url: engine.url,
    version: engine.version,
    connect,
    pid: () => engine.pid,
    close: async () => {
      await client.close();
      await engine.close();
    },
  };
}

async function openServer(url: string, reachMsMax: number): Promise<ClickHouseStore> {
  const connect = (): ClickHouseClient => clientOf({ url });
  const client = connect();
  const where = withoutCredentials(url);
  try {
    const version = await versionOf(client, where, reachMsMax);
    return {
      kind: 'external',
      client,
      url: where,
      version,
      connect,
      pid: () => undefined,
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

function withoutCredentials(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}
