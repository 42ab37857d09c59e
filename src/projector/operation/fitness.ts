// Whether the read models keep up with the head of the log, and whether the head keeps up with what the log has
// acknowledged: compared with a head that is stuck itself, every read model looks fit.
import type { BuildStatus } from './document-status.js';

/** Behind for so long without moving is not fit. */
export const stillSecondsMax = 60;

export interface Fitness {
  readonly status: 'up' | 'degraded' | 'down';
  readonly detail?: string;
}

/** Who is behind, and since when at the same place; known from one look to the next. */
class Stillness {
  private readonly seen = new Map<string, { readonly position: bigint; readonly sinceMs: number }>();

  isStill(key: string, position: bigint, goal: bigint, nowMs: number): boolean {
    const before = this.seen.get(key);
    if (position >= goal || before?.position !== position) {
      this.seen.set(key, { position, sinceMs: nowMs });
      return false;
    }
    return nowMs - before.sinceMs > stillSecondsMax * 1_000;
  }
}

export interface FitnessOptions {
  readonly status: () => Promise<readonly BuildStatus[]>;
  readonly head: () => Promise<bigint>;
}

export class ReadModelFitness {
  private readonly stillness = new Stillness();

  constructor(private readonly options: FitnessOptions) {}

  /** Down: something is behind and does not move. Degraded: events are parked. */
  async check(nowMs: number): Promise<Fitness> {
    const head = await this.options.head();
    const builds = await this.options.status();
    const still = builds.find((build) =>
      this.stillness.isStill(`${nameOf(build)} build ${build.build}`, build.position, head, nowMs),
    );
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
}

/** For every process that writes, whatever else it does. */
export class HeadFitness {
  private readonly stillness = new Stillness();

  constructor(private readonly log: { head(): Promise<bigint>; readonly acknowledged: bigint }) {}

  /** Down: writes of this process are acknowledged, and the head stays where it is before them. @throws as the log does */
  async check(nowMs: number): Promise<Fitness> {
    const { acknowledged } = this.log;
    if (!this.stillness.isStill('head', await this.log.head(), acknowledged, nowMs)) return { status: 'up' };
    const detail = `the head of the log has not moved for ${stillSecondsMax} s, though writes are acknowledged`;
    return { status: 'down', detail };
  }
}

function nameOf({ projection, shard }: Pick<BuildStatus, 'projection' | 'shard'>): string {
  return `${projection}/${shard}`;
}
