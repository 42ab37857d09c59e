// The facts in ClickHouse as parts of a process: the projector that fills them, and the questions that read them.
import { randomUUID } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../config.js';
import { decodeHidden } from '../event-log/codec.js';
import { metricsModule } from '../metrics/metrics.module.js';
import { Engine } from '../projector/clickhouse/engine.js';
import { watchedFacts } from '../projector/clickhouse/facts.module.js';
import { FactsOperations } from '../projector/clickhouse/facts-operations.js';
import type { FactsProjectorOptions } from '../projector/clickhouse/facts-projector.js';
import { clickhouseFacts } from '../projector/clickhouse/tables/clickhouse-facts.js';
import { RedisLease } from '../projector/sinks/redis-lease.js';
import { type Engines, reportTo } from './engines.js';
import { factSource } from './fact-source.js';
import { cutInThread } from './fold-thread.js';
import type { MountedPart } from './projections.js';
import type { WriteSide } from './write-side.js';

/** Text of one chunk. */
const chunkBytesMax = 32 * 1024 * 1024;

function clientOf({ clickhouse }: Engines) {
  if (!clickhouse) throw new Error('this role has no ClickHouse');
  return clickhouse.client;
}

/** What the facts' projector of this process is made of. Facts hold nothing personal: no key is touched. */
export function factsProjectorOptions(
  { projector, timeZone }: Config,
  engines: Engines,
  { clock }: Pick<WriteSide, 'clock'>,
): Omit<FactsProjectorOptions, 'listener'> & { readonly client: ClickHouseClient } {
  const client = clientOf(engines);
  return {
    // Whoever holds the embedded log is alone.
    ...(engines.isLogShared ? { lease: new RedisLease(engines.redis.client, 'facts', randomUUID()) } : {}),
    client,
    store: clickhouseFacts(new Engine(client), factSource, timeZone),
    log: engines.log,
    source: factSource,
    decode: decodeHidden,
    cutLog: cutInThread(engines.logPlace),
    clock,
    limits: {
      rowsMax: projector.clickhouseChunkRowsMax,
      bytesMax: chunkBytesMax,
      waitMs: projector.clickhouseChunkMs,
    },
    timeZone,
  };
}

export function factsProjector(
  config: Config,
  engines: Engines,
  writeSide: WriteSide,
  { logger, registry }: { readonly logger: Logger; readonly registry: Registry },
): MountedPart {
  const options = factsProjectorOptions(config, engines, writeSide);
  return watchedFacts({ ...options, registry, report: reportTo(logger, 'facts') });
}

/** What an operator can ask of the facts. */
export function factsOperations({ timeZone }: Config, engines: Engines): FactsOperations {
  return new FactsOperations({
    log: engines.log,
    engine: new Engine(clientOf(engines)),
    source: factSource,
    decode: decodeHidden,
    timeZone,
    nowMs: Date.now,
  });
}

export function metrics(config: Config, engines: Engines, { clock }: WriteSide): DynamicModule {
  const { queryMsMax, queryBytesMax } = config.clickhouse;
  const { readWaitMsMax } = config.http;
  const { timeZone } = config;
  const { log, logId } = engines;
  const client = clientOf(engines);
  return metricsModule({ client, log, logId, clock, timeZone, readWaitMsMax, queryMsMax, queryBytesMax });
}
