// What the documents say can be done, can be done: scripts, CLI commands, files and variables that they name exist.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { variables } from '../src/config/variables.js';

const documents = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((path) =>
  path.endsWith('.md'),
);
const scripts = Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: object }).scripts);
const cliCommands = [...readFileSync('src/cli/homing.ts', 'utf8').matchAll(/^ {2}'?([a-z-]+)'?: async/gm)].map(
  (match) => match[1],
);

const known = JSON.stringify(variables);
const grafana = readdirSync('dashboards/grafana', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.yaml') || name.endsWith('.yml'))
  .map((name) => readFileSync(join('dashboards/grafana', name), 'utf8'))
  .join('\n');

function named(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}

describe.each(documents)('%s', (path) => {
  const text = readFileSync(path, 'utf8');

  it('names only npm scripts that exist', () => {
    for (const script of named(text, /npm run ([a-z:]+)/g)) expect(scripts).toContain(script);
  });
  it('names only CLI commands that exist', () => {
    for (const command of named(text, /(?:npm run homing --|`homing) ([a-z-]+)/g))
      expect(cliCommands).toContain(command);
  });
  it('links only to files that exist', () => {
    for (const target of named(text, /\]\((?!https?:|#)([^)#]+)/g)) {
      expect([target, existsSync(join(dirname(path), target))]).toEqual([target, true]);
    }
  });
  it('names only variables that the configuration or the provisioning of Grafana reads', () => {
    for (const name of named(text, /`?(HOMING_[A-Z_]*[A-Z])/g)) {
      expect([name, known.includes(`"${name}"`) || grafana.includes(`$${name}`)]).toEqual([name, true]);
    }
  });
});
