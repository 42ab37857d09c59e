// The engine's errors as ClickHouse's HTTP interface tells them: a code in a header, the text in the body, a status.
import { BadSetting } from './engine-session.js';
import { TooManyQueries } from './session-pool.js';

export interface Exception {
  readonly status: number;
  readonly code: number;
  readonly text: string;
}

/** Statuses of server/HTTP/exceptionCodeToHTTPStatus; every other code is 500. */
const statuses: Readonly<Record<number, number>> = {
  36: 400,
  38: 400,
  41: 400,
  47: 404,
  50: 404,
  57: 500,
  60: 404,
  62: 400,
  73: 404,
  81: 404,
  115: 404,
  117: 400,
  159: 408,
  202: 503,
  203: 503,
  241: 500,
  497: 403,
  516: 401,
};

export function exceptionOf(error: unknown): Exception {
  if (error instanceof TooManyQueries)
    return made(202, `Too many simultaneous queries: ${error.message}`, 'TOO_MANY_SIMULTANEOUS_QUERIES');
  if (error instanceof BadSetting) return made(115, error.message, 'UNKNOWN_SETTING');
  const message = error instanceof Error ? error.message : String(error);
  const code = Number(/Code: (\d+)/.exec(message)?.[1] ?? 0);
  if (code > 0) return { status: statuses[code] ?? 500, code, text: message };
  return made(1002, message, 'UNKNOWN_EXCEPTION');
}

export function made(code: number, message: string, name: string): Exception {
  return { status: statuses[code] ?? 500, code, text: `Code: ${code}. DB::Exception: ${message}. (${name})` };
}
