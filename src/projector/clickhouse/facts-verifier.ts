// Compares a build of the facts with the log: every row of the fact table by its text, and every roll-up with what its view
// makes of the fact table. The projector may go on writing meanwhile.
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLogReader } from '../../event-log/event-log.js';
import { type Difference, differencesToldMax } from '../operation/verifier.js';
import type { Chunk, FactSource } from './chunk/chunk.js';
import { chunkOfPlan, type Decode } from './chunk/chunk-stream.js';
import { allPlans, type ChunkPlan } from './chunk/plan-log.js';
import { digestOfLines, type FactTables, rowsDigest, storedColumns } from './tables/fact-tables.js';
import { digestOf, finalised, type RollUpShape } from './tables/roll-up-check.js';

/** Chunks looked up in one query. */
const chunksPerQuery = 500;
/** Rows of a roll-up compared in one query; a larger one is compared in parts. */
const rowsPerPart = 2_000_000;
/** A roll-up that is being written to is looked at so often before it is said that it cannot be compared. */
const looksMax = 50;
const lookEveryMs = 100;

export interface FactsVerifierOptions {
  readonly log: EventLogReader;
  readonly tables: FactTables;
  readonly source: FactSource;
  readonly decode: Decode;
  /** Of plans, of this build. */
  readonly stream: string;
}

export interface TableReport {
  readonly table: string;
  readonly compared: number;
  readonly differences: number;
  readonly told: readonly Difference[];
}

class Findings {
  compared = 0;
  differences = 0;
  readonly told: Difference[] = [];
  add(difference: Difference): void {
    this.differences += 1;
    if (this.told.length < differencesToldMax) this.told.push(difference);
  }
  report(table: string): TableReport {
    return { table, compared: this.compared, differences: this.differences, told: this.told };
  }
}

interface StoredChunk {
  readonly rows: number;
  readonly digest: string;
}

export class FactsVerifier {
  constructor(private readonly options: FactsVerifierOptions) {}

  /** One report for each table. @throws Error when a roll-up is never still enough to be compared */
  async verify(signal?: AbortSignal): Promise<readonly TableReport[]> {
    const reports = [await this.facts(signal)];
    for (const shape of await this.options.tables.rollUps()) reports.push(await this.rollUp(shape, signal));
    return reports;
  }

  /** Rows against the log, chunk by chunk; a chunk whose plan is not carried out yet is left for the next time. */
  private async facts(signal: AbortSignal | undefined): Promise<TableReport> {
    const { log, tables, stream } = this.options;
    const findings = new Findings();
    const upTo = (await tables.progress())?.position ?? 0n;
    const retried = await this.retriedChunks();
    const planned = new Map<bigint, ChunkPlan>();
    let from = 0n;
    for await (const plan of allPlans(log, stream)) {
      if (plan.to > upTo) break;
      // A chunk that was planned again after a repair is the same chunk.
      planned.set(plan.id, plan);
      if (planned.size < chunksPerQuery || plan.only) continue;
      await this.page(planned, findings, signal);
      await this.strangers({ from, to: plan.to }, new Set([...planned.keys(), ...retried]), findings);
      from = plan.to + 1n;
      planned.clear();
    }
    await this.page(planned, findings, signal);
    await this.strangers({ from, to: upTo }, new Set([...planned.keys(), ...retried]), findings);
    return findings.report(tables.schema.factTable);
  }

  /** Chunks of parked events that were taken in later: they stand among older ones. */
  private async retriedChunks(): Promise<readonly bigint[]> {
    const ids: bigint[] = [];
    for await (const plan of allPlans(this.options.log, this.options.stream)) if (plan.only) ids.push(plan.id);
    return ids;
  }

  private async page(
    plans: ReadonlyMap<bigint, ChunkPlan>,
    findings: Findings,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (plans.size === 0) return;
    const stored = await this.storedChunks([...plans.keys()]);
    for (const plan of plans.values()) {
      signal?.throwIfAborted();
      const { log, source, decode } = this.options;
      const chunk = await chunkOfPlan(log, source, decode, plan);
      if (!chunk) {
        findings.add({ at: `plan of chunk ${plan.id}`, expected: `${plan.rows} rows`, found: 'other rows in the log' });
        continue;
      }
      findings.compared += chunk.rows;
      const pieces = chunk.parts.flatMap((part) => part.pieces);
      const there = stored.get(plan.id);
      const same = chunk.rows === 0 ? !there : there?.rows === chunk.rows && there.digest === digestOfLines(pieces);
      if (!same) await this.rowsOf(chunk, findings);
    }
  }

  private async storedChunks(ids: readonly bigint[]): Promise<ReadonlyMap<bigint, StoredChunk>> {
    const { tables, source } = this.options;
    const rows = await tables.engine.rows<{ id: string; rows: string; digest: string }>(
      `SELECT toString(chunk) AS id, toString(count()) AS rows, ${rowsDigest(storedColumns(source))} AS digest
       FROM ${tables.schema.factTable} WHERE chunk IN (${ids.join(', ')}) GROUP BY chunk`,
    );
    return new Map(
      rows.map(({ id, rows: count, digest }) => [
        BigInt(id),
        { rows: Number(count), digest: digest.padStart(16, '0') },
      ]),
    );
  }

