// The table of docs/configuration.md, made from the variables themselves.
import { describeVariables } from '../../src/config/variables.js';

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

export function configurationTable(): string {
  const rows = describeVariables().map(({ name, about, unit, default: fallback, values }) => {
    const range = unit === '' ? values : `${values} ${unit}`;
    return `| \`${name}\` | ${cell(fallback)} | ${cell(range)} | ${cell(about)} |`;
  });
  return ['| variable | when it is not set | values | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
