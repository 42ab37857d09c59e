// The facts in ClickHouse as parts of a process: the projector that fills them, and the questions that read them.
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { eventFacts } from '../../projections/event-facts.rows.js';
import { factColumns } from '../../projections/fact-row.js';
import type { Config } from '../config.js';
import { decodeHidden } from '../event-log/codec.js';
import { metricsModule } from '../metrics/metrics.module.js';
import { watchedFacts } from '../projector/clickhouse/facts.module.js';
import { type Engines, reportTo } from './engines.js';
import type { MountedPart } from './projections.js';
import type { WriteSide } from './write-side.js';

/** Text of one chunk. */
const chunkBytesMax = 32 * 1024 * 1024;

function clientOf({ clickhouse }: Engines) {
  if (!clickhouse) throw new Error('this role has no ClickHouse');
  return clickhouse.client;
}

/** Facts hold nothing personal: events are read without anybody's key. */
export function factsProjector(
  { projector, timeZone }: Config,
  engines: Engines,
  { clock }: WriteSide,
  { logger, registry }: { readonly logger: Logger; readonly registry: Registry },
): MountedPart {
  return watchedFacts({
    client: clientOf(engines),
    log: engines.log,
    source: { projection: eventFacts, types: factColumns },
    decode: decodeHidden,
    clock,
    limits: {
      rowsMax: projector.clickhouseChunkRowsMax,
      bytesMax: chunkBytesMax,
      waitMs: projector.clickhouseChunkMs,
    },
    timeZone,
    registry,
    report: reportTo(logger, 'facts'),
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
