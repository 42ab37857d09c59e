// docs/metrics.md says of every metric what its spec says, and of no other.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { eventFacts } from '../../projections/event-facts.rows.js';
import { activitySpecs } from '../../src/metrics/activity/specs.js';
import { peopleMin } from '../../src/metrics/brand/privacy-gate.js';
import { brandSpecs } from '../../src/metrics/brand/specs.js';
import { factsSink } from '../../src/metrics/metrics.module.js';
import { sharingSpecs } from '../../src/metrics/sharing/specs.js';

const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
const privacy = readFileSync(new URL('../../docs/privacy.md', import.meta.url), 'utf8');

interface Line {
  readonly name: string;
  readonly number: string;
  readonly numerator: string;
  readonly denominator: string;
  readonly anchor: string;
  readonly dimensions: string;
  readonly windows: string;
}

const documented: readonly Line[] = page.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  const [, name = '', number = '', numerator = '', denominator = '', windows = '', anchor = '', dimensions = ''] =
    cells;
  if (!/^`[a-z-]+`$/.test(name)) return [];
  return [{ name: name.slice(1, -1), number, numerator, denominator, windows, anchor, dimensions }];
});

describe('docs/metrics.md', () => {
  it('lists every metric once, and no other', () => {
    expect(documented.map(({ name }) => name)).toEqual(
      [...sharingSpecs, ...activitySpecs, ...brandSpecs].map(({ name }) => name),
    );
  });

  it.each([...sharingSpecs, ...activitySpecs, ...brandSpecs].map((spec) => [spec.name, spec] as const))(
    '%s',
    (name, spec) => {
      const line = documented.find((one) => one.name === name);
      expect(line).toMatchObject({
        number: spec.number === undefined ? '–' : String(spec.number),
        numerator: spec.numerator,
        denominator: spec.denominator,
        anchor: spec.anchor,
        dimensions: spec.dimensions.join(', '),
      });
      const named = spec.windows.map((window) => window.replace(/^(\d+)([hd])$/, '$1 $2'));
      for (const window of named) expect(line?.windows).toContain(window);
      if (named[0]) expect(line?.windows).toContain(`**${named[0]}**`);
    },
  );
});

describe('what two places say', () => {
  it('docs/privacy.md names the threshold of the gate', () => {
    expect(privacy).toContain(`at least **${peopleMin} people**`);
    expect(privacy).toContain(`"minimum": ${peopleMin}`);
  });

  it('metrics read the facts that the projection writes', () => {
    expect(factsSink).toBe(eventFacts.name);
  });
});
