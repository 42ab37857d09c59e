// The facts as a part of a process: started and stopped with the application, with figures and a health check.
import type { ClickHouseClient } from '@clickhouse/client';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Registry } from 'prom-client';
import type { Report } from '../../stores/report.js';
import type { Fitness } from '../operation/fitness.js';
import { lookMsMax } from '../operation/scrape-look.js';
import { Engine } from './engine.js';
import { FactsOperations } from './facts-operations.js';
import { FactsProjector, type FactsProjectorOptions } from './facts-projector.js';
import { FactsWatch } from './facts-watch.js';

@Module({})
export class FactsModule implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(@Inject(FactsProjector) private readonly facts: FactsProjector) {}

  onApplicationBootstrap(): void {
    this.facts.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.facts.close();
  }
}

export interface WatchedFactsOptions extends Omit<FactsProjectorOptions, 'listener'> {
  readonly client: ClickHouseClient;
  readonly registry: Registry;
  readonly report: Report;
}

/** The module with its figures, and the health check to show beside the others. */
export function watchedFacts({ client, registry, report, ...options }: WatchedFactsOptions): {
  readonly module: DynamicModule;
  readonly facts: FactsProjector;
  readonly health: { readonly name: string; check(): Promise<Fitness> };
} {
  const operations = new FactsOperations({ ...options, engine: new Engine(client, lookMsMax), nowMs: Date.now });
  const watch = new FactsWatch(registry, report, {
    operations,
    head: () => options.log.head(),
  });
  const facts = new FactsProjector({ ...options, listener: watch });
  watch.measure(facts);
  return {
    module: {
      module: FactsModule,
      providers: [{ provide: FactsProjector, useValue: facts }],
      exports: [FactsProjector],
    },
    facts,
    health: { name: 'facts', check: () => watch.check(performance.now()) },
  };
}
