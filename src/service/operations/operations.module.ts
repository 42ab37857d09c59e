// The operator's API as a part of a process.
import { type DynamicModule, Module } from '@nestjs/common';
import { documentProjections } from '../../../projections/index.js';
import type { Config } from '../../config.js';
import { defaultRunnerLimits } from '../../projector/document-runner.js';
import { DocumentOperations } from '../../projector/operations.js';
import type { Engines } from '../engines.js';
import type { WriteSide } from '../write-side.js';
import { DeadLettersController, OPERATIONS, ProjectionsController } from './operations.controller.js';
import { LocalOperations, type Operations, type OtherPart } from './operations.js';

export function localOperations(
  { projector }: Config,
  { log, redis }: Pick<Engines, 'log' | 'redis'>,
  { codec }: Pick<WriteSide, 'codec'>,
  others: readonly OtherPart[] = [],
): LocalOperations {
  const documents = new DocumentOperations({
    log,
    redis: redis.client,
    decoder: codec,
    projections: documentProjections,
    shards: projector.shards,
    limits: defaultRunnerLimits,
    nowMs: Date.now,
  });
  return new LocalOperations(documents, others);
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
