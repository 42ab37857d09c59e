// Waits until read models have passed a position. However many wait, one loop per process asks, and only while somebody
// waits; what has been seen once is not asked again until a reader finds it older. The checkpoints lie beside the data, so
// it works across processes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShardName } from '../../kernel/document-keys.js';
import type { DocumentReader } from './reader.js';

const askMsMin = 4;
const askMsMax = 32;
/** Shards remembered. */
const seenMax = 10_000;

interface Waiter {
  readonly name: ShardName;
  readonly position: bigint;
  readonly resolve: (passed: boolean) => void;
}

export class Progress {
  private readonly seen = new Map<string, bigint>();
  private waiters: Waiter[] = [];
  private asking = false;

  constructor(private readonly reader: Pick<DocumentReader, 'checkpoint'>) {}

  /** True once every one of them has passed the position, false when the time is up first. */
  async waitFor(names: readonly ShardName[], position: bigint, timeoutMs: number): Promise<boolean> {
    const missing = names.filter((name) => (this.seen.get(keyOf(name)) ?? -1n) < position);
    if (missing.length === 0) return true;
    const mine: Waiter[] = [];
    const all = Promise.all(
      missing.map(
        (name) =>
          new Promise<boolean>((resolve) => {
            mine.push({ name, position, resolve });
          }),
      ),
    );
    this.waiters.push(...mine);
    void this.ask();
    const timer = setTimeout(() => {
      for (const { resolve } of mine) resolve(false);
    }, timeoutMs);
    const passed = await all;
    clearTimeout(timer);
    this.waiters = this.waiters.filter((waiter) => !mine.includes(waiter));
    return passed.every(Boolean);
  }

  /** Told by whoever moves a read model in this process, or has read one: nobody has to ask then. It may have gone back. */
  saw(name: ShardName, position: bigint): void {
    this.passed(keyOf(name), position);
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    let pauseMs = askMsMin;
    while (this.waiters.length > 0) {
      const names = new Map(this.waiters.map(({ name }) => [keyOf(name), name]));
      // A failed look is one look less: the waiter's time runs on.
      await Promise.allSettled([...names].map(async ([key, name]) => this.look(key, name)));
      if (this.waiters.length === 0) break;
      await sleep(pauseMs);
      pauseMs = Math.min(askMsMax, pauseMs * 2);
    }
    this.asking = false;
  }

  private async look(key: string, name: ShardName): Promise<void> {
    const { position } = await this.reader.checkpoint(name);
    this.passed(key, position);
  }

  private passed(key: string, position: bigint): void {
    if (this.seen.size >= seenMax) this.seen.clear();
    this.seen.set(key, position);
    const passed = this.waiters.filter((waiter) => keyOf(waiter.name) === key && waiter.position <= position);
    for (const { resolve } of passed) resolve(true);
    this.waiters = this.waiters.filter((waiter) => !passed.includes(waiter));
  }
}

function keyOf({ projection, shard, shards }: ShardName): string {
  return `${projection} ${shard} ${shards}`;
}
