// What a request of ClickHouse's HTTP interface says: the statement, its settings, its parameters, its session.
import { codes, EngineException } from './exception.js';

export interface EngineRequest {
  /** The statement as far as the address and a form say it; rows or the rest of it may follow in the body. */
  readonly query: string;
  readonly queryId: string;
  readonly database: string | undefined;
  readonly defaultFormat: string;
  readonly settings: ReadonlyMap<string, string>;
  /** Values of `{name: Type}`, in the form the interface defines (escaped text). */
  readonly params: ReadonlyMap<string, string>;
  readonly sessionId: string | undefined;
  readonly sessionTimeoutSeconds: number;
  readonly compressAnswer: boolean;
}

const sessionTimeoutSecondsDefault = 60;
const sessionTimeoutSecondsMax = 3_600;
const settingName = /^[a-z][a-z0-9_]*$/i;

/** Names that speak to the HTTP interface and not to the engine. */
const interfaceNames = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'quota_key',
  'enable_http_compression',
  'http_zlib_compression_level',
  'wait_end_of_query',
  'buffer_size',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_write_exception_in_output_format',
  'client_protocol_version',
]);

/** `form` holds the parts of a multipart body; it may carry the query and its parameters, never settings. */
export function parseRequest(
  address: URLSearchParams,
  form: ReadonlyMap<string, string>,
  queryId: string,
): EngineRequest {
  const settings = new Map<string, string>();
  const params = new Map<string, string>();
  for (const [name, value] of address) {
    if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
    else if (name === 'role' || name === 'compress' || name === 'decompress') {
      throw new EngineException(
        codes.notImplemented,
        `The embedded engine does not support '${name}'.`,
        'NOT_IMPLEMENTED',
      );
    } else if (!interfaceNames.has(name)) {
      if (!settingName.test(name))
        throw new EngineException(codes.unknownSetting, `Unknown setting '${name}'.`, 'UNKNOWN_SETTING');
      settings.set(name, value);
    }
  }
  for (const [name, value] of form) if (name.startsWith('param_')) params.set(name.slice('param_'.length), value);
  for (const name of params.keys()) {
    if (!/^\w+$/.test(name))
      throw new EngineException(codes.badArguments, `Bad name of a parameter: '${name}'.`, 'BAD_ARGUMENTS');
  }
  const timeout = Number(address.get('session_timeout') ?? sessionTimeoutSecondsDefault);
  return {
    query: form.get('query') ?? address.get('query') ?? '',
    queryId,
    database: address.get('database') ?? undefined,
    defaultFormat: address.get('default_format') ?? 'TabSeparated',
    settings,
    params,
    sessionId: address.get('session_id') ?? undefined,
    sessionTimeoutSeconds: Math.min(
      Number.isFinite(timeout) ? timeout : sessionTimeoutSecondsDefault,
      sessionTimeoutSecondsMax,
    ),
    compressAnswer: address.get('enable_http_compression') === '1',
  };
}

/** The parts of a small multipart form by their names, as the official client sends long parameters. */
export function parseForm(contentType: string, body: Buffer): ReadonlyMap<string, string> {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (!boundary) throw new EngineException(codes.badArguments, 'A multipart form without a boundary.', 'BAD_ARGUMENTS');
  const parts = new Map<string, string>();
  for (const part of body.toString('utf8').split(`--${boundary}`).slice(1, -1)) {
    const head = part.indexOf('\r\n\r\n');
    const name = /name="([^"]*)"/.exec(part.slice(0, Math.max(head, 0)))?.[1];
    if (head < 0 || name === undefined)
      throw new EngineException(codes.badArguments, 'A malformed multipart form.', 'BAD_ARGUMENTS');
    parts.set(name, part.slice(head + 4, part.endsWith('\r\n') ? -2 : undefined));
  }
  return parts;
}
