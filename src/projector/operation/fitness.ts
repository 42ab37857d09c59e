// Whether the read models keep up. What they have to reach is the head of the log or, if that is further, what the log has
// acknowledged: compared with a head that is stuck itself, everybody would look fit.
import type { BuildStatus } from './document-status.js';

/** Behind for so long without moving is not fit. */
export const stillSecondsMax = 60;

export interface Fitness {
  readonly status: 'up' | 'degraded' | 'down';
  readonly detail?: string;
}

interface Seen {
  readonly position: bigint;
  readonly sinceMs: number;
}

export interface FitnessOptions {
  readonly status: () => Promise<readonly BuildStatus[]>;
  readonly head: () => Promise<bigint>;
  /** The furthest position that the log has acknowledged to this process. */
  readonly acknowledged?: () => bigint;
}

export class ReadModelFitness {
  private readonly seen = new Map<string, Seen>();

  constructor(private readonly options: FitnessOptions) {}

  /** Down: something is behind and does not move. Degraded: events are parked. */
  async check(nowMs: number): Promise<Fitness> {
    const acknowledged = this.options.acknowledged?.() ?? 0n;
    const head = await this.options.head();
    const goal = head > acknowledged ? head : acknowledged;
    const builds = await this.options.status();
    const stillFor = (key: string, position: bigint) => this.isStill(key, position, goal, nowMs);
    if (stillFor('the head of the log', head)) {
      return {
        status: 'down',
        detail: `the head of the log has not moved for ${stillSecondsMax} s, though writes are acknowledged`,
      };
    }
    const still = builds.find((build) => stillFor(`${nameOf(build)} build ${build.build}`, build.position));
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

  private isStill(key: string, position: bigint, goal: bigint, nowMs: number): boolean {
    const before = this.seen.get(key);
    if (position >= goal || before?.position !== position) {
      this.seen.set(key, { position, sinceMs: nowMs });
      return false;
    }
    return nowMs - before.sinceMs > stillSecondsMax * 1_000;
  }
}

function nameOf({ projection, shard }: Pick<BuildStatus, 'projection' | 'shard'>): string {
  return `${projection}/${shard}`;
}
