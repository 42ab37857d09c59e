// What the projector tells of itself: figures for Prometheus, lines for the log, and whether it is fit.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ShardName } from '../kernel/document-keys.js';
import type { Report } from '../stores/report.js';
import type { BatchReport, ProjectionStuck } from './document-runner.js';
import type { BuildStatus } from './document-status.js';
import type { ProjectorListener } from './shard-projector.js';

/** A projection that has been behind for so long without moving is not fit. */
const stillSecondsMax = 60;

export interface Fitness {
  readonly status: 'up' | 'degraded' | 'down';
  readonly detail?: string;
}

interface Seen {
  readonly position: bigint;
  readonly sinceMs: number;
}

export class ProjectorWatch implements ProjectorListener {
  private readonly stuckShards = new Map<string, string>();
  private readonly seen = new Map<string, Seen>();
  private readonly events: Counter;
  private readonly commands: Counter;
  private readonly parked: Counter;
  private readonly batches: Histogram;
  private readonly faults: Counter;

  constructor(
    registry: Registry,
    private readonly report: Report,
    private readonly status: () => Promise<readonly BuildStatus[]>,
  ) {
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
    this.batches.observe(labels, events);
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

  /** Down: a projection is stuck, or behind and not moving. Degraded: events are parked. */
  async check(nowMs: number): Promise<Fitness> {
    const [stuck] = this.stuckShards.values();
    if (stuck !== undefined) return { status: 'down', detail: stuck };
    const builds = await this.status();
    const still = builds.find((build) => this.isStill(build, nowMs));
    if (still) {
      return { status: 'down', detail: `${nameOf(still)} is behind and has not moved for ${stillSecondsMax} s` };
    }
    const parked = builds.filter(({ deadLetters }) => deadLetters > 0);
    if (parked.length > 0) {
      const told = parked.map((build) => `${nameOf(build)}: ${build.deadLetters}`).join(', ');
      return { status: 'degraded', detail: `parked events: ${told}` };
    }
    return { status: 'up' };
  }

  private isStill(build: BuildStatus, nowMs: number): boolean {
    const key = `${nameOf(build)} ${build.build}`;
    const before = this.seen.get(key);
    if (build.events === 0 || before?.position !== build.position) {
      this.seen.set(key, { position: build.position, sinceMs: nowMs });
      return false;
    }
    return nowMs - before.sinceMs > stillSecondsMax * 1_000;
  }

  private gauges(registers: Registry[]): void {
    const labelNames = ['projection', 'shard', 'build', 'state'];
    const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers });
    const seconds = gauge('homing_projection_lag_seconds', 'Since the log took the first event that is missing.');
    const letters = gauge('homing_projection_dead_letters', 'Events that are parked now.');
    const keys = gauge('homing_projection_parked_keys', 'Routing keys that are parked now.');
    const { status } = this;
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

function nameOf({ projection, shard }: Pick<BuildStatus, 'projection' | 'shard'>): string {
  return `${projection}/${shard}`;
}
