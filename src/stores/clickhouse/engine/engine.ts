// chdb behind the words of ClickHouse's HTTP interface. Every request has a session of its own (a new one costs a
// millisecond), because settings stick to a session: a deduplication token left behind would silently swallow the next
// insert. Parameters go in with `SET param_…`, which binds as the HTTP interface does and may run side by side; chdb's own
// binding call may not.
import { type ChdbQueryStream, type ChdbResult, drainPending, Session } from 'chdb';
import {
  canBeCutIntoPieces,
  formatOf,
  insertFromFile,
  isInsert,
  isSelect,
  quote,
  splitStatements,
} from '../sql-text.js';
import { codes, EngineException, toException } from './exception.js';
import { Lane } from './lane.js';
import type { EngineRequest } from './request.js';

export interface EngineLimits {
  /** Reads that run at the same time. */
  readonly queriesMax: number;
}

/** Inserts have a lane of their own, so that reads cannot starve the sink; more would only share the same disk. */
const insertsMax = 2;
const waitingMax = 256;
const sessionsMax = 64;
/** An answer that cannot be given piece by piece is held whole in memory. */
const wholeAnswerBytesMax = 268_435_456;
const errorNumberMax = 1_200;
/** The engine's own defaults assume a machine to itself: caches of 5 GB each, nine tenths of the memory. Bytes, and a share. */
const connectionArgs = [
  '--mark_cache_size=268435456',
  '--primary_index_cache_size=268435456',
  '--index_mark_cache_size=67108864',
  '--max_server_memory_usage_to_ram_ratio=0.6',
];

export interface Answer {
  readonly format: string;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly elapsedNs: number;
  /** In order; to be consumed or returned early, either of which frees the session. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

interface NamedSession {
  readonly session: Session;
  busy: boolean;
  expiry: NodeJS.Timeout | undefined;
}

export class Engine {
  private readonly reads: Lane;
  private readonly inserts = new Lane(insertsMax, waitingMax);
  private readonly named = new Map<string, NamedSession>();

  private constructor(
    private readonly path: string,
    /** Keeps the engine itself open while sessions come and go. */
    private readonly base: Session,
    limits: EngineLimits,
    readonly version: string,
    private readonly errorNames: ReadonlyMap<number, string>,
  ) {
    this.reads = new Lane(limits.queriesMax, waitingMax);
  }

  /** @throws Error; `Code: 76` when another process has the directory open. */
  static async open(path: string, limits: EngineLimits): Promise<Engine> {
    const base = new Session(path, { connectionArgs });
    const version = (await base.queryAsync('SELECT version()', { format: 'TabSeparated' })).text().trim();
    const names = await base.queryAsync(
      `SELECT number, errorCodeToName(toUInt32(number)) FROM numbers(${errorNumberMax}) WHERE errorCodeToName(toUInt32(number)) != ''`,
      { format: 'TabSeparated' },
    );
    const errorNames = new Map<number, string>();
    for (const line of names.text().split('\n')) {
      const [code, name] = line.split('\t');
      if (code && name) errorNames.set(Number(code), name);
    }
    return new Engine(path, base, limits, version, errorNames);
  }

  /** Any failure as ClickHouse would tell it. */
  exceptionOf(error: unknown): EngineException {
    return toException(error, (code) => this.errorNames.get(code) ?? 'UNKNOWN_EXCEPTION');
  }

  /** Rows that were sent with an INSERT lie in a file: whole, or the request would not have come this far. */
  async insert(request: EngineRequest, bodyFile: string): Promise<Answer> {
    const statement = insertFromFile(request.query, bodyFile);
    if (!statement) {
      throw new EngineException(
        codes.notImplemented,
        'The embedded engine takes rows for INSERT … FORMAT or INSERT … VALUES only.',
        'NOT_IMPLEMENTED',
      );
    }
    return await this.inLane(this.inserts, request, async (session, leave) => {
      const result = await session.queryAsync(statement);
      await leave();
      return { ...wholeAnswer(result, 'Null'), rowsWritten: result.rowsRead };
    });
  }

  /** Any other statement. @throws EngineException, also before the first piece of an answer that comes piece by piece. */
  async run(request: EngineRequest, statement: string): Promise<Answer> {
    // The rows of an inline INSERT may hold semicolons.
    const writes = isInsert(statement);
    if (!writes && splitStatements(statement).length > 1) {
      throw new EngineException(codes.syntaxError, 'Syntax error: Multi-statements are not allowed', 'SYNTAX_ERROR');
    }
    const format = formatOf(statement) ?? request.defaultFormat;
    return await this.inLane(writes ? this.inserts : this.reads, request, async (session, leave) => {
      if (isSelect(statement) && canBeCutIntoPieces(format)) {
        return await piecewiseAnswer(session.queryStream(statement, { format }), format, leave);
      }
      await session.queryAsync(`SET max_result_bytes = ${wholeAnswerBytesMax}`);
      const result = await session.queryAsync(statement, { format });
      await leave();
      return wholeAnswer(result, format);
    });
  }

  /** Runs `act` in a session with the request's settings; `leave` gives both back, and a failure does so by itself. */
  private async inLane(
    lane: Lane,
    request: EngineRequest,
    act: (session: Session, leave: () => Promise<void>) => Promise<Answer>,
  ): Promise<Answer> {
    const out = await lane.enter();
    let release: () => Promise<void> = async () => {};
    const leave = async (): Promise<void> => {
      await release();
      out();
    };
    try {
      const taken = await this.takeSession(request);
      release = taken.release;
      return await act(taken.session, leave);
    } catch (error) {
      await leave();
      throw this.exceptionOf(error);
    }
  }

  private async takeSession(request: EngineRequest): Promise<{ session: Session; release: () => Promise<void> }> {
    if (request.sessionId !== undefined) return await this.takeNamedSession(request, request.sessionId);
    const session = new Session(this.path);
    try {
      await prepare(session, request);
    } catch (error) {
      session.close();
      throw error;
    }
    return { session, release: async () => session.close() };
  }

  /** Keeps what its statements SET, and none of what a single request's address set. */
  private async takeNamedSession(
    request: EngineRequest,
    id: string,
  ): Promise<{ session: Session; release: () => Promise<void> }> {
    const known = this.named.get(id);
    if (known?.busy)
      throw new EngineException(
        codes.sessionIsLocked,
        `Session ${id} is locked by a concurrent client.`,
        'SESSION_IS_LOCKED',
      );
    if (!known && this.named.size >= sessionsMax) {
      throw new EngineException(
        codes.tooManyQueries,
        `There are ${sessionsMax} sessions already.`,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
      );
    }
    const entry: NamedSession = known ?? { session: new Session(this.path), busy: true, expiry: undefined };
    entry.busy = true;
    clearTimeout(entry.expiry);
    this.named.set(id, entry);
    const release = async (): Promise<void> => {
      if (restore !== '') await entry.session.queryAsync(restore);
      entry.busy = false;
      entry.expiry = setTimeout(() => {
        this.named.delete(id);
        entry.session.close();
      }, request.sessionTimeoutSeconds * 1_000).unref();
    };
    let restore = '';
    try {
      restore = await restoring(entry.session, request.settings);
      await prepare(entry.session, request);
    } catch (error) {
      await release();
      throw error;
    }
    return { session: entry.session, release };
  }

  get idle(): boolean {
    return this.reads.idle && this.inserts.idle;
  }

  /** Waits for what the engine still does, and closes its files. */
  async close(): Promise<void> {
    for (const { session, expiry } of this.named.values()) {
      clearTimeout(expiry);
      session.close();
    }
    await drainPending();
    this.base.close();
    await drainPending();
  }
}

