// What the facts tell of themselves: figures for Prometheus, lines for the log, and whether they are fit.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Report } from '../../stores/report.js';
import { type BuildStatus, progressOf } from '../operation/document-status.js';
import { type Fitness, type FitnessOptions, ReadModelFitness } from '../operation/fitness.js';
import { ScrapeLook } from '../operation/scrape-look.js';
import type { FactsOperations } from './facts-operations.js';
import type { FactsListener, FactsProjector } from './facts-projector.js';

export interface FactsWatchOptions extends Omit<FitnessOptions, 'status'> {
  readonly operations: Pick<FactsOperations, 'builds' | 'refusal'>;
}

interface Look {
  readonly builds: readonly BuildStatus[];
  readonly end: bigint;
}

export class FactsWatch implements FactsListener {
  private readonly faults: Counter;
  private readonly chunks: Histogram;
  private readonly fitness: ReadModelFitness;
  private lastFault = '';
  private readonly look: ScrapeLook<Look>;

  constructor(
    private readonly registry: Registry,
    private readonly report: Report,
    private readonly options: FactsWatchOptions,
  ) {
    this.fitness = new ReadModelFitness({ ...options, status: () => options.operations.builds() });
    const { operations, head } = options;
    this.look = new ScrapeLook(async () => {
      const [builds, end] = await Promise.all([operations.builds(), head()]);
      return { builds, end };
    });
    const registers = [registry];
    this.faults = new Counter({
      name: 'homing_facts_retries_total',
      help: 'Failures after which the ClickHouse sink tried again.',
      registers,
    });
    this.chunks = new Histogram({
      name: 'homing_facts_chunk_rows',
      help: 'Rows per chunk inserted into ClickHouse.',
      labelNames: ['build'],
      buckets: [1, 10, 100, 1_000, 5_000, 20_000, 50_000, 100_000],
      registers,
    });
    this.standing();
  }

  fault(error: unknown): void {
    this.faults.inc();
    this.lastFault = error instanceof Error ? error.message : String(error);
    this.report('warn', `the facts are tried again: ${this.lastFault}`);
  }

  told(message: string): void {
    this.report('info', message);
  }

  sunk(build: number, rows: number): void {
    this.chunks.observe({ build: String(build) }, rows);
  }

  /** Down: a build is behind and does not move, or there is none to read. Degraded: events are parked, a build was given up. */
  async check(nowMs: number): Promise<Fitness> {
    const fitness = await this.fitness.check(nowMs);
    if (fitness.status === 'down' && this.lastFault !== '') {
      return { status: 'down', detail: `${fitness.detail ?? ''}: ${this.lastFault}` };
    }
    const refused = fitness.status === 'down' ? undefined : await this.options.operations.refusal();
    return refused ? { status: refused.isRead ? 'degraded' : 'down', detail: refused.why } : fitness;
  }

  /** What this process has done since its start. */
  measure(facts: Pick<FactsProjector, 'counters'>): void {
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
        registers: [this.registry],
        collect() {
          this.reset();
          for (const [build, counters] of facts.counters()) {
            this.set({ build: String(build) }, counters[name as keyof typeof names]);
          }
        },
      });
    }
  }

  /** Where the builds stand, whichever process fills them. */
  private standing(): void {
    const { look } = this;
    const registers = [this.registry];
    const gauge = (name: string, help: string, figure: (build: BuildStatus, end: bigint) => number): void => {
      new Gauge({
        name: `homing_facts_${name}`,
        help,
        labelNames: ['build', 'state'],
        registers,
        async collect() {
          const seen = await look.take();
          this.reset();
          for (const build of seen?.builds ?? []) {
            this.set({ build: String(build.build), state: build.state }, figure(build, seen?.end ?? 0n));
          }
        },
      });
    };
    gauge(
      'lag_events',
      'Events that are missing, counted by reading; 10,000 means as many or more.',
      (one) => one.events,
    );
    gauge('lag_seconds', 'Since the log took the first event that is missing.', (one) => one.seconds);
    gauge('dead_letters', 'Events that are parked now.', (one) => one.deadLetters);
    gauge('progress', 'How far along the log a build is, 0 to 1; by position, so about.', ({ position }, end) =>
      progressOf(position, end),
    );
    new Gauge({
      name: 'homing_facts_status_known',
      help: '0: ClickHouse or the log does not answer, and the figures by build are not given.',
      registers,
      async collect() {
        this.set((await look.take()) ? 1 : 0);
      },
    });
  }
}
