// What the projector tells of itself: figures for Prometheus, lines for the log, and whether it is fit.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ShardName } from '../../kernel/document-keys.js';
import type { Progress } from '../../stores/documents/progress.js';
import type { Report } from '../../stores/report.js';
import type { ProjectorListener } from '../builds/shard-projector.js';
import type { BatchReport, ProjectionStuck } from '../fold/document-runner.js';
import { type BuildStatus, progressOf } from './document-status.js';
import { type Fitness, type FitnessOptions, ReadModelFitness } from './fitness.js';
import { ScrapeLook } from './scrape-look.js';

interface Look {
  readonly head: bigint;
  readonly builds: readonly BuildStatus[];
}

export class ProjectorWatch implements ProjectorListener {
  private readonly stuckShards = new Map<string, string>();
  private readonly fitness: ReadModelFitness;
  private readonly events: Counter;
  private readonly commands: Counter;
  private readonly parked: Counter;
  private readonly batches: Histogram;
  private readonly faults: Counter;
  private readonly look: ScrapeLook<Look>;

  constructor(
    registry: Registry,
    private readonly report: Report,
    private readonly options: FitnessOptions & { readonly progress?: Pick<Progress, 'saw'> },
  ) {
    this.fitness = new ReadModelFitness(options);
    const { status, head } = options;
    this.look = new ScrapeLook(async () => {
      const [at, builds] = await Promise.all([head(), status()]);
      return { head: at, builds };
    });
    const registers = [registry];
    const labelNames = ['projection', 'build'];
    this.events = new Counter({
      name: 'homing_projection_events_total',
      help: 'Events considered.',
      labelNames,
      registers,
    });
    this.commands = new Counter({
      name: 'homing_projection_commands_total',
      help: 'Redis commands written.',
      labelNames,
      registers,
    });
    this.parked = new Counter({
      name: 'homing_projection_parked_total',
      help: 'Events parked since the start.',
      labelNames,
      registers,
    });
    this.batches = new Histogram({
      name: 'homing_projection_batch_events',
      help: 'Events per batch.',
      labelNames,
      buckets: [1, 5, 20, 100, 500, 1_000, 5_000],
      registers,
    });
    this.faults = new Counter({
      name: 'homing_projection_retries_total',
      help: 'Failures after which the projector tried again.',
      registers,
    });
    this.buildFigures(registers);
  }

  batch({ projection }: ShardName, build: number, { events, commands, parked }: BatchReport): void {
    const labels = { projection, build: String(build) };
    this.events.inc(labels, events);
    this.commands.inc(labels, commands);
    if (parked > 0) this.parked.inc(labels, parked);
    if (events > 0) this.batches.observe(labels, events);
  }

  moved(name: ShardName, position: bigint): void {
    this.options.progress?.saw(name, position);
  }

  fault(error: unknown): void {
    this.faults.inc();
    this.report('warn', `the projector tries again: ${error instanceof Error ? error.message : String(error)}`);
  }

  stuck({ projection, shard }: ShardName, error: ProjectionStuck): void {
    const name = `${projection}/${shard}`;
    if (this.stuckShards.get(name) === error.message) return;
    this.stuckShards.set(name, error.message);
    this.report('error', error.message);
  }

  placed({ projection, shard }: ShardName): void {
    this.stuckShards.delete(`${projection}/${shard}`);
  }

  activated({ projection, shard }: ShardName, build: number): void {
    this.report('info', `${projection}/${shard}: build ${build} is read from now on`);
  }

  /** Down also when a projection needs a person. */
  async check(nowMs: number): Promise<Fitness> {
    const [stuck] = this.stuckShards.values();
    if (stuck !== undefined) return { status: 'down', detail: stuck };
    return await this.fitness.check(nowMs);
  }

  private buildFigures(registers: Registry[]): void {
    const labelNames = ['projection', 'shard', 'build', 'state'];
    const { look } = this;
    const figure = (name: string, help: string, value: (build: BuildStatus, head: bigint) => number) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        async collect() {
          const known = await look.take();
          this.reset();
          for (const one of known?.builds ?? []) {
            const { projection, shard, build, state } = one;
            this.set({ projection, shard: String(shard), build: String(build), state }, value(one, known?.head ?? 0n));
          }
        },
      });
    figure(
      'homing_projection_lag_events',
      'Events that are missing, counted by reading; 10,000 means as many or more.',
      ({ events }) => events,
    );
    figure(
      'homing_projection_lag_seconds',
      'Since the log took the first event that is missing.',
      ({ seconds }) => seconds,
    );
    figure('homing_projection_dead_letters', 'Events that are parked now.', ({ deadLetters }) => deadLetters);
    figure('homing_projection_parked_keys', 'Routing keys that are parked now.', ({ parkedKeys }) => parkedKeys);
    figure(
      'homing_projection_progress_ratio',
      'How far along the log it is, 0 to 1; by position, so about.',
      ({ position }, head) => progressOf(position, head),
    );
    new Gauge({
      name: 'homing_projection_status_known',
      help: '0: Redis or the log does not answer, and the figures by build are not given.',
      registers,
      async collect() {
        this.set((await look.take()) ? 1 : 0);
      },
    });
  }
}
