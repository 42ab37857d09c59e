// Every question of the ClickHouse dashboard is asked of the real tables, in the engine.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { factSchema } from '../../src/projector/clickhouse/tables/schema.js';
import { type ClickHouseStore, openClickHouse } from '../../src/stores/clickhouse/open-clickhouse.js';
import { dashboard, targetsOf } from './dashboards.js';

const board = 'homing-clickhouse.json';
let directory: string;
let store: ClickHouseStore;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-grafana-'));
  store = await openClickHouse({ url: undefined, directory });
  for (const query of factSchema(2, 'UTC').statements) await store.client.command({ query });
  await store.client.insert({
    table: 'sink_active',
    values: [{ sink: 'facts', build: 2, activation: 1 }],
    format: 'JSONEachRow',
  });
  await store.client.command({
    query: `INSERT INTO engagement_quarterly_v2 (fact, kind, destination_class, destination, quarter, events) VALUES
      ('ShareCompleted', '', 'in_app', 'dm', '2026-01-01 10:15:00', 2), ('ShareLinkOpened', 'human', '', '', '2026-01-01 10:15:00', 3),
      ('MessageSent', 'direct', '', '', '2026-01-01 10:15:00', 4), ('ProductViewed', '', '', '', '2026-01-01 10:15:00', 5)`,
  });
  await store.client.insert({
    table: 'sink_progress',
    values: [{ sink: 'facts', build: 2, position: 7 }],
    format: 'JSONEachRow',
  });
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function rows(query: string): Promise<Record<string, unknown>[]> {
  const answer = await store.client.query({ query, format: 'JSONEachRow' });
  return await answer.json();
}

it.each(targetsOf<{ rawSql: string }>(board))('%s finds its rows', async (_, { rawSql }) => {
  const [build] = dashboard(board).templating.list;
  const [current] = await rows(build?.query ?? '');
  expect(current).toEqual({ build: '2' });
  const asked = rawSql
    .replaceAll(/\$\{build\}/g, String(current?.['build']))
    .replaceAll(/\$__timeFilter\((\w+)\)/g, "$1 >= '2026-01-01 00:00:00' AND $1 <= '2026-01-02 00:00:00'");
  expect(await rows(asked)).toHaveLength(1);
});
