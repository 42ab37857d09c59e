// The document projections of one process: shares the shards with other processes by lease, and runs those it holds.
import { randomUUID } from 'node:crypto';
import { systemTimers } from '../timers.js';
import { Company } from './company.js';
import { LeasedWork } from './lease.js';
import { OtherShards, shardWork } from './other-shards.js';
import { ShardProjector, type ShardProjectorOptions } from './shard-projector.js';

export interface DocumentProjectorOptions extends ShardProjectorOptions {
  /**
   * Names the holder of leases; absent: a name of its own. A process that alone can be there (it holds the embedded
   * log) gives a fixed name, so that after a crash it goes on at once.
   */
  readonly holder?: string;
}

export class DocumentProjector {
  private readonly stop = new AbortController();
  private running: Promise<unknown> | undefined;
  private held = 0;

  constructor(private readonly options: DocumentProjectorOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { store, shards, holder = randomUUID(), timers = systemTimers } = this.options;
    const company = new Company(store.attendance(shards, holder), shards, timers);
    await Promise.all(
      Array.from({ length: shards }, async (_, shard) => {
        let mine = false;
        const mayHold = async () => {
          const share = await company.share();
          return mine ? this.held <= share : this.held < share;
        };
        const leased = new LeasedWork(store.lease(shardWork(shard, shards), holder), timers, mayHold);
        await leased.run(this.stop.signal, async (signal) => {
          mine = true;
          this.held += 1;
          try {
            // One of the holders clears up.
            const clearing = shard === 0 ? new OtherShards(this.options).clear(signal) : undefined;
            await new ShardProjector(this.options, shard).run(signal);
            await clearing;
          } finally {
            mine = false;
            this.held -= 1;
          }
        });
      }),
    );
    await company.leave().catch(() => undefined);
  }
}
