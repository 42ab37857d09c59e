// The operator's API as a part of a process.
import { type DynamicModule, Module } from '@nestjs/common';
import { documentProjections } from '../../../projections/index.js';
import type { Config } from '../../config.js';
import { defaultRunnerLimits } from '../../projector/fold/document-runner.js';
import { DocumentOperations } from '../../projector/operation/operations.js';
import { redisDocuments } from '../../projector/sinks/redis-documents.js';
import type { Engines } from '../engines.js';
import { factsOperations } from '../facts.js';
import type { WriteSide } from '../write-side.js';
import { DeadLettersController, OPERATIONS, ProjectionsController } from './operations.controller.js';
import { LocalOperations, type Operations } from './operations.js';

/** Without ClickHouse (in a worker) the facts are left out. */
export function localOperations(
  config: Config,
  engines: Engines,
  { codec }: Pick<WriteSide, 'codec'>,
): LocalOperations {
  const { log, redis, clickhouse } = engines;
  const documents = new DocumentOperations({
    log,
    store: redisDocuments(redis.client),
    reader: redisDocuments(redis.reader),
    decoder: codec,
    projections: documentProjections(config),
    shards: config.projector.shards,
    limits: defaultRunnerLimits,
    nowMs: Date.now,
  });
  return new LocalOperations(documents, clickhouse ? [factsOperations(config, engines)] : []);
}

@Module({})
export class OperationsModule {}

export function operationsModule(operations: Operations): DynamicModule {
  return {
    module: OperationsModule,
    controllers: [ProjectionsController, DeadLettersController],
    providers: [{ provide: OPERATIONS, useValue: operations }],
  };
}
