// Environment → one frozen, typed Config. The only reader of process.env: everything else gets its slice by
// constructor. All bad variables are reported at once, and a HOMING_ name that does not exist is one of them, because
// a misspelt limit that is silently ignored is worse than a service that does not start.
import { join, resolve } from 'node:path';
import { keptMasterKey, type MasterKey, parseMasterKey, readMasterKeyFile } from './config/master-key.js';
import { type logLevels, type roles, type Values, variables } from './config/variables.js';

const minuteMs = 60_000;

export interface Config {
  readonly role: (typeof roles)[number];
  /** Absolute path. */
  readonly dataDir: string;
  readonly clock: 'system' | 'import';
  /** IANA name. */
  readonly timeZone: string;
  /** Members count in product analytics until they withdraw; otherwise once they have agreed. */
  readonly analyticsByDefault: boolean;
  /** Silence in ms after which an open purchase intent counts as abandoned, by how far it got. */
  readonly abandonedAfterMs: { readonly browse: number; readonly cart: number; readonly checkout: number };
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** True when this start made the key. */
  readonly masterKeyMade: boolean;
  readonly logLevel: (typeof logLevels)[number];
  readonly shutdownMsMax: number;
  readonly http: {
    readonly host: string;
    readonly port: number;
    /** Without a slash at its end; undefined: derive it from where the server listens. */
    readonly publicUrl: string | undefined;
    /** May hold `{contentId}`; undefined: links lead to the landing page. */
    readonly appUrl: string | undefined;
    readonly trustedProxies: readonly string[];
    readonly bodyBytesMax: number;
    readonly batchItemsMax: number;
    readonly readWaitMsMax: number;
    readonly rateKeyPerSecondMax: number;
    readonly rateMemberPerMinuteMax: number;
    readonly rateAddressPerMinuteMax: number;
  };
  readonly eventLog: {
    /** Undefined: embedded. */
    readonly url: string | undefined;
    readonly directory: string;
    readonly appendQueueBytesMax: number;
  };
  readonly redis: {
    /** Undefined: embedded. */
    readonly url: string | undefined;
    readonly directory: string;
    readonly readMsMax: number;
  };
  readonly clickhouse: {
    /** Undefined: embedded. */
    readonly url: string | undefined;
    readonly directory: string;
    readonly queriesMax: number;
    readonly queryMsMax: number;
    readonly queryBytesMax: number;
  };
  readonly projector: {
    readonly shards: number;
    readonly redisBatchEventsMax: number;
    readonly redisBatchBytesMax: number;
    readonly clickhouseChunkRowsMax: number;
    readonly clickhouseChunkMs: number;
  };
}

/** Every bad variable of an environment, one line each; values are never repeated, they may be secrets. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

type Given = Readonly<Record<string, string>>;

function collect(environment: Readonly<Record<string, string | undefined>>): { given: Given; unknown: string[] } {
  const given: Record<string, string> = {};
  const unknown: string[] = [];
  for (const [name, value] of Object.entries(environment)) {
    // Compose files pass an unset variable as an empty text.
    if (value === undefined || value === '') continue;
    if (Object.hasOwn(variables.shape, name)) given[name] = value;
    else if (name.startsWith('HOMING_')) unknown.push(name);
  }
  return { given, unknown };
}

/** What single variables cannot say about each other. */
function contradictions(given: Given): string[] {
  const problems: string[] = [];
  if (given['HOMING_MASTER_KEY'] && given['HOMING_MASTER_KEY_FILE']) {
    problems.push('HOMING_MASTER_KEY_FILE: give the key or its file, not both');
  }
  if (given['HOMING_EVENT_LOG'] && !given['HOMING_MASTER_KEY'] && !given['HOMING_MASTER_KEY_FILE']) {
    problems.push(
      'HOMING_MASTER_KEY: needed with a log server, because every process must use the same key; make one with `openssl rand -base64 32`',
    );
  }
  return problems;
}

function masterKeyOf(values: Values, dataDir: string): MasterKey {
  if (values.HOMING_MASTER_KEY) return { key: parseMasterKey(values.HOMING_MASTER_KEY) as Buffer, made: false };
  if (values.HOMING_MASTER_KEY_FILE) {
    const key = readMasterKeyFile(values.HOMING_MASTER_KEY_FILE);
    if (typeof key === 'string') throw new ConfigError([`HOMING_MASTER_KEY_FILE: ${key}`]);
    return { key, made: false };
  }
  const kept = keptMasterKey(dataDir);
  if (typeof kept === 'string') throw new ConfigError([`HOMING_DATA_DIR: ${kept}`]);
  return kept;
}

