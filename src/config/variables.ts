// The table of environment variables: what each means, its unit, its default and its bounds. docs/configuration.md is
// held equal to it by a test, so that a limit cannot exist without being written down.
import { z } from 'zod';
import { parseMasterKey } from './master-key.js';

export const roles = ['all', 'api', 'projector', 'worker'] as const;
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Shown in docs/configuration.md, which a test holds equal to this table. */
interface VariableDoc {
  readonly about: string;
  readonly unit?: string;
  /** What happens when it is absent, where that is not a plain default. */
  readonly absent?: string;
}

type DocumentedVariable = VariableDoc & { readonly fallback?: string; readonly range?: string };

function whole(bounds: { min: number; max: number; fallback: number }, doc: VariableDoc): z.ZodType<number> {
  return z
    .string()
    .regex(/^[0-9]{1,15}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().min(bounds.min).max(bounds.max))
    .default(bounds.fallback)
    .meta({ ...doc, fallback: String(bounds.fallback), range: `${bounds.min} – ${bounds.max}` });
}

/** Shorter than the 30 days of silence that end an intent. */
function abandonmentBounds(fallback: number) {
  return { min: 1, max: 30 * 24 * 60 - 1, fallback };
}

function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
  fallback: Values[number],
  doc: VariableDoc,
) {
  return z
    .enum(values)
    .default(fallback as never)
    .meta({ ...doc, fallback, range: values.join(', ') });
}

/** Of a list of hosts each. */
function isUrl(text: string): boolean {
  const [first = '', ...hosts] = text.split(',');
  return URL.canParse(first) && hosts.every((host) => URL.canParse(`host://${host}`));
}

function urlOf(schemes: readonly string[], doc: VariableDoc) {
  return z
    .string()
    .refine(
      (text) => schemes.some((scheme) => text.startsWith(`${scheme}://`)),
      `expected ${schemes.join(':// or ')}://`,
    )
    .refine((text) => isUrl(text) || text.startsWith('esdb') || text.startsWith('kurrentdb'), 'not a URL')
    .optional()
    .meta({ ...doc, range: schemes.map((scheme) => `${scheme}://…`).join(', ') });
}

