// The Grafana dashboards are data; what they ask is held to what there is to ask.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { brandSpecs } from '../../src/metrics/brand/specs.js';
import type { MetricSpec } from '../../src/metrics/metric.js';
import { MetricQuery } from '../../src/metrics/metric-query.js';
import { sharingSpecs } from '../../src/metrics/sharing/specs.js';
import { type ApiTarget, type Dashboard, dashboard, dashboardDirectory, targetsOf } from './dashboards.js';

const names = readdirSync(dashboardDirectory);
const provisioned = parse(readFileSync('dashboards/grafana/provisioning/datasources/homing.yaml', 'utf8')) as {
  datasources: { uid: string; type: string }[];
};

/** What the panel of the API asks: the metric and what it is asked with. */
function asked({ url, url_options }: ApiTarget): { spec: MetricSpec | undefined; query: Record<string, string> } {
  const brand = /^\/v1\/brands\/\$\{brand\}\/metrics\/([a-z-]+)$/.exec(url)?.[1];
  const sharing = /^\/v1\/metrics\/([a-z-]+)$/.exec(url)?.[1];
  const spec: MetricSpec | undefined =
    brand === undefined
      ? sharingSpecs.find(({ name }) => name === sharing)
      : brandSpecs.find(({ name }) => name === brand);
  const query = Object.fromEntries(
    url_options.params.map(({ key, value }) => [key, value.replace(/\$\{__(from|to):date:YYYY-MM-DD\}/, '2026-01-31')]),
  );
  return { spec, query };
}

describe.each(names)('%s', (name) => {
  const board: Dashboard = dashboard(name);

  it('is named like its file, and its panels do not overlap', () => {
    expect(`${board.uid}.json`).toBe(name);
    const cells = new Set<string>();
    for (const { gridPos } of board.panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([x, y, x < 24 && !cells.has(`${x}:${y}`)]).toEqual([x, y, true]);
          cells.add(`${x}:${y}`);
        }
      }
    }
  });

  it('asks only sources that are provisioned, and says what each panel shows', () => {
    const sources = new Set(provisioned.datasources.map(({ uid, type }) => `${type}/${uid}`));
    for (const { title, description, datasource } of board.panels) {
      expect([title, sources.has(`${datasource.type}/${datasource.uid}`), description.length > 10]).toEqual([
        title,
        true,
        true,
      ]);
    }
  });
});

describe('the dashboard of the API', () => {
  it.each(targetsOf<ApiTarget>('homing-api.json'))(
    '%s asks a metric for what it offers, by the parser that alerts can use',
    (_, target) => {
      const { spec, query } = asked(target);
      expect(spec).toBeDefined();
      expect(MetricQuery.safeParse(query).success).toBe(true);
      for (const dimension of query['by']?.split(',') ?? []) expect(spec?.dimensions).toContain(dimension);
      if (query['window'] !== undefined) expect(spec?.windows).toContain(query['window']);
      expect(target.parser).toBe('backend');
    },
  );

  it('shows every metric there is', () => {
    const shown = new Set(targetsOf<ApiTarget>('homing-api.json').map(([, target]) => asked(target).spec?.name));
    expect([...shown].toSorted((a = '', b = '') => a.localeCompare(b))).toEqual(
      [...sharingSpecs, ...brandSpecs].map((spec: MetricSpec) => spec.name).toSorted((a, b) => a.localeCompare(b)),
    );
  });
});

describe('the dashboard of the service', () => {
  it('asks for figures that the service gives', () => {
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => readFileSync(join('src', path), 'utf8'))
      .join('\n');
    const page = readFileSync('docs/operations.md', 'utf8');
    for (const [title, { expr }] of targetsOf<{ expr: string }>('homing-service.json')) {
      for (const [figure] of expr.matchAll(/\bhoming_[a-z_]+/g)) {
        const name = figure.replace(/_(bucket|count|sum)$/, '');
        expect([title, name, source.includes(`'${name}'`) || page.includes(`\`${name}\``)]).toEqual([
          title,
          name,
          true,
        ]);
      }
    }
  });
});
