// docs/operations.md names every figure that the service gives, and none that it does not.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

function figuresInSource(): Set<string> {
  const found = new Set<string>();
  for (const path of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    for (const [name] of readFileSync(join('src', path), 'utf8').matchAll(/(?<=')homing_[a-z_]+(?=')/g))
      found.add(name);
  }
  return found;
}

it('lists the figures of the service', () => {
  const page = readFileSync('docs/operations.md', 'utf8');
  const told = new Set([...page.matchAll(/`(homing_[a-z_]+)`/g)].map(([, name]) => name));
  const given = figuresInSource();
  expect(given.size).toBeGreaterThan(8);
  expect([...given].filter((name) => !told.has(name))).toEqual([]);
  // The sink's own are named by a table in the code.
  expect([...told].filter((name) => name && !given.has(name) && !name.startsWith('homing_facts_'))).toEqual([]);
});
