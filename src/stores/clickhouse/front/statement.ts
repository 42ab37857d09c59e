// What the front must know of a statement before it is run: does it write, does data follow, in which format it answers.
// Everything else is the engine's business.
import type { RawInsertFormat } from 'chdb';

export interface InsertHead {
  readonly table: string;
  readonly columns: readonly string[] | undefined;
  readonly format: RawInsertFormat;
}

const rawFormats: readonly RawInsertFormat[] = [
  'JSONEachRow',
  'JSONCompactEachRow',
  'CSV',
  'CSVWithNames',
  'TabSeparated',
  'TabSeparatedWithNames',
  'TSV',
  'TSVWithNames',
];
/** Formats whose rows stand alone, so that an answer may be sent while the query still runs. */
const streamable = new Set(['JSONEachRow', 'JSONCompactEachRow', 'CSV', 'TabSeparated', 'TSV', 'JSONStringsEachRow']);

const identifier = '[`"]?[A-Za-z_][A-Za-z0-9_]*[`"]?(?:\\.[`"]?[A-Za-z_][A-Za-z0-9_]*[`"]?)?';
const insertHead = new RegExp(
  `^INSERT\\s+INTO\\s+(?:TABLE\\s+)?(${identifier})\\s*(?:\\(([^)]*)\\))?\\s*FORMAT\\s+(\\w+)\\s*$`,
  'i',
);
const formatClause = /\bFORMAT\s+(\w+)\s*;?\s*$/i;

function bare(name: string): string {
  return name.trim().replaceAll(/[`"]/g, '');
}

export function withoutComments(sql: string): string {
  return sql.replace(/^(?:\s+|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, '');
}

/** `INSERT INTO t (a, b) FORMAT F`, whose rows are the rest of the request. */
export function parseInsertHead(sql: string): InsertHead | undefined {
  const match = insertHead.exec(withoutComments(sql).trim());
  const format = rawFormats.find((name) => name.toLowerCase() === match?.[3]?.toLowerCase());
  if (!match?.[1] || !format) return undefined;
  return { table: bare(match[1]), columns: match[2]?.split(',').map(bare), format };
}

export function isRead(sql: string): boolean {
  return /^(SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK)\b/i.test(withoutComments(sql).replace(/^\(+/, ''));
}

/** The format that the statement asks for, and the statement without that clause. */
export function splitFormat(sql: string, fallback: string): { sql: string; format: string; streamable: boolean } {
  const match = formatClause.exec(sql);
  const format = match?.[1] ?? fallback;
  return { sql: match ? sql.slice(0, match.index) : sql, format, streamable: streamable.has(format) };
}
