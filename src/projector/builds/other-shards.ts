// What is left of another number of shards. A new number is a new set of keys, built from zero; once it is read, nobody
// reads the old ones any more, and they are cleared.
import type { DocumentProjection } from '../../kernel/projection.js';
import { shardNames } from '../operation/document-status.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { systemTimers, type Timers } from '../timers.js';
import type { Builds } from './builds.js';

const lookEveryMs = 5_000;

export interface OtherShardsOptions {
  readonly store: DocumentStore;
  readonly projections: readonly Pick<DocumentProjection, 'name'>[];
  /** The number that is built and read. */
  readonly shards: number;
  readonly listener?: { fault?(error: unknown): void };
  /** Absent: the system's. */
  readonly timers?: Timers;
}

export class OtherShards {
  constructor(private readonly options: OtherShardsOptions) {}

  /** Until nothing is left of them, or the signal aborts. */
  async clear(signal: AbortSignal): Promise<void> {
    const { listener, timers = systemTimers } = this.options;
    while (!signal.aborted) {
      try {
        if (await this.look(signal)) return;
      } catch (error) {
        if (!signal.aborted) listener?.fault?.(error);
      }
      await timers.sleep(lookEveryMs, signal);
    }
  }

  /** True when nothing is left. Nothing is touched while this number is not read everywhere, or another is still made. */
  async look(signal?: AbortSignal): Promise<boolean> {
    const { store, projections, shards } = this.options;
    const own = await Promise.all(this.builds(shards).map((builds) => builds.list()));
    if (own.some(({ active }) => active === undefined)) return false;
    let left = 0;
    for (const other of await store.cuts(projections.map(({ name }) => name))) {
      if (other === shards) continue;
      if (await this.isMade(other)) left += 1;
      else await this.clearAll(other, signal);
    }
    return left === 0;
  }

  /** Some process is set to that number. */
  private async isMade(shards: number): Promise<boolean> {
    const { store } = this.options;
    const leases = Array.from({ length: shards }, (_, shard) => store.lease(shardWork(shard, shards), ''));
    return (await Promise.all(leases.map((lease) => lease.isHeld()))).includes(true);
  }

  private async clearAll(shards: number, signal: AbortSignal | undefined): Promise<void> {
    for (const builds of this.builds(shards)) {
      signal?.throwIfAborted();
      await builds.clearAll();
    }
  }

  private builds(shards: number): Builds[] {
    const { store, projections } = this.options;
    const names = projections.map(({ name }) => name);
    return shardNames(names, shards).map((name) => store.builds(name));
  }
}

/** The work on one shard's document projections, as its lease names it. */
export function shardWork(shard: number, shards: number): string {
  return `documents-${shard}-of-${shards}`;
}
