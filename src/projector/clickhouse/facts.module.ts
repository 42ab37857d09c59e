// The facts as a part of a process: started and stopped with the application, with figures and a health check.
import type { ClickHouseClient } from '@clickhouse/client';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { Report } from '../../stores/report.js';
import { Engine } from './engine.js';
import { FactsOperations } from './facts-operations.js';
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

interface Fitness {
  readonly status: 'up' | 'degraded' | 'down';
  readonly detail?: string;
}

/** Longer behind without moving is not fit, milliseconds. */
const stillMsMax = 60_000;

/** The module with its figures, and the health check to show beside the others. */
export function watchedFacts({ client, registry, report, ...options }: WatchedFactsOptions): {
  readonly module: DynamicModule;
  readonly facts: FactsProjector;
  readonly health: { readonly name: string; check(): Promise<Fitness> };
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
  const engine = new Engine(client);
  const facts = new FactsProjector({ ...options, engine, listener });
  const operations = new FactsOperations({ ...options, engine, nowMs: () => options.clock.now() });
  measure(facts, operations, registers);
  let moved = { position: -1n, atMs: performance.now() };
  const check = async (): Promise<Fitness> => {
    if (moved.position !== facts.position) moved = { position: facts.position, atMs: performance.now() };
    const behind = facts.position < (await options.log.head());
    if (behind && performance.now() - moved.atMs > stillMsMax) {
      const detail = `the facts are behind and have not moved for ${stillMsMax / 1_000} s`;
      return { status: 'down', detail: lastFault === '' ? detail : `${detail}: ${lastFault}` };
    }
    const parked = (await operations.list()).length;
    return parked > 0 ? { status: 'degraded', detail: `parked events: ${parked}` } : { status: 'up' };
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

function measure(facts: FactsProjector, operations: FactsOperations, registers: Registry[]): void {
  new Gauge({
    name: 'homing_facts_dead_letters',
    help: 'Events that are parked now.',
    registers,
    async collect() {
      // Figures of the process must not fail with ClickHouse.
      const letters = await operations.list().catch(() => undefined);
      if (letters) this.set(letters.length);
    },
  });
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
