// The HTTP face of the engine: what the official client sends, and nothing for a browser or a stranger. Loopback only,
// behind a random password.
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Transform, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip, type Gzip } from 'node:zlib';
import { isInsert } from '../sql-text.js';
import type { Answer, Engine } from './engine.js';
import { codes, EngineException, statusOf } from './exception.js';
import { parseForm, parseRequest } from './request.js';

const statementBytesMax = 16_777_216;
const insertBytesMax = 1_073_741_824;
const connectionsMax = 256;
/** Longer than the client keeps an idle connection, so that the client is the one to let go. */
const keepAliveMs = 30_000;
const compressionLevel = 3;
const displayName = 'homing-chdb';

export interface FrontOptions {
  readonly user: string;
  readonly password: string;
  /** Where rows of an insert lie until the engine has read them. */
  readonly bodyDirectory: string;
}

export class HttpFront {
  private readonly server: Server;
  private readonly credentials: Buffer;

  constructor(
    private readonly engine: Engine,
    private readonly options: FrontOptions,
  ) {
    this.credentials = digest(`${options.user}:${options.password}`);
    this.server = createServer(
      { keepAliveTimeout: keepAliveMs },
      (request, response) => void this.serve(request, response),
    );
    this.server.maxConnections = connectionsMax;
  }

  /** Gives the port. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    const address = this.server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** Takes no more connections; what is being answered goes on. */
  stop(): void {
    this.server.close();
    this.server.closeIdleConnections();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.on('error', () => {});
    if (
      url.pathname === '/ping' ||
      (url.pathname === '/' && request.method === 'GET' && !url.searchParams.has('query'))
    ) {
      request.resume();
      response.writeHead(200, { 'Content-Type': 'text/html; charset=UTF-8' }).end('Ok.\n');
      return;
    }
    const queryId = url.searchParams.get('query_id') ?? randomUUID();
    try {
      this.authenticate(request, url.searchParams);
      if (url.pathname !== '/')
        throw new EngineException(codes.badArguments, `There is no ${url.pathname}`, 'BAD_ARGUMENTS');
      const { answer, compress } = await this.answer(request, url.searchParams, queryId);
      await this.send(response, answer, queryId, compress && acceptsGzip(request));
    } catch (error) {
      await this.refuse(request, response, this.engine.exceptionOf(error), queryId);
    }
  }

  private authenticate(request: IncomingMessage, address: URLSearchParams): void {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const header = (name: string): string | undefined => request.headers[name]?.toString();
    const given = basic
      ? Buffer.from(basic, 'base64').toString('utf8')
      : [
          header('x-clickhouse-user') ?? address.get('user') ?? '',
          header('x-clickhouse-key') ?? address.get('password') ?? '',
        ].join(':');
    if (!timingSafeEqual(digest(given), this.credentials)) {
      const user = given.slice(0, given.indexOf(':')) || 'default';
      const detail = `${user}: Authentication failed: password is incorrect, or there is no user with such name.`;
      throw new EngineException(codes.authenticationFailed, detail, 'AUTHENTICATION_FAILED');
    }
  }

  private async answer(
    incoming: IncomingMessage,
    address: URLSearchParams,
    queryId: string,
  ): Promise<{ answer: Answer; compress: boolean }> {
    const contentType = incoming.headers['content-type'] ?? '';
    if (contentType.startsWith('multipart/form-data')) {
      const request = parseRequest(address, parseForm(contentType, await readBody(incoming)), queryId);
      return { answer: await this.engine.run(request, request.query), compress: request.compressAnswer };
    }
    const request = parseRequest(address, new Map(), queryId);
    if (isInsert(request.query)) {
      const answer = await this.withBodyFile(incoming, (file, bytes) =>
        bytes > 0 || !/\bselect\b/i.test(request.query)
          ? this.engine.insert(request, file)
          : this.engine.run(request, request.query),
      );
      return { answer, compress: request.compressAnswer };
    }
    const body = (await readBody(incoming)).toString('utf8');
    const statement = request.query !== '' && body !== '' ? `${request.query}\n${body}` : request.query + body;
    return { answer: await this.engine.run(request, statement), compress: request.compressAnswer };
  }

  /** Nothing is inserted before the last byte has come: a client that dies half-way leaves no half of its rows. */
  private async withBodyFile<T>(
    incoming: IncomingMessage,
    use: (file: string, bytes: number) => Promise<T>,
  ): Promise<T> {
    const file = join(this.options.bodyDirectory, randomUUID());
    const limit = limited(insertBytesMax);
    try {
      await pipeline([incoming, ...decoders(incoming), limit.stream, createWriteStream(file, { mode: 0o600 })]);
      return await use(file, limit.bytes());
    } catch (error) {
      if (error instanceof Error) error.message = error.message.replaceAll(file, '(the body)');
      throw error;
    } finally {
      await rm(file, { force: true });
    }
  }

