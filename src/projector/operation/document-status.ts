// Where every document projection stands, read from beside its data: for health, metrics, the CLI and the admin API.
import type { EventLogReader } from '../../event-log/event-log.js';
import { type Checkpoint, decodeCheckpoint, type ShardName } from '../../kernel/document-keys.js';
import type { BuildState } from '../builds/builds.js';
import type { DocumentStore } from '../sinks/document-store.js';
import { type Lag, lagOf } from './lag.js';

export interface BuildStatus extends Lag {
  readonly projection: string;
  readonly shard: number;
  readonly build: number;
  readonly state: BuildState;
  readonly position: bigint;
  readonly parkedKeys: number;
  readonly deadLetters: number;
}

const atNothing = { position: 0n, recordedAt: 0 };

/** Builds that readers read, may not read, and those in the making; kept and aborted ones are left out. */
export async function documentStatus(
  store: DocumentStore,
  log: Pick<EventLogReader, 'readAll'>,
  names: readonly ShardName[],
  nowMs: number,
): Promise<BuildStatus[]> {
  const found = await Promise.all(names.map(async (name) => await buildsOf(store, name)));
  const rows = found.flat();
  const lags = await lagOf(
    log,
    rows.map(({ checkpoint }) => checkpoint ?? atNothing),
    nowMs,
  );
  return rows.map(({ checkpoint, ...row }, index) => ({
    ...row,
    position: checkpoint?.position ?? 0n,
    ...(lags[index] as Lag),
  }));
}

type Row = Omit<BuildStatus, keyof Lag | 'position'> & { readonly checkpoint: Checkpoint | undefined };

async function buildsOf(store: DocumentStore, name: ShardName): Promise<Row[]> {
  const { states } = await store.builds(name).list();
  const live = [...states].filter(([, state]) => state !== 'kept' && state !== 'aborted');
  return await Promise.all(
    live.map(async ([build, state]) => {
      const { checkpoint, parkedKeys, deadLetters } = await store.sink(name, build).state();
      return {
        projection: name.projection,
        shard: name.shard,
        build,
        // To whoever looks it is one more that catches up.
        state: state === 'returning' ? 'building' : state,
        checkpoint: checkpoint === undefined ? undefined : decodeCheckpoint(checkpoint),
        parkedKeys: parkedKeys.size,
        deadLetters,
      };
    }),
  );
}

/** How far along the log a position is, 0 to 1; positions are no counts, so about. */
export function progressOf(position: bigint, head: bigint): number {
  return head === 0n ? 1 : Math.min(1, Number((position * 10_000n) / head) / 10_000);
}

/** Every shard of every projection. */
export function shardNames(projections: readonly string[], shards: number): ShardName[] {
  return projections.flatMap((projection) =>
    Array.from({ length: shards }, (_, shard) => ({ projection, shard, shards })),
  );
}
