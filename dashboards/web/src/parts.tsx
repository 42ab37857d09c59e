// The small parts that every view is made of, and the honesty marks: what is immature, what is suppressed, how sure.
import type { ComponentChildren } from 'preact';
import { csv, type Table } from './csv.js';
import { count, interval, percent } from './format.js';
import type { Answer } from './use-answer.js';

/** Shows a skeleton while loading, the problem's own words when there is one, else the children. */
export function Ready<Data>(props: {
  answer: Answer<Data>;
  tall?: boolean;
  children: (data: Data) => ComponentChildren;
}) {
  if (props.answer.state === 'loading') return <div class={`skeleton ${props.tall ? 'tall' : ''}`} aria-busy="true" />;
  if (props.answer.state === 'problem') return <p class="problem">{props.answer.detail}</p>;
  return <>{props.children(props.answer.data)}</>;
}

export function Tile(props: { name: string; title: string; children: ComponentChildren }) {
  return (
    <section class="tile" title={props.title}>
      <div class="name">{props.name}</div>
      {props.children}
    </section>
  );
}

export interface Rated {
  readonly numerator: number;
  readonly denominator: number;
  readonly rate: number | null;
  readonly interval: readonly [number, number] | null;
}

/** A rate never stands alone: what of what, the interval, the change, and whether it is final. */
export function RateValue(props: { value: Rated; previous?: Rated | undefined; immatureNote?: string | undefined }) {
  const { value, previous } = props;
  return (
    <>
      <div class="value">{value.rate === null ? '–' : percent(value.rate)}</div>
      <div class="of">
        {count(value.numerator)} of {count(value.denominator)}
        {value.interval && ` · 95 % interval ${interval(value.interval)}`}
      </div>
      <div class="change">
        {value.rate !== null && previous && previous.rate !== null && previous.denominator > 0 ? (
          <Change points={(value.rate - previous.rate) * 100} />
        ) : null}{' '}
        {props.immatureNote && <span class="mark">{props.immatureNote}</span>}
      </div>
    </>
  );
}

/** The columns of a breakdown, and a row's cells under them: of how many the rate is, and how sure. */
export function ratedColumns(name: string, unit: string): readonly string[] {
  return [name, unit, 'Rate (95 %)'];
}
export function ratedFigures(value: Rated): readonly string[] {
  return [
    `${count(value.numerator)} of ${count(value.denominator)}`,
    [value.rate === null ? '–' : percent(value.rate), ...(value.interval ? [interval(value.interval)] : [])].join('\n'),
  ];
}

function Change(props: { points: number }) {
  const points = Math.abs(props.points).toFixed(1);
  const direction = props.points >= 0 ? '▲' : '▼';
  return (
    <span class="of">
      {direction} {points} points to the period before
    </span>
  );
}

export function Suppressed(props: { minimum: number }) {
  return (
    <span class="suppressed" title="Too few people to show without telling something of one of them">
      &lt; {props.minimum} people
    </span>
  );
}

export function Card(props: {
  title: string;
  wide?: boolean;
  table?: Table | undefined;
  curl?: string;
  children: ComponentChildren;
}) {
  const { table } = props;
  return (
    <section class={`card ${props.wide ? 'wide' : ''}`}>
      <header>
        <h2>{props.title}</h2>
        <span class="tools">
          {table && (
            <button class="plain" type="button" onClick={() => download(`${props.title}.csv`, csv(table))}>
              CSV
            </button>
          )}
          {props.curl && (
            <button class="plain" type="button" onClick={() => void navigator.clipboard?.writeText(props.curl ?? '')}>
              copy as curl
            </button>
          )}
        </span>
      </header>
      {props.children}
    </section>
  );
}

function download(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = name.replaceAll(' ', '-');
  link.click();
  URL.revokeObjectURL(link.href);
}

export interface BreakdownRow {
  readonly id: string;
  readonly name: string;
  /** 0 to 1: how far the bar reaches. */
  readonly share: number;
  readonly figures: readonly string[];
}

/** A table with a bar behind each name; choosing a row filters the page. */
export function Breakdown(props: {
  columns: readonly string[];
  rows: readonly BreakdownRow[];
  onChoose?: (id: string) => void;
}) {
  if (props.rows.length === 0) return <p class="empty">Nothing in this period.</p>;
  return (
    <table>
      <thead>
        <tr>
          {props.columns.map((column, index) => (
            <th key={column} class={index > 0 ? 'number' : ''}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr key={row.id}>
            <td>
              {props.onChoose ? (
                <button
                  class="bar"
                  type="button"
                  style={{ '--share': `${row.share * 100}%` }}
                  onClick={() => props.onChoose?.(row.id)}
                >
                  <span>{row.name}</span>
                </button>
              ) : (
                <span class="bar" style={{ '--share': `${row.share * 100}%` }}>
                  <span>{row.name}</span>
                </span>
              )}
            </td>
            {row.figures.map((figure, index) => (
              <td class="number" key={props.columns[index + 1]}>
                {figure}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
