import { afterAll, beforeAll } from '@jest/globals';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { clickhouseFacts } from '../../../src/projector/clickhouse/tables/clickhouse-facts.js';
import { type TestEngine, testEngine } from './engine.js';
import { factStoreContract } from './fact-store.contract.js';
import { source, timeZone } from './running-sink.js';

let engine: TestEngine;
beforeAll(() => {
  engine = testEngine();
});
afterAll(() => engine.close());

factStoreContract('ClickHouse', () => clickhouseFacts(new Engine(engine.client), source, timeZone));
