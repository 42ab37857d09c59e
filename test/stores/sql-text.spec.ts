// The little of SQL that the front must understand.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  canBeCutIntoPieces,
  formatOf,
  insertFromFile,
  isInsert,
  isSelect,
  quote,
  splitStatements,
  withoutLeadingComments,
} from '../../src/stores/clickhouse/sql-text.js';

describe('splitting a script', () => {
  it('cuts at semicolons that are outside of quotes and comments', () => {
    const script = `
      -- first; not here
      CREATE TABLE a (s String DEFAULT ';', "x;y" UInt8);
      /* nor; here */ INSERT INTO a VALUES ('it''s; fine', 'and \\'; too');;
      SELECT $tag$ ; $tag$, \`b;c\` # trailing; words
    `;
    expect(splitStatements(script)).toHaveLength(3);
  });

  it('leaves out what is only blanks and comments', () => {
    expect(splitStatements(' ;; -- nothing\n /* at all */ ; ')).toEqual([]);
  });

  it('gives back every statement of a list of literals, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (texts) => {
        const statements = texts.map((text) => `SELECT ${quote(text)}`);
        expect(splitStatements(statements.join(';'))).toEqual(statements);
      }),
    );
  });
});

describe('the kind of a statement', () => {
  it('is seen behind comments', () => {
    expect(withoutLeadingComments('-- a\n /* b */ # c\n SELECT 1')).toBe('SELECT 1');
    expect(isInsert('/* x */ insert into t values (1)')).toBe(true);
    expect(isInsert("SELECT 'insert into'")).toBe(false);
    expect(isSelect('(SELECT 1) UNION ALL (SELECT 2)')).toBe(true);
    expect(isSelect('WITH 1 AS x SELECT x')).toBe(true);
    expect(isSelect('SHOW TABLES')).toBe(false);
  });

  it('comes with the format of its answer', () => {
    expect(formatOf('SELECT 1\nFORMAT JSONEachRow')).toBe('JSONEachRow');
    expect(formatOf('SELECT 1 FORMAT TSV SETTINGS max_threads = 1;')).toBe('TSV');
    expect(formatOf("SELECT 'format x'")).toBeUndefined();
    expect(canBeCutIntoPieces('jsoneachrow')).toBe(true);
    expect(canBeCutIntoPieces('CSVWithNames')).toBe(false);
  });
});

describe('an insert whose rows come from a file', () => {
  it.each([
    ['INSERT INTO t FORMAT TSV', "INSERT INTO t FROM INFILE '/f' COMPRESSION 'none' FORMAT TSV"],
    [
      'INSERT INTO d.t (a, b)\nFORMAT JSONEachRow',
      "INSERT INTO d.t (a, b) FROM INFILE '/f' COMPRESSION 'none' FORMAT JSONEachRow",
    ],
    ['insert into t values', "insert into t FROM INFILE '/f' COMPRESSION 'none' FORMAT Values"],
    [
      "INSERT INTO t SETTINGS async_insert = 0, insert_deduplication_token = 'a b' FORMAT CSV;",
      "INSERT INTO t FROM INFILE '/f' COMPRESSION 'none' SETTINGS async_insert = 0, insert_deduplication_token = 'a b' FORMAT CSV",
    ],
    [
      'INSERT INTO `values` (`select`) FORMAT TSV',
      "INSERT INTO `values` (`select`) FROM INFILE '/f' COMPRESSION 'none' FORMAT TSV",
    ],
  ])('%s', (sql, expected) => {
    expect(insertFromFile(sql, '/f')).toBe(expected);
  });

  it.each(['INSERT INTO t SELECT 1 FORMAT TSV', 'INSERT INTO t VALUES (1)', 'SELECT 1 FORMAT TSV'])(
    'is not: %s',
    (sql) => {
      expect(insertFromFile(sql, '/f')).toBeUndefined();
    },
  );
});