  private headers(queryId: string, format: string): Record<string, string> {
    return {
      'Content-Type': contentTypeOf(format),
      'X-ClickHouse-Server-Display-Name': displayName,
      'X-ClickHouse-Query-Id': queryId,
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Timezone': 'UTC',
    };
  }

  private async send(response: ServerResponse, answer: Answer, queryId: string, compress: boolean): Promise<void> {
    const tag = randomBytes(8).toString('hex');
    response.writeHead(200, {
      ...this.headers(queryId, answer.format),
      'X-ClickHouse-Summary': summaryOf(answer),
      'X-ClickHouse-Exception-Tag': tag,
      ...(compress ? { 'Content-Encoding': 'gzip' } : {}),
    });
    const gzip = compress ? createGzip({ level: compressionLevel }) : undefined;
    if (gzip) gzip.pipe(response);
    const out: Writable = gzip ?? response;
    try {
      for await (const piece of answer.pieces) {
        if (response.destroyed) return;
        if (!out.write(piece)) await Promise.race([onceDrained(out), finished(response).catch(() => {})]);
      }
      out.end();
    } catch (error) {
      await breakOff(response, gzip, exceptionBlock(this.engine.exceptionOf(error), tag));
    }
  }

  private async refuse(
    request: IncomingMessage,
    response: ServerResponse,
    exception: EngineException,
    queryId: string,
  ): Promise<void> {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(statusOf(exception.code), {
      ...this.headers(queryId, 'TabSeparated'),
      'X-ClickHouse-Exception-Code': String(exception.code),
      // The rest of a body that is not wanted is not read either.
      ...(request.complete ? {} : { Connection: 'close' }),
    });
    response.end(`${exception.message} (version ${this.engine.version} (chdb))\n`);
    if (!request.complete) {
      request.resume();
      await finished(response).catch(() => {});
      request.destroy();
    }
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
}

function decoders(incoming: IncomingMessage): Transform[] {
  const encoding = incoming.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return [];
  if (encoding === 'gzip') return [createGunzip()];
  throw new EngineException(
    codes.notImplemented,
    `The embedded engine does not take Content-Encoding '${encoding}'.`,
    'NOT_IMPLEMENTED',
  );
}

function limited(bytesMax: number): { stream: Transform; bytes: () => number } {
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes <= bytesMax) return done(null, chunk);
      done(new EngineException(codes.requestTooLarge, `The body is over ${bytesMax} bytes.`, 'HTTP_REQUEST_TOO_LARGE'));
    },
  });
  return { stream, bytes: () => bytes };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const limit = limited(statementBytesMax);
  const collect = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  await pipeline([incoming, ...decoders(incoming), limit.stream, collect]);
  return Buffer.concat(chunks);
}

function onceDrained(out: Writable): Promise<void> {
  return new Promise((resolve) => out.once('drain', resolve));
}

function contentTypeOf(format: string): string {
  if (/^json/i.test(format)) return 'application/json; charset=UTF-8';
  if (/^csv/i.test(format)) return 'text/csv; charset=UTF-8; header=absent';
  if (/^(tab|tsv)/i.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  return 'application/octet-stream';
}

function summaryOf(answer: Answer): string {
  const summary = {
    read_rows: answer.rowsRead,
    read_bytes: 0,
    written_rows: answer.rowsWritten,
    written_bytes: 0,
    total_rows_to_read: 0,
    result_rows: answer.rowsWritten,
    result_bytes: 0,
    elapsed_ns: answer.elapsedNs,
  };
  return JSON.stringify(Object.fromEntries(Object.entries(summary).map(([name, value]) => [name, String(value)])));
}

/** An exception after rows have gone out, in the form that clients look for at the end of a stream. */
function exceptionBlock(exception: EngineException, tag: string): Buffer {
  const text = `${exception.message}\n`;
  return Buffer.from(`\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`);
}

/** Sends the last words and cuts the connection, so that a reader that does not look for them fails as well. */
async function breakOff(response: ServerResponse, gzip: Gzip | undefined, lastWords: Buffer): Promise<void> {
  if (gzip) {
    gzip.write(lastWords);
    await new Promise<void>((resolve) => gzip.flush(constants.Z_SYNC_FLUSH, () => resolve()));
  } else await new Promise<void>((resolve) => response.write(lastWords, () => resolve()));
  setImmediate(() => response.destroy());
}
