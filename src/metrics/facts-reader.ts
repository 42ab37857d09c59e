// Reads the facts: which build readers read, how far it has come, and one bounded query at a time.
import type { ClickHouseClient } from '@clickhouse/client';
import { quoted } from './sql.js';

export interface FactsState {
  readonly build: number;
  readonly position: bigint;
  /** Everything the service knew of up to this instant is counted, milliseconds since 1970. */
  readonly completeUpToMs: number;
}

export interface FactsReaderOptions {
  readonly client: ClickHouseClient;
  readonly sink: string;
  readonly logId: string;
  readonly now: () => number;
  /** Position of the newest event of the log. */
  readonly head: () => Promise<bigint>;
  readonly queryMsMax: number;
  readonly queryBytesMax: number;
}

/** There is nothing that may be read: the projector has not made it yet, or makes it anew. */
export class FactsNotReady extends Error {
  constructor() {
    super('the facts are being built');
    this.name = 'FactsNotReady';
  }
}

/** How often waiting readers look whether the facts have come further, milliseconds. */
const lookEveryMs = 100;

/** The engine ends a query by itself; one that stands still does not: then it is waited for twice as long. */
const answerMsPerSecond = 2_000;

export class FactsReader {
  private looking: Promise<FactsState> | undefined;
  /** What was answered once is not taken back: a build that has just been switched to is waited for. */
  private furthest = 0n;

  constructor(private readonly options: FactsReaderOptions) {}

  /** @throws FactsNotReady */
  async state(): Promise<FactsState> {
    const { sink, logId, head, now } = this.options;
    const latest = await head();
    const rows = await this.rows<{ build: number; at_position: string; complete: string }>(
      `SELECT build, toString(max(position)) AS at_position, toString(toUnixTimestamp64Milli(max(complete_up_to))) AS complete
       FROM sink_progress WHERE sink = ${quoted(sink)} AND log_id = ${quoted(logId)} AND build =
         (SELECT argMax(build, activation) FROM sink_active WHERE sink = ${quoted(sink)}) GROUP BY build`,
    ).catch((error: unknown) => {
      if (isUnknownTable(error)) throw new FactsNotReady();
      throw error;
    });
    const [row] = rows;
    if (!row) throw new FactsNotReady();
    const position = BigInt(row.at_position);
    // They know more than the log, which was restored: they are counts of what never happened.
    if (position > latest && position > (await head())) throw new FactsNotReady();
    // Nothing in the log that is not counted: then it is complete up to now.
    const completeUpToMs = position >= latest ? Math.max(now(), Number(row.complete)) : Number(row.complete);
    return { build: Number(row.build), position, completeUpToMs };
  }

  /**
   * The state once it has passed a position, or as it is when the time is up; all waiters share one look at a time.
   * @throws FactsNotReady when there is nothing to read in time
   */
  async waitFor(position: bigint, waitMsMax: number): Promise<FactsState> {
    const deadline = performance.now() + waitMsMax;
    const wanted = position > this.furthest ? position : this.furthest;
    for (;;) {
      this.looking ??= this.state().finally(() => {
        this.looking = undefined;
      });
      const looked = await this.looking.catch((error: unknown) => {
        if (error instanceof FactsNotReady && performance.now() < deadline) return undefined;
        throw error;
      });
      if (looked && (looked.position >= wanted || performance.now() >= deadline)) {
        if (looked.position > this.furthest) this.furthest = looked.position;
        return looked;
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  }

  async rows<Row>(query: string): Promise<readonly Row[]> {
    const { client, queryMsMax, queryBytesMax } = this.options;
    const secondsMax = Math.ceil(queryMsMax / 1_000);
    const result = await client.query({
      query,
      format: 'JSONEachRow',
      abort_signal: AbortSignal.timeout(secondsMax * answerMsPerSecond),
      clickhouse_settings: {
        max_execution_time: secondsMax,
        max_memory_usage: String(queryBytesMax),
        max_bytes_before_external_group_by: String(Math.floor(queryBytesMax / 2)),
        max_threads: 2,
        output_format_json_quote_64bit_integers: 0,
      },
    });
    return result.json<Row>();
  }
}

/** ClickHouse's code 60, UNKNOWN_TABLE. */
function isUnknownTable(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === '60' || /Code: 60\b|UNKNOWN_TABLE/.test(message ?? '');
}