  /** Which rows of a chunk differ: lines as a multiset, since a doubled row is a difference too. */
  private async rowsOf(chunk: Chunk, findings: Findings): Promise<void> {
    const { tables, source } = this.options;
    const found = await tables.engine.rows<{ line: string }>(
      `SELECT formatRow('TabSeparated', ${storedColumns(source).join(', ')}) AS line FROM ${tables.schema.factTable} WHERE chunk = ${chunk.id}`,
    );
    const counts = new Map<string, number>();
    const count = (line: string, by: number) => counts.set(line, (counts.get(line) ?? 0) + by);
    for (const { line } of found) count(line.replace(/\n$/, ''), -1);
    for (const piece of chunk.parts.flatMap((part) => part.pieces)) {
      for (const line of piece.toString('utf8').split('\n')) if (line !== '') count(line, 1);
    }
    for (const [line, difference] of counts) {
      if (difference === 0) continue;
      const at = `position ${line.slice(0, line.indexOf('\t'))}, chunk ${chunk.id}`;
      const times = `${Math.abs(difference)} × ${line}`;
      findings.add(
        difference > 0 ? { at, expected: times, found: undefined } : { at, expected: undefined, found: times },
      );
    }
  }

  /** Rows of chunks that nobody planned, in a span of the log. */
  private async strangers(
    { from, to }: { readonly from: bigint; readonly to: bigint },
    planned: ReadonlySet<bigint>,
    findings: Findings,
  ): Promise<void> {
    const { tables } = this.options;
    const found = await tables.engine.rows<{ id: string }>(
      `SELECT DISTINCT toString(chunk) AS id FROM ${tables.schema.factTable} WHERE chunk >= ${from} AND chunk <= ${to}`,
    );
    for (const { id } of found) {
      if (planned.has(BigInt(id))) continue;
      findings.add({ at: `chunk ${id}`, expected: undefined, found: 'rows that nobody planned' });
    }
  }

  private async rollUp(shape: RollUpShape, signal: AbortSignal | undefined): Promise<TableReport> {
    const findings = new Findings();
    const { engine, schema } = this.options.tables;
    const size = await engine.row<{ rows: string }>(`SELECT toString(count()) AS rows FROM ${shape.rollUp.table}`);
    findings.compared = Number(size?.rows);
    const parts = 1 + Math.floor(findings.compared / rowsPerPart);
    const keys = shape.sortingKey;
    for (let part = 0; part < parts; part += 1) {
      signal?.throwIfAborted();
      const only = parts === 1 ? '' : ` WHERE sipHash64(${keys}) % ${parts} = ${part}`;
      const found = `(${finalised(shape, shape.rollUp.table)})`;
      const expected = `(${finalised(shape, `(${shape.rollUp.select(schema.factTable)})`)})`;
      const sides = { found: `SELECT * FROM ${found}${only}`, expected: `SELECT * FROM ${expected}${only}` };
      if (await this.isStillDifferent(shape, sides)) await this.cellsOf(shape, sides, findings);
    }
    return findings.report(shape.rollUp.table);
  }

  /** Compares until both sides are equal, or different while nobody writes. */
  private async isStillDifferent(
    shape: RollUpShape,
    sides: { readonly found: string; readonly expected: string },
  ): Promise<boolean> {
    const { engine } = this.options.tables;
    for (let look = 0; look < looksMax; look += 1) {
      const before = await this.quietAt();
      const found = await digestOf(engine, shape, sides.found);
      if (found === (await digestOf(engine, shape, sides.expected))) return false;
      if (before !== undefined && before === (await this.quietAt())) return true;
      await sleep(lookEveryMs);
    }
    throw new Error(`${shape.rollUp.table} is written to all the time: verify when there is less to do`);
  }

  /** The last plan when it is carried out; undefined while one is being carried out. */
  private async quietAt(): Promise<number | undefined> {
    const { log, tables, stream } = this.options;
    const progress = await tables.progress();
    for await (const page of log.readStream(stream, { direction: 'backwards', limit: 1 })) {
      const [event] = page;
      if (event) return progress?.planRevision === event.revision ? event.revision : undefined;
    }
    return -1;
  }

  private async cellsOf(
    shape: RollUpShape,
    { found, expected }: { readonly found: string; readonly expected: string },
    findings: Findings,
  ): Promise<void> {
    const { engine } = this.options.tables;
    const text = `formatRow('TabSeparated', ${shape.columns.map(({ name }) => name).join(', ')}) AS line`;
    const only = (a: string, b: string) =>
      `SELECT ${text} FROM (${a}) WHERE line NOT IN (SELECT ${text} FROM (${b})) LIMIT ${differencesToldMax}`;
    for (const { line } of await engine.rows<{ line: string }>(only(expected, found))) {
      findings.add({ at: shape.rollUp.table, expected: line.trimEnd(), found: undefined });
    }
    for (const { line } of await engine.rows<{ line: string }>(only(found, expected))) {
      findings.add({ at: shape.rollUp.table, expected: undefined, found: line.trimEnd() });
    }
  }
}
