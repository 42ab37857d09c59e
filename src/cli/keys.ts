// `homing keys list|create|revoke`: API keys, over the API of a running service or straight in the log of a stopped one.
import { Command, InvalidArgumentError } from 'commander';
import { ApiKeyStore, type ShownKey } from '../commands/keys/api-key.store.js';
import { readConfig } from '../config.js';
import { EmbeddedEventLog } from '../event-log/embedded/embedded-event-log.js';
import { LogLocked } from '../event-log/event-log.js';
import { EventStoreDbEventLog } from '../event-log/eventstoredb/eventstoredb-event-log.js';
import { isScope, type Scope } from '../http/access/api-key.js';
import { SystemClock } from '../http/request/service-clock.js';

interface Target {
  readonly url?: string;
  readonly key?: string;
}
type KeyBook = Pick<ApiKeyStore, 'create' | 'revoke'> & { list(): Promise<readonly ShownKey[]> };

export function keysCommand(): Command {
  const command = new Command('keys').description('API keys: who may speak to the service');
  command
    .command('list')
    .description('every key with its scopes; secrets are not kept, so none is shown')
    .action((_: object, self: Command) => withKeys(self, async (keys) => print(await keys.list())));
  command
    .command('create <name>')
    .description('makes a key and shows it this once')
    .requiredOption('--scopes <list>', 'comma-separated: app, analyst, import, admin, brand:<id>', parseScopes)
    .action((name: string, { scopes }: { scopes: Scope[] }, self: Command) =>
      withKeys(self, async (keys) => {
        const { token } = await keys.create({ name, scopes });
        process.stdout.write(`${token}\n`);
      }),
    );
  command
    .command('revoke <id>')
    .description('ends a key, and the member tokens that were issued with it')
    .action((id: string, _: object, self: Command) => withKeys(self, (keys) => keys.revoke(id)));
  for (const one of command.commands) {
    one
      .option('--url <url>', 'of a running service, such as http://127.0.0.1:3000')
      .option('--key <key>', 'with scope admin, for --url');
  }
  return command;
}

function parseScopes(text: string): Scope[] {
  return text.split(',').map((scope) => {
    if (isScope(scope)) return scope;
    throw new InvalidArgumentError(`"${scope}" is no scope: app, analyst, import, admin or brand:<id>.`);
  });
}

function print(keys: readonly ShownKey[]): void {
  for (const { id, name, scopes, createdAt, revokedAt } of keys) {
    const state = revokedAt === undefined ? `made ${createdAt}` : `revoked ${revokedAt}`;
    process.stdout.write(`${id}\t${scopes.join(',')}\t${state}\t${name}\n`);
  }
}

async function withKeys(command: Command, use: (keys: KeyBook) => Promise<void>): Promise<void> {
  const { url, key } = command.opts<Target>();
  if (url !== undefined) return use(overHttp(url, key ?? ''));
  const { eventLog } = readConfig();
  const log =
    eventLog.url === undefined ? await openEmbedded(eventLog.directory) : EventStoreDbEventLog.open(eventLog.url);
  try {
    const store = new ApiKeyStore(log, new SystemClock());
    await store.start(false);
    await use({
      list: async () => store.list(),
      create: (wanted) => store.create(wanted),
      revoke: (id) => store.revoke(id),
    });
  } finally {
    await log.close();
  }
}

async function openEmbedded(directory: string): Promise<EmbeddedEventLog> {
  try {
    return await EmbeddedEventLog.open(directory);
  } catch (error) {
    if (!(error instanceof LogLocked)) throw error;
    throw new Error(
      `${error.message}, a running service: say where it is (--url http://127.0.0.1:3000 --key <admin key>)`,
    );
  }
}

/** The keys of a running service, by its own API. */
function overHttp(url: string, key: string): KeyBook {
  const call = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url.replace(/\/+$/, '')}/v1/keys${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    const answer = text === '' ? undefined : (JSON.parse(text) as { code?: string; detail?: string });
    if (!response.ok)
      throw new Error(`${response.status} ${answer?.code ?? ''}: ${answer?.detail ?? 'no reason given'}`);
    return answer;
  };
  return {
    list: async () => ((await call('GET', '')) as { items: ShownKey[] }).items,
    create: async (wanted) => (await call('POST', '', wanted)) as { id: string; token: string },
    revoke: async (id) => {
      await call('DELETE', `/${encodeURIComponent(id)}`);
    },
  };
}
