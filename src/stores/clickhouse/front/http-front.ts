// ClickHouse's HTTP interface over the engine in this process: as much of it as @clickhouse/client speaks, and no more.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Settings } from './engine-session.js';
import { exceptionOf, made } from './exception.js';
import type { SessionPool } from './session-pool.js';
import { isRead, parseInsertHead, splitFormat } from './statement.js';

/** Largest body of a request after decompression, bytes: one chunk of facts with room to spare. */
const bodyBytesMax = 256 * 1024 * 1024;
const statementBytesMax = 4 * 1024 * 1024;
/** URL parameters of the interface itself; all others are settings, or bound parameters (`param_…`). */
const reserved = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'role',
  'user',
  'password',
  'wait_end_of_query',
  'enable_http_compression',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'buffer_size',
  'compress',
  'decompress',
  'quota_key',
  'client_protocol_version',
]);

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

class BodyTooLarge extends Error {}

export function createFront(pool: SessionPool, credentials: Credentials): Server {
  const server = createServer((request, response) => {
    answer(request, response, pool, credentials).catch((error: unknown) => fail(response, error));
  });
  server.requestTimeout = 0;
  server.keepAliveTimeout = 30_000;
  return server;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  pool: SessionPool,
  credentials: Credentials,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://engine');
  if (request.method === 'GET' && url.pathname === '/ping') {
    response.setHeader('content-type', 'text/plain; charset=UTF-8').end('Ok.\n');
    return;
  }
  if (!allowed(request, url, credentials)) {
    const { status, code, text } = made(516, `${credentials.user}: Authentication failed`, 'AUTHENTICATION_FAILED');
    request.resume();
    response.writeHead(status, { 'x-clickhouse-exception-code': code, 'content-type': 'text/plain' }).end(text);
    return;
  }
  response.setHeader('x-clickhouse-query-id', url.searchParams.get('query_id') ?? '');
  response.setHeader('x-clickhouse-server-display-name', 'embedded');
  const inUrl = url.searchParams.get('query') ?? '';
  const head = parseInsertHead(inUrl);
  const settings = settingsOf(url);
  if (head) {
    const body = await readBody(request, bodyBytesMax);
    const began = process.hrtime.bigint();
    const done = await pool.write((session) => session.insert({ ...head, body }, settings));
    const rows = done.rowsSent ?? done.rowsWritten;
    summary(response, { written_rows: rows, written_bytes: done.bytesSent, result_rows: rows }, began);
    response.end();
    return;
  }
  const text = (await readBody(request, statementBytesMax)).toString('utf8');
  const sql = inUrl && text ? `${inUrl}\n${text}` : inUrl || text;
  await run(sql, settings, url.searchParams.get('default_format') ?? 'TabSeparated', { request, response, pool });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly pool: SessionPool;
}

async function run(statement: string, settings: Settings, defaultFormat: string, exchange: Exchange): Promise<void> {
  const { response, pool } = exchange;
  const began = process.hrtime.bigint();
  if (!isRead(statement)) {
    await pool.write(async (session) => {
      const result = await session.query(statement, defaultFormat, settings);
      summary(response, { read_rows: result.rowsRead, read_bytes: result.bytesRead }, began);
      response.end(result.bytes());
    });
    return;
  }
  const { sql, format, streamable } = splitFormat(statement, defaultFormat);
  await pool.read(async (session) => {
    response.setHeader('x-clickhouse-format', format);
    response.setHeader(
      'content-type',
      format.startsWith('JSON') ? 'application/json; charset=UTF-8' : 'text/plain; charset=UTF-8',
    );
    if (!streamable) {
      const result = await session.query(sql, format, settings);
      summary(response, { read_rows: result.rowsRead, read_bytes: result.bytesRead }, began);
      await send(exchange, [result.bytes()]);
      return;
    }
    const stream = await session.stream(sql, format, settings);
    try {
      const pieces = (async function* () {
        for await (const chunk of stream) yield chunk.raw();
      })();
      // The first piece is waited for before the head goes out, so that an error in the statement still has its status.
      const first = await pieces.next();
      summary(response, {}, began);
      await send(exchange, following(first, pieces));
    } finally {
      stream.cancel();
    }
  });
}

async function* following(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

async function send(
  { request, response }: Exchange,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  if (/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) {
    response.setHeader('content-encoding', 'gzip');
    await pipeline(pieces, createGzip({ level: 1 }), response);
  } else {
    await pipeline(pieces, response);
  }
}

function allowed(request: IncomingMessage, url: URL, { user, password }: Credentials): boolean {
  const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
  const header = request.headers['x-clickhouse-key'];
  const given = basic
    ? Buffer.from(basic, 'base64').toString('utf8')
    : `${request.headers['x-clickhouse-user'] ?? url.searchParams.get('user') ?? ''}:${header ?? url.searchParams.get('password') ?? ''}`;
  const expected = Buffer.from(`${user}:${password}`);
  const actual = Buffer.from(given);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function settingsOf(url: URL): Settings {
  const settings = new Map<string, string>();
  for (const [name, value] of url.searchParams) if (!reserved.has(name)) settings.set(name, value);
  return settings;
}

async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const source = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request;
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) throw new BodyTooLarge(`a body over ${bytesMax} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes);
}

function summary(response: ServerResponse, figures: Readonly<Record<string, number>>, began: bigint): void {
  const all = {
    read_rows: 0,
    read_bytes: 0,
    written_rows: 0,
    written_bytes: 0,
    total_rows_to_read: 0,
    result_rows: 0,
    result_bytes: 0,
    elapsed_ns: Number(process.hrtime.bigint() - began),
    ...figures,
  };
  const texts = Object.entries(all).map(([name, value]) => [name, String(value)] as const);
  response.setHeader('x-clickhouse-summary', JSON.stringify(Object.fromEntries(texts)));
}

function fail(response: ServerResponse, error: unknown): void {
  // Once the head is out the only honest end is to break the connection: the client must not take half an answer for one.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, code, text } =
    error instanceof BodyTooLarge ? { status: 413, code: 1000, text: error.message } : exceptionOf(error);
  response.removeHeader('content-encoding');
  response.writeHead(status, {
    'x-clickhouse-exception-code': code,
    'content-type': 'text/plain; charset=UTF-8',
    connection: 'close',
  });
  response.end(`${text}\n`);
}
