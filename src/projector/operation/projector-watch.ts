// What the projector tells of itself: figures for Prometheus, lines for the log, and whether it is fit.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ShardName } from '../../kernel/document-keys.js';
import type { Progress } from '../../stores/documents/progress.js';
import type { Report } from '../../stores/report.js';
import type { ProjectorListener } from '../builds/shard-projector.js';
import type { BatchReport, ProjectionStuck } from '../fold/document-runner.js';
import { type Fitness, type FitnessOptions, ReadModelFitness } from './fitness.js';

export class ProjectorWatch implements ProjectorListener {
  private readonly stuckShards = new Map<string, string>();
  private readonly fitness: ReadModelFitness;
  private readonly events: Counter;
  private readonly commands: Counter;
  private readonly parked: Counter;
  private readonly batches: Histogram;
  private readonly faults: Counter;

  constructor(
    registry: Registry,
    private readonly report: Report,
    private readonly options: FitnessOptions & { readonly progress?: Pick<Progress, 'saw'> },
  ) {
    this.fitness = new ReadModelFitness(options);
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
    this.gauges(registers);
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

  private gauges(registers: Registry[]): void {
    const labelNames = ['projection', 'shard', 'build', 'state'];
    const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers });
    const seconds = gauge('homing_projection_lag_seconds', 'Since the log took the first event that is missing.');
    const letters = gauge('homing_projection_dead_letters', 'Events that are parked now.');
    const keys = gauge('homing_projection_parked_keys', 'Routing keys that are parked now.');
    const { status } = this.options;
    new Gauge({
      name: 'homing_projection_lag_events',
      help: 'Events that are missing, counted by reading; 10,000 means as many or more.',
      labelNames,
      registers,
      async collect() {
        for (const one of [this, seconds, letters, keys]) one.reset();
        for (const build of await status()) {
          const { projection, shard, state } = build;
          const labels = { projection, shard: String(shard), build: String(build.build), state };
          this.set(labels, build.events);
          seconds.set(labels, build.seconds);
          letters.set(labels, build.deadLetters);
          keys.set(labels, build.parkedKeys);
        }
      },
    });
  }
}
