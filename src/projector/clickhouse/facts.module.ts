// The facts as a part of a process: started and stopped with the application, with figures and a health check.
import type { ClickHouseClient } from '@clickhouse/client';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Report } from '../../stores/report.js';
import { Engine } from './engine.js';
import { FactsProjector, type FactsProjectorOptions } from './facts-projector.js';

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

export interface WatchedFactsOptions extends Omit<FactsProjectorOptions, 'engine' | 'listener'> {
  readonly client: ClickHouseClient;
  readonly registry: Registry;
  readonly report: Report;
}

/** Longer behind without moving is not fit, milliseconds. */
const stillMsMax = 60_000;

/** The module with its figures, and the health check to show beside the others. */
export function watchedFacts({ client, registry, report, ...options }: WatchedFactsOptions): {
  readonly module: DynamicModule;
  readonly facts: FactsProjector;
  readonly health: { readonly name: string; check(): Promise<{ status: 'up' | 'down'; detail?: string }> };
} {
  const registers = [registry];
  const faults = new Counter({
    name: 'homing_facts_retries_total',
    help: 'Failures after which the ClickHouse sink tried again.',
    registers,
  });
  let lastFault = '';
  const listener = {
    fault: (error: unknown) => {
      faults.inc();
      lastFault = error instanceof Error ? error.message : String(error);
      report('warn', `the facts are tried again: ${lastFault}`);
    },
    told: (message: string) => report('info', message),
  };
  const facts = new FactsProjector({ ...options, engine: new Engine(client), listener });
  measure(facts, registers);
  let moved = { position: -1n, atMs: performance.now() };
  const check = async () => {
    if (moved.position !== facts.position) moved = { position: facts.position, atMs: performance.now() };
    const behind = facts.position < (await options.log.head());
    if (behind && performance.now() - moved.atMs > stillMsMax) {
      const detail = `the facts are behind and have not moved for ${stillMsMax / 1_000} s`;
      return { status: 'down' as const, detail: lastFault === '' ? detail : `${detail}: ${lastFault}` };
    }
    return { status: 'up' as const };
  };
  return {
    module: {
      module: FactsModule,
      providers: [{ provide: FactsProjector, useValue: facts }],
      exports: [FactsProjector],
    },
    facts,
    health: { name: 'facts', check },
  };
}

function measure(facts: FactsProjector, registers: Registry[]): void {
  const names = {
    chunks: 'Chunks inserted into ClickHouse.',
    rows: 'Rows inserted into ClickHouse.',
    parked: 'Events that no rows could be made of and that were left out.',
    repairs: 'Chunks that a check after a failure found different and that were inserted anew.',
    overtaken: 'Times that another process had planned the next chunk first.',
  } as const;
  for (const [name, help] of Object.entries(names)) {
    new Gauge({
      name: `homing_facts_${name}`,
      help: `${help} Since the start, by build.`,
      labelNames: ['build'],
      registers,
      collect() {
        this.reset();
        for (const [build, counters] of facts.counters()) {
          this.set({ build: String(build) }, counters[name as keyof typeof names]);
        }
      },
    });
  }
}
