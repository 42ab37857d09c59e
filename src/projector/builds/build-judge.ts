// What a build that is found in Redis is worth to this process.
import { decodeCheckpoint, decodeMarker, type ShardName } from '../../kernel/document-keys.js';
import type { DocumentProjection } from '../../kernel/projection.js';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { ProjectionStuck } from '../fold/document-runner.js';
import { RedisSink } from '../sinks/redis-sink.js';

/**
 * sound: goes on. fresh: begun, nothing is in it yet. outdated: of another version of the projection or of other settings,
 * readable.
 * lost: its data are not whole. beyond: it knows more than the log does, which must have been restored.
 */
export type Verdict = 'sound' | 'fresh' | 'outdated' | 'lost' | 'beyond';

/** @throws ProjectionStuck when the build belongs to another log. */
export async function judgeBuild(
  redis: RedisClient,
  projection: DocumentProjection,
  name: ShardName,
  build: number,
  log: { readonly id: string; readonly head: bigint },
): Promise<Verdict> {
  const state = await new RedisSink(redis, name, build).state();
  if (state.marker === undefined && state.checkpoint === undefined) return 'fresh';
  const marker = decodeMarker(state.marker);
  const checkpoint = state.checkpoint === undefined ? undefined : decodeCheckpoint(state.checkpoint);
  if (!marker || !checkpoint) return 'lost';
  if (marker.logId !== log.id || checkpoint.logId !== log.id) {
    throw new ProjectionStuck(
      projection.name,
      `Redis holds build ${build} of log ${marker.logId}, this is log ${log.id}; use another Redis, or build it again from this log with homing rebuild`,
    );
  }
  if (checkpoint.position > log.head) return 'beyond';
  const isOurs = marker.version === projection.version && marker.settings === projection.settings;
  return isOurs ? 'sound' : 'outdated';
}
