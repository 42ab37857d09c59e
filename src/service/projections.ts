// The projector as a part of a process: which projections it runs, and what becomes of its troubles.
import type { DynamicModule } from '@nestjs/common';
import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import { documentProjections } from '../../projections/index.js';
import type { Config } from '../config.js';
import type { HealthCheck } from '../http/operation/health.controller.js';
import type { ShardName } from '../kernel/document-keys.js';
import type { ProjectorListener } from '../projector/document-projector.js';
import { defaultRunnerLimits } from '../projector/document-runner.js';
import { projectorModule } from '../projector/projector.module.js';
import type { Engines } from './engines.js';
import type { WriteSide } from './write-side.js';

/** Listens to the document projector: figures for Prometheus, lines for the log, and a verdict for readiness. */
class ProjectorWatch implements ProjectorListener, HealthCheck {
  readonly name = 'document-projections';
  private readonly stuckShards = new Map<string, string>();
  private readonly events: Counter;
  private readonly builds: Gauge;

  constructor(
    private readonly logger: Logger,
    registry: Registry,
  ) {
    this.events = new Counter({
      name: 'homing_projected_events_total',
      help: 'Events that document projections have considered.',
      labelNames: ['projection'],
      registers: [registry],
    });
    this.builds = new Gauge({
      name: 'homing_projection_build',
      help: 'The build of a projection that readers read.',
      labelNames: ['projection', 'shard'],
      registers: [registry],
    });
  }

  batch({ projection }: ShardName, _build: number, { events }: { readonly events: number }): void {
    this.events.inc({ projection }, events);
  }
  fault(error: unknown): void {
    this.logger.warn({ err: error, part: 'projector' }, 'failed and goes on by itself');
  }
  stuck(name: ShardName, error: Error): void {
    this.stuckShards.set(`${name.projection}/${name.shard}`, error.message);
    this.logger.error({ part: 'projector' }, error.message);
  }
  activated({ projection, shard }: ShardName, build: number): void {
    this.builds.set({ projection, shard: String(shard) }, build);
    this.logger.info({ part: 'projector', projection, shard, build }, 'readers read a new build');
  }

  async check() {
    const [first] = this.stuckShards.values();
    return first === undefined ? ({ status: 'up' } as const) : ({ status: 'down', detail: first } as const);
  }
}

/** A part of the application, and how to ask for its health. */
export interface MountedPart {
  readonly module: DynamicModule;
  readonly health?: HealthCheck;
}

export function documentProjector(
  { projector }: Config,
  { log, redis }: Engines,
  { codec }: WriteSide,
  { logger, registry }: { readonly logger: Logger; readonly registry: Registry },
): MountedPart {
  const watch = new ProjectorWatch(logger, registry);
  const limits = {
    ...defaultRunnerLimits,
    eventsMax: projector.redisBatchEventsMax,
    bytesMax: projector.redisBatchBytesMax,
  };
  const { client } = redis;
  const { shards } = projector;
  const module = projectorModule({
    log,
    redis: client,
    decoder: codec,
    projections: documentProjections,
    shards,
    limits,
    listener: watch,
  });
  return { module, health: watch };
}
