// Rows as lines of ClickHouse's TabSeparated format, in exactly the form in which the engine prints them again: so a
// stored row can be compared with a folded one by its text.

import type { ColumnType } from '../../../../projections/fact-row.js';
import { toIso, toMs } from '../../../kernel/clock.js';
import type { Row, RowValue } from '../../../kernel/projection.js';

const special = /[\\\t\n\r\b\f\0']/g;
const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\0': '\\0',
  "'": "\\'",
};
/** A value of TabSeparated text. */
export function escaped(text: string): string {
  return text.replace(special, (character) => escapes[character] ?? character);
}

/** A DateTime64(3): `2026-01-31 23:59:59.999`. */
export function instantText(iso: string): string {
  const whole = iso.length === 24 ? iso : toIso(toMs(iso));
  return `${whole.slice(0, 10)} ${whole.slice(11, 23)}`;
}

type ColumnText = (value: RowValue | undefined) => string;
const plain: ColumnText = (value) => (value === undefined || value === '' ? '' : escaped(String(value)));
const whole: ColumnText = (value) => (value === undefined ? '0' : String(value));
const texts: Readonly<Record<ColumnType, ColumnText>> = {
  position: whole,
  number: whole,
  amount: whole,
  flag: (value) => (value === true ? 'true' : 'false'),
  instant: (value) => (value === undefined ? '1970-01-01 00:00:00.000' : instantText(String(value))),
  uuid: (value) => String(value),
  text: plain,
  word: plain,
  texts: (value) =>
    value === undefined ? '[]' : `[${(value as readonly string[]).map((text) => `'${escaped(text)}'`).join(',')}]`,
};

/** Row → its line without the line's end. Most columns of a row are empty: they are copied, not written. */
export function rowText(columns: Readonly<Record<string, ColumnType>>): (row: Row) => string {
  const empty = Object.values(columns).map((type) => texts[type](undefined));
  const places = new Map(Object.entries(columns).map(([name, type], index) => [name, { index, write: texts[type] }]));
  return (row) => {
    const cells = empty.slice();
    for (const name in row) {
      const value = row[name];
      const place = value === undefined ? undefined : places.get(name);
      if (place) cells[place.index] = place.write(value);
    }
    return cells.join('\t');
  };
}
