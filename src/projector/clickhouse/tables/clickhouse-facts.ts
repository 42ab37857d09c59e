// The facts in ClickHouse.
import type { FactSource } from '../chunk/chunk.js';
import type { Engine } from '../engine.js';
import type { FactStore } from './fact-store.js';
import { FactTables } from './fact-tables.js';
import { ClickHousePublished } from './published.js';

export function clickhouseFacts(engine: Engine, source: FactSource, timeZone: string): FactStore {
  const sink = source.projection.name;
  return {
    tables: (build) => new FactTables(engine, source, { sink, build, timeZone }),
    published: new ClickHousePublished(engine, sink),
  };
}
