// The read side for analysts and brands, as one module: what it needs is handed in.
import type { ClickHouseClient } from '@clickhouse/client';
import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import type { EventLogReader } from '../event-log/event-log.js';
import type { Clock } from '../kernel/clock.js';
import { AskBrandHandler, BrandMetricsController } from './brand/brand-metrics.controller.js';
import { FactsReader } from './facts-reader.js';
import { MetricAccess } from './metric-access.js';
import {
  AskSharingHandler,
  ListMetricsHandler,
  SharingMetricsController,
} from './sharing/sharing-metrics.controller.js';

export interface MetricsOptions {
  readonly client: ClickHouseClient;
  readonly log: Pick<EventLogReader, 'head'>;
  readonly logId: string;
  readonly clock: Clock;
  /** IANA name: days are days of it. */
  readonly timeZone: string;
  /** Longest wait for a position, milliseconds. */
  readonly readWaitMsMax: number;
  readonly queryMsMax: number;
  readonly queryBytesMax: number;
}

/** The name of the facts' projection; a test holds it equal to the projection's own. */
export const factsSink = 'facts';

@Module({})
export class MetricsModule {}

export function metricsModule(options: MetricsOptions): DynamicModule {
  const { client, log, logId, clock, timeZone, readWaitMsMax, queryMsMax, queryBytesMax } = options;
  const reader = new FactsReader({
    client,
    sink: factsSink,
    logId,
    now: () => clock.now(),
    head: () => log.head(),
    queryMsMax,
    queryBytesMax,
  });
  return {
    module: MetricsModule,
    imports: [CqrsModule],
    controllers: [SharingMetricsController, BrandMetricsController],
    providers: [
      { provide: MetricAccess, useValue: new MetricAccess(reader, timeZone, logId, readWaitMsMax) },
      ListMetricsHandler,
      AskSharingHandler,
      AskBrandHandler,
    ],
  };
}
