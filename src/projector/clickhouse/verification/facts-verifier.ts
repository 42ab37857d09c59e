// Compares a build of the facts with the log: every row of the fact table by its text, and every roll-up with what its view
// makes of the fact table. The projector may go on writing meanwhile.
import { differencesToldMax } from '../../operation/verifier.js';
import type { PlannedSource } from '../chunk/chunk-stream.js';
import type { FactTables } from '../tables/fact-tables.js';
import { digestOf, finalised, type RollUpShape } from '../tables/roll-up-check.js';
import { FactRows } from './fact-rows.js';
import { Findings, type TableReport } from './findings.js';
import { differencesWhenStill } from './still.js';

/** Rows of a roll-up compared in one query; a larger one is compared in parts. */
const rowsPerPart = 2_000_000;
export interface FactsVerifierOptions extends PlannedSource {
  readonly tables: FactTables;
}

export class FactsVerifier {
  constructor(private readonly options: FactsVerifierOptions) {}

  /** One report for each table. @throws Error when a roll-up is never still enough to be compared */
  async verify(signal?: AbortSignal): Promise<readonly TableReport[]> {
    const { tables } = this.options;
    // What is planned beyond the mark may not be carried out yet: it is left for the next time.
    const upTo = (await tables.progress())?.position ?? 0n;
    const rows = await new FactRows(this.options, tables).compare(upTo, signal);
    const reports = [rows.report(tables.schema.factTable)];
    for (const shape of await tables.rollUps()) reports.push(await this.rollUp(shape, signal));
    return reports;
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
      const look = async () => {
        const same = (await digestOf(engine, shape, sides.found)) === (await digestOf(engine, shape, sides.expected));
        return same ? [] : [shape.rollUp.table];
      };
      const different = await differencesWhenStill(this.options, look);
      if (different.length > 0) await this.cellsOf(shape, sides, findings);
    }
    return findings.report(shape.rollUp.table);
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
