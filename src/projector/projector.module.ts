// The projector of one process as a module: it starts with the application and stops before the stores close.
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Registry } from 'prom-client';
import type { Progress } from '../stores/documents/progress.js';
import type { Report } from '../stores/report.js';
import { DocumentProjector, type DocumentProjectorOptions } from './builds/document-projector.js';
import { documentStatus, shardNames } from './operation/document-status.js';
import type { Fitness } from './operation/fitness.js';
import { ProjectorWatch } from './operation/projector-watch.js';
import type { DocumentStore } from './sinks/document-store.js';

@Module({})
export class ProjectorModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(DocumentProjector) private readonly documents: DocumentProjector) {}

  onApplicationBootstrap(): void {
    this.documents.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.documents.close();
  }
}

export function projectorModule(options: DocumentProjectorOptions): DynamicModule {
  return {
    module: ProjectorModule,
    providers: [{ provide: DocumentProjector, useValue: new DocumentProjector(options) }],
    exports: [DocumentProjector],
  };
}

export interface WatchedOptions extends Omit<DocumentProjectorOptions, 'listener'> {
  /** Is told where the read models are, so that whoever waits for them in this process hears of it at once. */
  readonly progress?: Progress;
  /** Figures and health are read by it: they must not pile up on a Redis that stands still. */
  readonly reader: DocumentStore;
  readonly registry: Registry;
  readonly report: Report;
}

/** The module with its figures, and the health check to show beside the others. */
export function watchedProjector({ registry, report, progress, reader, ...options }: WatchedOptions): {
  readonly module: DynamicModule;
  readonly health: { readonly name: string; check(): Promise<Fitness> };
} {
  const names = shardNames(
    options.projections.map(({ name }) => name),
    options.shards,
  );
  const watch = new ProjectorWatch(registry, report, {
    status: () => documentStatus(reader, options.log, names, Date.now()),
    head: () => options.log.head(),
    ...(progress ? { progress } : {}),
  });
  return {
    module: projectorModule({ ...options, listener: watch }),
    health: { name: 'projections', check: () => watch.check(Date.now()) },
  };
}
