// The headers that say in which circumstances something is done: read by one table, and written down from it.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { FastifyRequest } from 'fastify';
import { circumstances, circumstancesOf } from '../../src/http/request/circumstances.js';

const said = (headers: Readonly<Record<string, string>>) => circumstancesOf({ headers } as unknown as FastifyRequest);

describe('circumstances', () => {
  it('are what the request says, and nothing that it does not', () => {
    expect(said({})).toEqual({});
    expect(said({ 'homing-surface': '' })).toEqual({});
    expect(
      said({
        'homing-surface': 'share_landing',
        'homing-tz-offset': '-300',
        'homing-experiments': 'share-sheet=short,feed-order=friends-first',
      }),
    ).toEqual({
      surface: 'share_landing',
      tzOffsetMin: -300,
      experimentArms: [
        { experimentId: 'share-sheet', arm: 'short' },
        { experimentId: 'feed-order', arm: 'friends-first' },
      ],
    });
  });

  it.each([
    ['homing-surface', 'Feed!'],
    ['homing-tz-offset', 'Europe/Vienna'],
    ['homing-experiments', 'share-sheet'],
    ['homing-experiments', Array.from({ length: 17 }, (_, index) => `e${index}=a`).join()],
  ])('%s: %s is refused, not passed over', (name, value) => {
    expect(() => said({ [name]: value })).toThrow(`${name} is not valid`);
  });

  it.each(Object.entries(circumstances))('%s reads its own example', (name, { header, example }) => {
    expect(said({ [header.toLowerCase()]: example })).toHaveProperty(name);
  });

  it('stand in docs/http.md as they are read', () => {
    const cell = (text: string) => text.replaceAll('|', '\\|');
    const rows = Object.values(circumstances).map(
      ({ header, about, pattern, example }) =>
        `| \`${header}\` | ${about} | \`${cell(pattern.source)}\` | \`${example}\` |`,
    );
    const [, table = ''] = readFileSync('docs/http.md', 'utf8').split('## The circumstances of a write');
    const lines = table.split('\n').filter((line) => line.startsWith('| `'));
    expect(lines.join('\n')).toBe(rows.join('\n'));
  });
});
