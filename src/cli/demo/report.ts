// The headline figures as a table: what the service says, what could be known, what happened.
import type { Figure } from '../../simulator/runner/figure.js';

const headers = ['', 'service says', 'could be known', 'really happened', ''];

export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, service, observable, happened, agrees }) => [
    name,
    service,
    observable,
    happened,
    agrees ? '✓' : '✗',
  ]);
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  const rule = `  ${widths.map((width) => '─'.repeat(width)).join('──')}`;
  return [line(headers), rule, ...rows.map(line), rule].join('\n');
}
