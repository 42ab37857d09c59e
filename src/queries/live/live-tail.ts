// What has changed, as it changes: the projections leave an entry in a stream with every batch, and one loop per process
// reads these streams while anybody listens. An entry is a hint to read again, no message: it may come twice, and a
// listener that was away too long is told to read everything anew.
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChangedThing, changeOfText, ownKeys, type ShardName } from '../../kernel/document-keys.js';
import type { DocumentReader } from '../../stores/documents/reader.js';

const lookEveryMs = 100;
/** Entries read of one stream at a time. */
const entriesMax = 1_000;

export interface LiveChange extends ChangedThing {
  readonly projection: string;
  /** Whose document changed; of a moment its author. */
  readonly ownerId: string;
}
export interface LiveListener {
  /** `through`: every change up to this position has been told. */
  told(changes: readonly LiveChange[], through: bigint): void;
}

type StoredEntry = readonly [id: string, words: readonly string[]];

export class LiveTail {
  private readonly listeners = new Set<LiveListener>();
  private readonly after = new Map<ShardName, bigint>();
  private through = 0n;
  private looking = false;

  constructor(
    private readonly reader: DocumentReader,
    private readonly names: readonly ShardName[],
    private readonly failed: (error: unknown) => void,
  ) {}

  get size(): number {
    return this.listeners.size;
  }

  /** @returns how to stop listening */
  listen(listener: LiveListener): () => void {
    this.listeners.add(listener);
    void this.look();
    return () => this.listeners.delete(listener);
  }

  /** What has changed after a position; undefined when some of it is not kept any more. */
  async since(position: bigint): Promise<{ readonly changes: LiveChange[]; readonly through: bigint } | undefined> {
    let through: bigint | undefined;
    const changes: LiveChange[] = [];
    for (const name of this.names) {
      const { replies, checkpoint } = await this.reader.readShard(name, (pipeline, key) => {
        pipeline.xrange(key(ownKeys.changes), '-', '+', 'COUNT', 1);
        pipeline.xrange(key(ownKeys.changes), `${position + 1n}-0`, '+', 'COUNT', entriesMax);
      });
      const [[oldest], entries] = replies as [StoredEntry[], StoredEntry[]];
      // Nothing as old as the position is kept: whether there was something between cannot be known.
      if (
        (oldest && positionOf(oldest) > position && checkpoint.position > position) ||
        entries.length === entriesMax
      ) {
        return undefined;
      }
      changes.push(...entries.flatMap((entry) => changesOf(name.projection, entry)));
      through = through === undefined || checkpoint.position < through ? checkpoint.position : through;
    }
    return { changes, through: through ?? position };
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    this.after.clear();
    while (this.listeners.size > 0) {
      try {
        const changes = (await Promise.all(this.names.map((name) => this.fresh(name)))).flat();
        this.through = this.names.reduce(
          (least, name) => smaller(least, this.after.get(name)),
          this.after.get(this.names[0] as ShardName) ?? 0n,
        );
        for (const listener of this.listeners) listener.told(changes, this.through);
      } catch (error) {
        this.failed(error);
      }
      await sleep(lookEveryMs);
    }
    this.looking = false;
  }

  /** The first look only finds out where the stream is. */
  private async fresh(name: ShardName): Promise<LiveChange[]> {
    const after = this.after.get(name);
    const { replies, checkpoint } = await this.reader.readShard(name, (pipeline, key) => {
      const from = after === undefined ? '+' : `${after + 1n}-0`;
      pipeline.xrange(key(ownKeys.changes), from, '+', 'COUNT', entriesMax);
    });
    const entries = after === undefined ? [] : (replies[0] as StoredEntry[]);
    const last = entries.at(-1);
    // A full page may have more of its last position behind it: that position is read again.
    const reached = entries.length === entriesMax && last ? positionOf(last) - 1n : checkpoint.position;
    this.after.set(name, reached);
    return entries
      .filter((entry) => positionOf(entry) <= reached)
      .flatMap((entry) => changesOf(name.projection, entry));
  }
}

function positionOf([id]: StoredEntry): bigint {
  return BigInt(id.slice(0, id.indexOf('-')));
}

/** An entry is all that one event changed: owner and what, one after the other. */
function changesOf(projection: string, [, words]: StoredEntry): LiveChange[] {
  const changes: LiveChange[] = [];
  for (let at = 0; at < words.length; at += 2) {
    changes.push({ projection, ownerId: words[at] as string, ...changeOfText(words[at + 1] as string) });
  }
  return changes;
}

function smaller(a: bigint, b: bigint | undefined): bigint {
  return b !== undefined && b < a ? b : a;
}