async function prepare(session: Session, request: EngineRequest): Promise<void> {
  const sets: string[] = [];
  for (const [name, value] of request.settings) sets.push(`${name} = ${quote(value)}`);
  for (const [name, value] of request.params) sets.push(`param_${name} = ${quote(value)}`);
  const use = request.database === undefined ? '' : `USE \`${request.database.replace(/[\\`]/g, '\\$&')}\`; `;
  const script = use + (sets.length > 0 ? `SET ${sets.join(', ')}` : '');
  if (script !== '') await session.queryAsync(script);
}

/** The statement that puts the session's settings back to what they are now. */
async function restoring(session: Session, settings: ReadonlyMap<string, string>): Promise<string> {
  if (settings.size === 0) return '';
  const names = [...settings.keys()].map(quote).join(', ');
  const rows = await session.queryAsync(`SELECT name, value FROM system.settings WHERE name IN (${names})`, {
    format: 'JSONCompactEachRow',
  });
  const sets = rows
    .text()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as [string, string])
    .map(([name, value]) => `${name} = ${quote(value)}`);
  return sets.length > 0 ? `SET ${sets.join(', ')}` : '';
}

function wholeAnswer(result: ChdbResult, format: string): Answer {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield result.bytes();
  }
  return {
    format,
    rowsRead: result.rowsRead,
    rowsWritten: 0,
    elapsedNs: Math.round(result.elapsed * 1e9),
    pieces: pieces(),
  };
}

/** Waits for the first piece, so that a statement that fails at once fails before an answer has begun. */
async function piecewiseAnswer(stream: ChdbQueryStream, format: string, leave: () => Promise<void>): Promise<Answer> {
  const iterator = stream[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value.raw();
    } finally {
      stream.cancel();
      await leave();
    }
  }
  return { format, rowsRead: 0, rowsWritten: 0, elapsedNs: 0, pieces: pieces() };
}
