// What a build that is found is worth to this process.
import { decodeCheckpoint, decodeMarker, isFoldOf } from '../../kernel/document-keys.js';
import type { DocumentProjection } from '../../kernel/projection.js';
import { ProjectionStuck } from '../fold/document-runner.js';
import type { DocumentSink } from '../sinks/document-sink.js';

/**
 * sound: goes on. fresh: begun, nothing is in it yet. outdated: of another version of the projection or of other settings,
 * readable.
 * lost: its data are not whole. beyond: it knows more than the log does, which must have been restored.
 */
export type Verdict = 'sound' | 'fresh' | 'outdated' | 'lost' | 'beyond';

/** The head is asked for when it is needed: as it was a while ago, whoever folds on meanwhile seems to know the future. */
export interface LogPlace {
  readonly id: string;
  head(): Promise<bigint>;
}

/** @throws ProjectionStuck when the build belongs to another log. */
export async function judgeBuild(
  sink: Pick<DocumentSink, 'state'>,
  projection: DocumentProjection,
  build: number,
  log: LogPlace,
): Promise<Verdict> {
  const state = await sink.state();
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
  if (checkpoint.position > (await log.head())) return 'beyond';
  return isFoldOf(marker, projection) ? 'sound' : 'outdated';
}
