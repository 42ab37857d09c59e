// Folding a history with one document projection, however it is cut, on whatever sink.
import { decodeHidden } from '../../src/event-log/codec.js';
import type { LogEvent } from '../../src/event-log/event-log.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { DocumentRunner, defaultRunnerLimits, type RunnerLimits } from '../../src/projector/fold/document-runner.js';
import { type Decoder, decodePage } from '../../src/projector/fold/page.js';
import type { DocumentSink } from '../../src/projector/sinks/document-sink.js';

export const logId = '11111111-1111-4111-8111-111111111111';

/** Test events are not sealed. */
export const plainDecoder: Decoder = { decode: async (event) => decodeHidden(event) };

export interface FoldOptions {
  readonly pageSizes?: () => number;
  readonly limits?: Partial<RunnerLimits>;
  readonly shard?: number;
  readonly shards?: number;
  readonly decoder?: Decoder;
}

export function runnerOf(
  projection: DocumentProjection,
  sink: DocumentSink,
  { limits = {}, shard = 0, shards = 1 }: FoldOptions = {},
): DocumentRunner {
  return new DocumentRunner(projection, sink, { shard, shards, logId, limits: { ...defaultRunnerLimits, ...limits } });
}

export async function fold(
  projection: DocumentProjection,
  events: readonly LogEvent[],
  sink: DocumentSink,
  options: FoldOptions = {},
): Promise<DocumentRunner> {
  const runner = runnerOf(projection, sink, options);
  await runner.open();
  await runner.begin();
  for (let at = 0; at < events.length; ) {
    const size = Math.max(1, options.pageSizes?.() ?? events.length);
    const decoder = options.decoder ?? plainDecoder;
    const page = await decodePage(events.slice(at, at + size), decoder, (type) => runner.wants(type));
    await runner.fold(page, runner.position);
    at += size;
  }
  return runner;
}
