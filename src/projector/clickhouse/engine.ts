// How the sink speaks to ClickHouse: the settings under which an insert is exactly one insert, and bounded reads. The
// same client serves the embedded engine and a server.
import { Readable } from 'node:stream';
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client';

/** Largest memory of one check or repair in the engine, bytes; beyond half of it a grouping goes to disk. */
const queryMemoryBytesMax = 2_000_000_000;
/** Longest check or repair, seconds. */
const querySecondsMax = 600;

/**
 * One block, one part, no parallel parsing that could cut it elsewhere the next time; the views take part in the
 * deduplication, so that a replay fills what a crash left empty and doubles nothing.
 */
const insertSettings: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  max_insert_threads: '1',
  max_insert_block_size: '10000000',
  max_block_size: '10000000',
  input_format_parallel_parsing: 0,
  min_insert_block_size_rows: '0',
  min_insert_block_size_bytes: '0',
  parallel_view_processing: 0,
};

const querySettings: ClickHouseSettings = {
  max_execution_time: querySecondsMax,
  max_memory_usage: String(queryMemoryBytesMax),
  max_bytes_before_external_group_by: String(queryMemoryBytesMax / 2),
};

export class Engine {
  /** @param readMsMax how long a read waits for its answer, where somebody waits for it; absent: as long as it may run */
  constructor(
    private readonly client: ClickHouseClient,
    private readonly readMsMax?: number,
  ) {}

  /** Lines of TabSeparated text into the named columns, under a token: the same token is the same insert. */
  async insertText(table: string, columns: readonly string[], pieces: readonly Buffer[], token: string): Promise<void> {
    await this.client.insert({
      table,
      columns: columns as [string, ...string[]],
      values: Readable.from(pieces, { objectMode: false }),
      format: 'TabSeparated',
      clickhouse_settings: { ...insertSettings, insert_deduplication_token: token },
    });
  }

  /** `INSERT INTO … SELECT …` within the engine, under a token. */
  async insertSelect(table: string, columns: readonly string[], select: string, token: string): Promise<void> {
    await this.client.command({
      query: `INSERT INTO ${table} (${columns.join(', ')}) ${select}`,
      clickhouse_settings: { ...querySettings, ...insertSettings, insert_deduplication_token: token },
    });
  }

  async command(query: string): Promise<void> {
    await this.client.command({ query, clickhouse_settings: { ...querySettings, mutations_sync: '2' } });
  }

  async rows<Row>(query: string): Promise<Row[]> {
    const result = await this.client.query({
      query,
      format: 'JSONEachRow',
      clickhouse_settings: querySettings,
      ...(this.readMsMax === undefined ? {} : { abort_signal: AbortSignal.timeout(this.readMsMax) }),
    });
    return result.json<Row>();
  }

  /** The first row. */
  async row<Row>(query: string): Promise<Row | undefined> {
    const [row] = await this.rows<Row>(query);
    return row;
  }
}

/** A validated literal: text in single quotes. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
}

/** ClickHouse's code 60. */
export function isUnknownTable(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === '60' || /Code: 60\b|UNKNOWN_TABLE/.test(message ?? '');
}
