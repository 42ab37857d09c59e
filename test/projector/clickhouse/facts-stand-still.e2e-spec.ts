// A ClickHouse that takes connections and answers nothing: whoever asks for figures is told in time, and nothing piles up.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { decodeHidden } from '../../../src/event-log/codec.js';
import { FactsReader } from '../../../src/metrics/facts-reader.js';
import { available } from '../../../src/metrics/metric-access.js';
import { changeBuild, readBuilds } from '../../../src/projector/clickhouse/builds/fact-builds.js';
import { Engine } from '../../../src/projector/clickhouse/engine.js';
import { watchedFacts } from '../../../src/projector/clickhouse/facts.module.js';
import { clickhouseFacts } from '../../../src/projector/clickhouse/tables/clickhouse-facts.js';
import { MemoryLog } from './memory-log.js';
import { source } from './running-sink.js';

let server: Server;
let asked: IncomingMessage[];
let client: ClickHouseClient;
beforeEach(async () => {
  asked = [];
  server = createServer((request) => {
    request.on('error', () => undefined);
    asked.push(request);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // As patient as the service's own.
  client = createClient({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    request_timeout: 660_000,
    log: { level: ClickHouseLogLevel.OFF },
  });
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await client.close();
});

it('a scrape gets the figures of the process without those of the builds, and asks once', async () => {
  const log = new MemoryLog();
  const begun = { type: 'BuildStarted', build: 1, fingerprint: 'code' } as const;
  await changeBuild(log as never, 'facts', await readBuilds(log as never, 'facts'), begun);
  const registry = new Registry();
  const { health } = watchedFacts({
    client,
    store: clickhouseFacts(new Engine(client), source, 'UTC'),
    registry,
    report: () => undefined,
    log: log as never,
    source,
    decode: decodeHidden,
    clock: { now: () => 0 },
    limits: { rowsMax: 100, bytesMax: 8_000_000, waitMs: 10 },
    timeZone: 'UTC',
  });
  for (const text of await Promise.all([registry.metrics(), registry.metrics(), registry.metrics()])) {
    expect(text).toContain('\nhoming_facts_status_known 0\n');
    expect(text).toContain('\nhoming_facts_retries_total 0\n');
    expect(text).not.toContain('homing_facts_lag_events{');
  }
  expect(asked).toHaveLength(1);
  // Nobody waits for it any more, so it is not left hanging.
  const socket = asked[0]?.socket;
  if (socket && !socket.destroyed) await once(socket, 'close');
  await expect(health.check()).rejects.toThrow(/aborted/);
});

it('a question of the metrics is told to come again', async () => {
  const reader = new FactsReader({
    client,
    sink: 'facts',
    logId: 'log',
    now: () => 0,
    head: async () => 0n,
    queryMsMax: 1_000,
    queryBytesMax: 500_000_000,
  });
  await expect(available(reader.waitFor(0n, 0))).rejects.toMatchObject({
    code: 'store-unavailable',
    options: { retryAfterSec: 1 },
  });
});
