// One table maps every refusal to a status; a refusal that is not in it would answer 500.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { statusOf } from '../../src/http/problem/status-table.js';

const source = fileURLToPath(new URL('../../src', import.meta.url));
const thrown = /new (?:Rejection|Problem)\(\s*'([a-z-]+)'/g;

function codesIn(folder: string): Map<string, string> {
  const codes = new Map<string, string>();
  for (const file of readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(join(source, folder, file), 'utf8');
    for (const [, code] of text.matchAll(thrown)) codes.set(code ?? '', `${folder}/${file}`);
  }
  return codes;
}

describe('the status table', () => {
  it.each(['domain', 'commands', 'http', 'queries', 'metrics', 'event-log'])(
    'knows every code that src/%s throws',
    (folder) => {
      const unknown = [...codesIn(folder)].filter(([code]) => statusOf[code] === undefined);
      expect(unknown).toEqual([]);
    },
  );

  it('sees the codes at all', () => {
    expect([...codesIn('domain').keys()]).toEqual(expect.arrayContaining(['member-not-available', 'share-exists']));
  });

  it('has only statuses that say whose fault it is', () => {
    for (const status of Object.values(statusOf)) expect([4, 5]).toContain(Math.floor(status / 100));
  });
});
