// The little of SQL that has to be understood outside the engine: where a statement ends, what kind it is, in which format
// it answers, and how a value is quoted. Everything else is the engine's business.

/** End of a quoted or commented stretch that begins at `at`; `at` itself when none begins there. */
function skipOpaque(sql: string, at: number): number {
  const char = sql[at];
  if (char === "'" || char === '"' || char === '`') return endOfQuoted(sql, at, char);
  if (sql.startsWith('--', at) || sql.startsWith('# ', at) || sql.startsWith('#!', at)) return endAfter(sql, '\n', at);
  if (sql.startsWith('/*', at)) return endAfter(sql, '*/', at + 2);
  if (char === '$') {
    const tag = /^\$\w*\$/.exec(sql.slice(at, at + 66))?.[0];
    if (tag) return endAfter(sql, tag, at + tag.length);
  }
  return at;
}

function endOfQuoted(sql: string, at: number, quote: string): number {
  for (let next = at + 1; next < sql.length; next += 1) {
    if (sql[next] === '\\') next += 1;
    else if (sql[next] === quote) return next + 1;
  }
  return sql.length;
}

function endAfter(sql: string, mark: string, from: number): number {
  const found = sql.indexOf(mark, from);
  return found < 0 ? sql.length : found + mark.length;
}

/** The statements of a script, without their semicolons; those that are only comments are left out. */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let begin = 0;
  let substance = false;
  for (let at = 0; at < sql.length; ) {
    const after = skipOpaque(sql, at);
    if (after > at) {
      substance ||= /['"`$]/.test(sql[at] ?? '');
      at = after;
      continue;
    }
    if (sql[at] === ';') {
      if (substance) statements.push(sql.slice(begin, at).trim());
      begin = at + 1;
      substance = false;
    } else if (!/\s/.test(sql[at] ?? '')) substance = true;
    at += 1;
  }
  if (substance) statements.push(sql.slice(begin).trim());
  return statements;
}

/** Without the blanks and comments that it begins with. */
export function withoutLeadingComments(sql: string): string {
  let at = 0;
  for (;;) {
    while (/\s/.test(sql[at] ?? '')) at += 1;
    const after = /['"`$]/.test(sql[at] ?? '') ? at : skipOpaque(sql, at);
    if (after === at) return sql.slice(at);
    at = after;
  }
}

export function isInsert(sql: string): boolean {
  return /^insert\s/i.test(withoutLeadingComments(sql));
}

/** A statement that reads rows: the engine can give its answer piece by piece. */
export function isSelect(sql: string): boolean {
  return /^(select|with|\()[\s(]?/i.test(withoutLeadingComments(sql)) && !/\binto\s+outfile\b/i.test(sql);
}

const formatClause = /\bformat\s+([A-Za-z0-9_]+)\s*(?:settings\s[^;]*)?;?\s*$/i;

/** The output format that a statement names at its end. */
export function formatOf(sql: string): string | undefined {
  return formatClause.exec(sql)?.[1];
}

/** Formats whose pieces can be put one after the other: no head, no foot, nothing between. */
const pieceable = new Set(
  [
    'TabSeparated',
    'TSV',
    'TabSeparatedRaw',
    'TSVRaw',
    'CSV',
    'TSKV',
    'JSONEachRow',
    'JSONLines',
    'NDJSON',
    'JSONCompactEachRow',
    'JSONStringsEachRow',
    'JSONCompactStringsEachRow',
    'RowBinary',
    'LineAsString',
    'RawBLOB',
    'Null',
  ].map((name) => name.toLowerCase()),
);

export function canBeCutIntoPieces(format: string): boolean {
  return pieceable.has(format.toLowerCase());
}

export function quote(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

const insertWithFormat =
  /^(?<into>[\s\S]*?\S)(?<settings>\s+settings\s+(?:\w+\s*=\s*(?:'(?:[^'\\]|\\.)*'|[\w.+-]+)\s*,?\s*)+)?\s+(?:format\s+(?<format>[A-Za-z0-9_]+)|(?<values>values))\s*;?\s*$/i;

/** An INSERT whose rows come from a file in the format that it names; undefined when it is not one that takes rows. */
export function insertFromFile(sql: string, path: string): string | undefined {
  const parts = insertWithFormat.exec(withoutLeadingComments(sql))?.groups;
  if (!parts || /\b(select|values|infile)\b/i.test(maskQuoted(parts['into'] ?? ''))) return undefined;
  const settings = parts['settings']?.trimEnd() ?? '';
  return `${parts['into']} FROM INFILE ${quote(path)} COMPRESSION 'none'${settings} FORMAT ${parts['format'] ?? 'Values'}`;
}

function maskQuoted(sql: string): string {
  let masked = '';
  for (let at = 0; at < sql.length; ) {
    const after = skipOpaque(sql, at);
    if (after === at) masked += sql[at];
    at = Math.max(after, at + 1);
  }
  return masked;
}
