// The ClickHouse of the facts: the server that is named, else the embedded engine. One client, one code path for both.
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type Report, silent } from '../report.js';
import { ChdbChild } from './chdb-child.js';

const connectionsMax = 16;
/** A check or a repair of a large month may take long; the engine itself is given a limit with each statement. */
const requestMsMax = 660_000;
/** What goes wrong is thrown to whoever asked; the client's own lines would bypass the service's log. */
const log = { level: ClickHouseLogLevel.OFF };

export interface ClickHouseOptions {
  /** `http://` or `https://`, with user, password and database; undefined: embedded. */
  readonly url: string | undefined;
  /** Of the embedded engine; one process at a time. */
  readonly directory: string;
  readonly report?: Report;
}

export interface ClickHouseStore {
  readonly kind: 'external' | 'embedded';
  readonly client: ClickHouseClient;
  /** Where it listens, without credentials. */
  readonly url: string;
  /** Another client of the same store, for those that close their own. */
  connect(): ClickHouseClient;
  /** Process id of the embedded engine. */
  pid(): number | undefined;
  close(): Promise<void>;
}

/** @throws Error when the embedded engine's directory cannot be opened. */
export async function openClickHouse(options: ClickHouseOptions): Promise<ClickHouseStore> {
  const common = {
    max_open_connections: connectionsMax,
    request_timeout: requestMsMax,
    keep_alive: { enabled: true },
    log,
  };
  if (options.url) {
    const { url } = options;
    const connect = () => createClient({ url, ...common });
    const client = connect();
    return {
      kind: 'external',
      client,
      url: withoutCredentials(url),
      connect,
      pid: () => undefined,
      close: () => client.close(),
    };
  }
  const child = await ChdbChild.start(options.directory, options.report ?? silent);
  const connect = () => createClient({ url: child.url, ...child.credentials, ...common });
  const client = connect();
  return {
    kind: 'embedded',
    client,
    url: child.url,
    connect,
    pid: () => child.pid,
    close: async () => {
      await client.close();
      await child.close();
    },
  };
}

function withoutCredentials(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}