function assemble(values: Values, dataDir: string, masterKey: MasterKey): Config {
  return {
    role: values.HOMING_ROLE,
    dataDir,
    clock: values.HOMING_CLOCK,
    timeZone: values.HOMING_TIME_ZONE,
    analyticsByDefault: values.HOMING_PRODUCT_ANALYTICS === 'until-withdrawn',
    abandonedAfterMs: {
      browse: values.HOMING_ABANDONED_BROWSE_MINUTES * minuteMs,
      cart: values.HOMING_ABANDONED_CART_MINUTES * minuteMs,
      checkout: values.HOMING_ABANDONED_CHECKOUT_MINUTES * minuteMs,
    },
    masterKey: masterKey.key,
    masterKeyMade: masterKey.made,
    logLevel: values.HOMING_LOG_LEVEL,
    shutdownMsMax: values.HOMING_SHUTDOWN_MS_MAX,
    http: {
      host: values.HOMING_HOST,
      port: values.PORT,
      publicUrl: values.HOMING_PUBLIC_URL?.replace(/\/+$/, ''),
      appUrl: values.HOMING_APP_URL,
      trustedProxies: values.HOMING_TRUSTED_PROXIES.split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
      bodyBytesMax: values.HOMING_BODY_BYTES_MAX,
      batchItemsMax: values.HOMING_BATCH_ITEMS_MAX,
      readWaitMsMax: values.HOMING_READ_WAIT_MS_MAX,
      rateKeyPerSecondMax: values.HOMING_RATE_KEY_PER_SECOND_MAX,
      rateMemberPerMinuteMax: values.HOMING_RATE_MEMBER_PER_MINUTE_MAX,
      rateAddressPerMinuteMax: values.HOMING_RATE_ADDRESS_PER_MINUTE_MAX,
    },
    eventLog: {
      url: values.HOMING_EVENT_LOG,
      directory: join(dataDir, 'log'),
      appendQueueBytesMax: values.HOMING_APPEND_QUEUE_BYTES_MAX,
    },
    redis: {
      url: values.HOMING_REDIS,
      directory: join(dataDir, 'redis'),
      readMsMax: values.HOMING_REDIS_READ_MS_MAX,
    },
    clickhouse: {
      url: values.HOMING_CLICKHOUSE,
      directory: join(dataDir, 'clickhouse'),
      queriesMax: values.HOMING_CLICKHOUSE_QUERIES_MAX,
      queryMsMax: values.HOMING_CLICKHOUSE_QUERY_MS_MAX,
      queryBytesMax: values.HOMING_CLICKHOUSE_QUERY_BYTES_MAX,
    },
    projector: {
      shards: values.HOMING_PROJECTION_SHARDS,
      redisBatchEventsMax: values.HOMING_REDIS_BATCH_EVENTS_MAX,
      redisBatchBytesMax: values.HOMING_REDIS_BATCH_BYTES_MAX,
      clickhouseChunkRowsMax: values.HOMING_CLICKHOUSE_CHUNK_ROWS_MAX,
      clickhouseChunkMs: values.HOMING_CLICKHOUSE_CHUNK_MS,
    },
  };
}

/** Freezes objects and lists all the way down; bytes cannot be frozen and stay as they are. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

/**
 * Reads the configuration; the first start on an embedded data directory makes its master key.
 * @throws ConfigError that lists every bad variable.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const { given, unknown } = collect(environment);
  const parsed = variables.safeParse(given);
  const problems = [
    ...unknown.map((name) => `${name}: there is no such variable (docs/configuration.md lists them)`),
    ...(parsed.error?.issues ?? []).map((issue) => `${String(issue.path[0])}: ${issue.message}`),
    ...contradictions(given),
  ];
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const values = parsed.data;
  const dataDir = resolve(values.HOMING_DATA_DIR);
  return deepFreeze(assemble(values, dataDir, masterKeyOf(values, dataDir)));
}

/** The environment of this process with some variables set otherwise: for a child process. */
export function environmentWith(changes: Readonly<Record<string, string>>): Record<string, string | undefined> {
  return { ...process.env, ...changes };
}
