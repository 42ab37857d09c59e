// docs/configuration.md lists every variable as the code has it; when it does not, the failure shows the rows to put there.
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { configurationTable } from './configuration-table.js';

it('has one row for every variable, with its default, its bounds and its unit', () => {
  const page = readFileSync('docs/configuration.md', 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  expect(rows.join('\n')).toBe(configurationTable());
});
