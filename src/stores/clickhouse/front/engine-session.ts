// One connection of the engine, used by one statement at a time. Settings stick to a connection, so before each statement
// what it asks for is set and what an earlier one had asked for is put back.
import { type ChdbQueryStream, type ChdbResult, type RawInsertFormat, type RawInsertSummary, Session } from 'chdb';

export type Settings = ReadonlyMap<string, string>;

export interface RawInsert {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly format: RawInsertFormat;
  readonly body: Buffer;
}

const settingName = /^[a-z][a-z0-9_]{0,99}$/;
const parameterName = /^param_[A-Za-z_][A-Za-z0-9_]{0,99}$/;

/** Inserts are on disk when they are answered, and nothing but the caller's token decides what is a duplicate. */
const always: Settings = new Map([['async_insert', '0']]);

export class BadSetting extends Error {}

function literal(value: string): string {
  return `'${value.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

export class EngineSession {
  private readonly session: Session;
  private current: Settings = new Map();

  constructor(path: string) {
    this.session = new Session(path);
  }

  /** `settings` may hold bound parameters too, as `param_<name>`, in the text form of ClickHouse's HTTP interface. */
  private async apply(settings: Settings): Promise<void> {
    const wanted = new Map([...always, ...settings]);
    const changes: string[] = [];
    for (const [name, value] of wanted) {
      if (!settingName.test(name) && !parameterName.test(name)) throw new BadSetting(`not a setting: ${name}`);
      if (this.current.get(name) !== value) changes.push(`${name} = ${literal(value)}`);
    }
    for (const name of this.current.keys()) {
      // A bound parameter that is no longer named by any statement does no harm; a setting does.
      if (!wanted.has(name) && !name.startsWith('param_')) changes.push(`${name} = DEFAULT`);
    }
    if (changes.length === 0) return;
    // Unknown until it succeeds: a statement that fails in the middle may have set some of them.
    const before = this.current;
    this.current = new Map([...before, ...[...wanted.keys()].map((name) => [name, '\u0000'] as const)]);
    await this.session.queryAsync(`SET ${changes.join(', ')}`);
    this.current = wanted;
  }

  async query(sql: string, format: string, settings: Settings): Promise<ChdbResult> {
    await this.apply(settings);
    return this.session.queryAsync(sql, { format });
  }

  async stream(sql: string, format: string, settings: Settings): Promise<ChdbQueryStream> {
    await this.apply(settings);
    return this.session.queryStream(sql, { format });
  }

  async insert({ table, columns, format, body }: RawInsert, settings: Settings): Promise<RawInsertSummary> {
    await this.apply(settings);
    // A token sticks to a connection, even one given with the statement: each insert states its own, or that it has none.
    const token = { insert_deduplication_token: settings.get('insert_deduplication_token') ?? '' };
    return this.session.insert({ table, values: body, format, settings: token, ...(columns ? { columns } : {}) });
  }

  close(): void {
    this.session.close();
  }
}
