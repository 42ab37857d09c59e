// The projector as a part of a process: which projections it runs, and what becomes of its troubles.
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { documentProjections } from '../../projections/index.js';
import type { Config } from '../config.js';
import type { HealthCheck } from '../http/operation/health.controller.js';
import type { DocumentProjectorOptions } from '../projector/builds/document-projector.js';
import { defaultRunnerLimits } from '../projector/fold/document-runner.js';
import { watchedProjector } from '../projector/projector.module.js';
import { redisDocuments } from '../projector/sinks/redis-documents.js';
import type { Progress } from '../stores/documents/progress.js';
import { type Engines, reportTo } from './engines.js';
import type { WriteSide } from './write-side.js';

/** A part of the application, and how to ask for its health. */
export interface MountedPart {
  readonly module: DynamicModule;
  readonly health?: HealthCheck;
}

/** What the document projector of this process is made of. */
export function documentProjectorOptions(
  config: Config,
  { log, logId, isLogShared, redis }: Engines,
  { codec }: Pick<WriteSide, 'codec'>,
): DocumentProjectorOptions {
  const { projector } = config;
  return {
    log,
    store: redisDocuments(redis.client),
    decoder: codec,
    projections: documentProjections(config),
    shards: projector.shards,
    limits: {
      ...defaultRunnerLimits,
      eventsMax: projector.redisBatchEventsMax,
      bytesMax: projector.redisBatchBytesMax,
    },
    // Whoever holds the embedded log is alone: after a crash it goes on at once.
    ...(isLogShared ? {} : { holder: `embedded-${logId}` }),
  };
}

export function documentProjector(
  config: Config,
  engines: Engines,
  writeSide: WriteSide,
  { logger, registry, progress }: { readonly logger: Logger; readonly registry: Registry; readonly progress: Progress },
): MountedPart {
  const options = documentProjectorOptions(config, engines, writeSide);
  return watchedProjector({
    ...options,
    reader: redisDocuments(engines.redis.reader),
    progress,
    registry,
    report: reportTo(logger, 'projector'),
  });
}