/** A redirect over plain HTTP would tell everybody on the way what somebody opens. */
function appUrl(doc: VariableDoc) {
  return z
    .string()
    .regex(/^https:\/\/[^{}/]+(?:[/?#]|$)/, 'expected https:// and a host without placeholders')
    .refine((url) => URL.canParse(url.replaceAll('{contentId}', 'x')), 'not a URL')
    .refine((url) => !/[{}]/.test(url.replaceAll('{contentId}', '')), 'the only placeholder is {contentId}')
    .optional()
    .meta({ ...doc, range: 'https://…, with or without {contentId}' });
}

function text(fallback: string, doc: VariableDoc) {
  return z
    .string()
    .default(fallback)
    .meta({ ...doc, fallback });
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

export const variables = z.object({
  PORT: whole(
    { min: 0, max: 65_535, fallback: 3_000 },
    { about: 'TCP port of the HTTP API and the dashboard; 0 takes a free one.' },
  ),
  HOMING_HOST: text('127.0.0.1', {
    about:
      'Address to listen on. Loopback by default, because API keys travel in clear text over plain HTTP: listen on 0.0.0.0 only inside a container network or behind a proxy that ends TLS.',
  }),
  HOMING_PUBLIC_URL: urlOf(['http', 'https'], {
    about: 'Address under which people reach this service; share links are made with it.',
    absent: 'the address it listens on',
  }),
  HOMING_APP_URL: appUrl({
    about:
      'Where a person who opens a share link goes on (302): the app’s web address or universal link. `{contentId}` in it becomes the id of what was shared; the id of the open is added as the query parameter `openId`. Preview bots get the landing page.',
    absent: 'everybody gets the landing page',
  }),
  HOMING_TRUSTED_PROXIES: text('', {
    about: 'Comma-separated addresses or CIDR ranges of proxies whose X-Forwarded-For is believed.',
    absent: 'none is believed',
  }),
  HOMING_DATA_DIR: text('./data', { about: 'Directory of the embedded engines; one process holds it at a time.' }),
  HOMING_ROLE: choice(roles, 'all', {
    about:
      'What this process does: everything, the HTTP API, the projections, or the jobs. The API needs a projector somewhere: without one nothing new is read and no friendship is made.',
  }),
  HOMING_EVENT_LOG: urlOf(['esdb', 'esdb+discover', 'kurrentdb', 'kurrentdb+discover'], {
    about: 'Connection string of EventStoreDB / KurrentDB.',
    absent: 'the embedded log in HOMING_DATA_DIR',
  }),
  HOMING_REDIS: urlOf(['redis', 'rediss', 'redis-cluster', 'rediss-cluster'], {
    about:
      'Redis 7+ or Valkey; `maxmemory-policy` must be `noeviction`. Of a Redis Cluster some of its nodes: redis-cluster://user:password@a:6379,b:6379,c:6379.',
    absent: 'a private redis-server child where the binary is on PATH, else a JavaScript Redis in memory',
  }),
  HOMING_CLICKHOUSE: urlOf(['http', 'https'], {
    about: 'ClickHouse server, as http://user:password@host:8123/database.',
    absent: 'chdb in a child process, data in HOMING_DATA_DIR',
  }),
  HOMING_CLOCK: choice(['system', 'import'], 'system', {
    about: 'Source of time. `import`: what the importer last said in the Homing-Now header (demo, backfills).',
  }),
  HOMING_TIME_ZONE: z
    .string()
    .refine(isTimeZone, 'not an IANA time zone')
    .default('UTC')
    .meta({
      about: 'IANA time zone in which calendar cuts (days, weeks) are made.',
      fallback: 'UTC',
      range: 'IANA names, such as Europe/Vienna',
    } satisfies DocumentedVariable),
  HOMING_PRODUCT_ANALYTICS: choice(['until-withdrawn', 'once-granted'], 'until-withdrawn', {
    about:
      'Whose doings the product team’s metrics count: everybody’s until they withdraw `product_analytics`, or only theirs who have granted it. It decides what is recorded from then on.',
  }),
  HOMING_ABANDONED_BROWSE_MINUTES: whole(abandonmentBounds(24 * 60), {
    unit: 'minutes',
    about: 'Silence after the last look at a product, or question about it, that counts as an abandoned intent.',
  }),
  HOMING_ABANDONED_CART_MINUTES: whole(abandonmentBounds(60), {
    unit: 'minutes',
    about: 'The same of a product that lies in a cart.',
  }),
  HOMING_ABANDONED_CHECKOUT_MINUTES: whole(abandonmentBounds(60), {
    unit: 'minutes',
    about: 'The same once a checkout was begun.',
  }),
  HOMING_MASTER_KEY: z
    .string()
    .refine((key) => parseMasterKey(key) !== undefined, 'expected 32 bytes as base64 or 64 hex digits')
    .optional()
    .meta({
      about:
        'Wraps the per-person keys of personal fields. Lose it and every personal text is lost; change it and nothing can be read.',
      absent:
        'with the embedded log: made once and kept in HOMING_DATA_DIR/master.key (mode 0600); with a log server: an error',
      range: '32 bytes as base64 or hex',
    } satisfies DocumentedVariable),
  HOMING_MASTER_KEY_FILE: z
    .string()
    .optional()
    .meta({
      about: 'A file that holds the master key (a mounted secret); instead of HOMING_MASTER_KEY.',
      absent: 'not read',
    } satisfies DocumentedVariable),
  HOMING_LOG_LEVEL: choice(logLevels, 'info', { about: 'Least severe log line that is written.' }),

  HOMING_APPEND_QUEUE_BYTES_MAX: whole(
    { min: 65_536, max: 4_294_967_296, fallback: 67_108_864 },
    { unit: 'bytes', about: 'Appends waiting for the log; over it a request gets 503 with Retry-After.' },
  ),
  HOMING_BODY_BYTES_MAX: whole(
    { min: 1_024, max: 67_108_864, fallback: 4_194_304 },
    { unit: 'bytes', about: 'Body of one HTTP request.' },
  ),
  HOMING_BATCH_ITEMS_MAX: whole(
    { min: 1, max: 10_000, fallback: 1_000 },
    { unit: 'items', about: 'Observations in one POST /v1/events.' },
  ),
  HOMING_READ_WAIT_MS_MAX: whole(
    { min: 0, max: 60_000, fallback: 2_000 },
    {
      unit: 'milliseconds',
      about: 'How long a query waits for the position it was asked to have passed before it answers `stale: true`.',
    },
  ),
  HOMING_REDIS_READ_MS_MAX: whole(
    { min: 50, max: 60_000, fallback: 5_000 },
    {
      unit: 'milliseconds',
      about: 'How long a query waits for an answer of Redis before it is answered 503 with Retry-After.',
    },
  ),
  HOMING_RATE_KEY_PER_SECOND_MAX: whole(
    { min: 1, max: 1_000_000, fallback: 5_000 },
    { unit: 'requests per second', about: 'Requests of one API key.' },
  ),
  HOMING_RATE_MEMBER_PER_MINUTE_MAX: whole(
    { min: 1, max: 1_000_000, fallback: 600 },
    { unit: 'requests per minute', about: 'Requests made with one member token (a person’s own device).' },
  ),
  HOMING_RATE_ADDRESS_PER_MINUTE_MAX: whole(
    { min: 1, max: 1_000_000, fallback: 600 },
    {
      unit: 'requests per minute',
      about: 'Requests without a key (share links, failed log-ins) of one network address.',
    },
  ),

  HOMING_PROJECTION_SHARDS: whole(
    { min: 1, max: 64, fallback: 1 },
    { unit: 'shards', about: 'Shards of each Redis projection; a change rebuilds them.' },
  ),
  HOMING_REDIS_BATCH_EVENTS_MAX: whole(
    { min: 1, max: 10_000, fallback: 500 },
    { unit: 'events', about: 'Events folded into one atomic Redis script.' },
  ),
  HOMING_REDIS_BATCH_BYTES_MAX: whole(
    { min: 65_536, max: 268_435_456, fallback: 8_388_608 },
    { unit: 'bytes', about: 'Arguments of one atomic Redis script.' },
  ),
  HOMING_CLICKHOUSE_CHUNK_ROWS_MAX: whole(
    { min: 1, max: 200_000, fallback: 20_000 },
    { unit: 'rows', about: 'Rows of one planned chunk of the ClickHouse sink.' },
  ),
  HOMING_CLICKHOUSE_CHUNK_MS: whole(
    { min: 10, max: 60_000, fallback: 1_000 },
    { unit: 'milliseconds', about: 'A chunk is closed this long after its first event though it is not full.' },
  ),
  HOMING_CLICKHOUSE_QUERIES_MAX: whole(
    { min: 1, max: 256, fallback: 8 },
    { unit: 'queries', about: 'Queries that run at the same time in the embedded engine; the rest wait in line.' },
  ),
  HOMING_CLICKHOUSE_QUERY_MS_MAX: whole(
    { min: 100, max: 600_000, fallback: 30_000 },
    { unit: 'milliseconds', about: 'Run time of one query (`max_execution_time`).' },
  ),
  HOMING_CLICKHOUSE_QUERY_BYTES_MAX: whole(
    { min: 16_777_216, max: 1_099_511_627_776, fallback: 1_073_741_824 },
    { unit: 'bytes', about: 'Memory of one query (`max_memory_usage`).' },
  ),
  HOMING_SHUTDOWN_MS_MAX: whole(
    { min: 100, max: 600_000, fallback: 20_000 },
    { unit: 'milliseconds', about: 'How long a clean stop may take before the process ends anyway.' },
  ),
});

export interface VariableDescription {
  readonly name: string;
  readonly about: string;
  readonly unit: string;
  readonly default: string;
  readonly values: string;
}

/** Every variable there is, in the order of the documentation. */
export function describeVariables(): readonly VariableDescription[] {
  return Object.entries(variables.shape).map(([name, schema]) => {
    const meta = (schema as z.ZodType).meta() as unknown as DocumentedVariable;
    return {
      name,
      about: meta.about,
      unit: meta.unit ?? '',
      default: meta.fallback || (meta.absent ?? ''),
      values: meta.range ?? '',
    };
  });
}

export type Values = z.infer<typeof variables>;
