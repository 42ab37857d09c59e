// Reads documents of the build that is active now, with the position they hold: both in one round trip. Which build is
// active is remembered and checked by the same trip, so that a switch is seen by the very next read.
import type { ChainableCommander } from 'ioredis';
import {
  activeKey,
  buildPrefix,
  type Checkpoint,
  decodeCheckpoint,
  ownKeys,
  type ShardName,
  shardOf,
} from '../../kernel/document-keys.js';
import type { RedisClient } from '../redis/redis-endpoint.js';
import { pipelineReplies } from './replies.js';

/** Tries when the active build changes under a read. */
const switchesMax = 5;

/** No build of the projection is ready to be read: it is being built for the first time, or again after a loss. */
export class DocumentsNotReady extends Error {
  constructor(readonly projection: string) {
    super(`${projection}: no build is ready to be read`);
    this.name = 'DocumentsNotReady';
  }
}

export interface DocumentAnswer {
  /** In the order of the commands. */
  readonly replies: readonly unknown[];
  readonly checkpoint: Checkpoint;
}

/** Adds read commands of keys of one shard; `key` makes a relative key absolute. */
export type AddReads = (pipeline: ChainableCommander, key: (relative: string) => string) => void;

export class DocumentReader {
  private readonly active = new Map<string, number>();

  /** @param logId what was built from another log is not read; absent: whatever is there is */
  constructor(
    private readonly redis: RedisClient,
    readonly shards: number,
    private readonly logId?: string,
  ) {}

  shardName(projection: string, ownerId: string): ShardName {
    return { projection, shard: shardOf(ownerId, this.shards), shards: this.shards };
  }

  /** @throws DocumentsNotReady */
  async read(projection: string, ownerId: string, add: AddReads): Promise<DocumentAnswer> {
    return await this.readShard(this.shardName(projection, ownerId), add);
  }

  /**
   * One read per shard that owns some of them: the answer to each owner in the order given.
   * @param seen is told of which state each shard's part is
   * @throws DocumentsNotReady
   */
  async readEach<Value>(
    projection: string,
    ownerIds: readonly string[],
    add: (pipeline: ChainableCommander, key: (relative: string) => string, index: number) => void,
    parse: (reply: unknown, index: number) => Value,
    seen?: (name: ShardName, checkpoint: Checkpoint) => void,
  ): Promise<Value[]> {
    const byShard = new Map<number, number[]>();
    for (const [index, ownerId] of ownerIds.entries()) {
      const shard = shardOf(ownerId, this.shards);
      byShard.set(shard, [...(byShard.get(shard) ?? []), index]);
    }
    const values: Value[] = [];
    await Promise.all(
      [...byShard].map(async ([shard, indexes]) => {
        const name = { projection, shard, shards: this.shards };
        const { replies, checkpoint } = await this.readShard(name, (pipeline, key) => {
          for (const index of indexes) add(pipeline, key, index);
        });
        seen?.(name, checkpoint);
        for (const [at, index] of indexes.entries()) values[index] = parse(replies[at], index);
      }),
    );
    return values;
  }

  /** Where the active build of a shard stands. @throws DocumentsNotReady */
  async checkpoint(name: ShardName): Promise<Checkpoint> {
    return (await this.readShard(name, () => undefined)).checkpoint;
  }

  /** @throws DocumentsNotReady */
  async readShard(name: ShardName, add: AddReads): Promise<DocumentAnswer> {
    const active = activeKey(name);
    for (let attempt = 0; attempt < switchesMax; attempt += 1) {
      const build = this.active.get(active) ?? 1;
      const prefix = buildPrefix(name, build);
      // A transaction: nobody's batch and no switch of builds comes between two reads of one answer.
      const reads = this.redis.multi();
      reads.get(active);
      reads.get(prefix + ownKeys.checkpoint);
      add(reads, (relative) => prefix + relative);
      const [now, stored, ...replies] = pipelineReplies(await reads.exec());
      if (typeof now !== 'string') throw new DocumentsNotReady(name.projection);
      if (Number(now) !== build) {
        this.active.set(active, Number(now));
        continue;
      }
      const checkpoint = typeof stored === 'string' ? decodeCheckpoint(stored) : undefined;
      if (!checkpoint || (this.logId !== undefined && checkpoint.logId !== this.logId)) {
        throw new DocumentsNotReady(name.projection);
      }
      return { replies, checkpoint };
    }
    throw new DocumentsNotReady(name.projection);
  }
}
