// The tables and views of projections/clickhouse as data: what to create for a build, and, for the checks and repairs,
// each roll-up's own SELECT, so that a roll-up and its repair can never be two different texts.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** A materialized view over the fact table and the table it fills. */
export interface RollUp {
  /** Without the build: `share_facts`. */
  readonly name: string;
  readonly table: string;
  readonly view: string;
  /** What the view makes of rows of the fact table; `from` replaces the fact table. */
  readonly select: (from: string) => string;
  /** Filled by sums: twice is wrong, repaired by the month. Otherwise twice is once. */
  readonly additive: boolean;
}

export interface FactSchema {
  readonly statements: readonly string[];
  readonly rollUps: readonly RollUp[];
  readonly factTable: string;
}

const directory = new URL('../../../../projections/clickhouse/', import.meta.url);

function files(): readonly string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => readFileSync(new URL(name, directory), 'utf8'));
}

function withoutComments(sql: string): string {
  return sql
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n');
}

/** The statements of a build. Build 1 is the files' own text; another build has another number behind its names. */
export function factSchema(build: number, timeZone: string): FactSchema {
  if (!Number.isInteger(build) || build < 1) throw new RangeError(`a build is 1, 2, 3 …, not ${build}`);
  if (!/^[A-Za-z0-9_+/-]+$/.test(timeZone)) throw new RangeError(`not the name of a time zone: ${timeZone}`);
  const statements = files()
    .flatMap((text) => withoutComments(text).split(/;\s*(?:\n|$)/))
    .map((statement) => statement.trim().replaceAll(/_v1\b/g, `_v${build}`).replaceAll('HOMING_TIME_ZONE', timeZone))
    .filter((statement) => statement !== '');
  const factTable = `event_facts_v${build}`;
  return { statements, factTable, rollUps: statements.flatMap((text) => rollUp(text, statements, factTable)) };
}

function rollUp(statement: string, all: readonly string[], factTable: string): readonly RollUp[] {
  const match = /^CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS\s+([\s\S]+)$/.exec(statement);
  const [, view, table, select] = match ?? [];
  if (!view || !table || !select) return [];
  const made = all.find((text) => text.startsWith(`CREATE TABLE IF NOT EXISTS ${table}\n`));
  if (!made) throw new Error(`${view}: no CREATE TABLE ${table} in projections/clickhouse`);
  const pieces = select.split(`FROM ${factTable}`);
  if (pieces.length !== 2) throw new Error(`${view}: expected FROM ${factTable} once`);
  return [
    {
      name: table.replace(/_v\d+$/, ''),
      table,
      view,
      select: (from) => pieces.join(`FROM ${from}`),
      additive: /SimpleAggregateFunction\(sum,/.test(made),
    },
  ];
}

/** What a build was made with: another text, time zone or version of the rows asks for another build. */
export function fingerprint(timeZone: string, rowVersion: number): string {
  const hash = createHash('sha256').update(`${rowVersion}\n${timeZone}\n`);
  for (const text of files()) hash.update(withoutComments(text));
  return hash.digest('hex').slice(0, 16);
}
