// The plans of one build of the facts, in a stream of the log itself. Its exact expected revision is the only
// compare-and-set there is: of two owners one plans the next chunk, the other finds that plan and makes the same insert.

import { type EventLog, type EventLogReader, type LogEvent, WrongExpectedRevision } from '../../event-log/event-log.js';
import { deriveId } from '../../kernel/ids.js';
import type { Chunk } from './chunk.js';

/** What an owner promised to insert, and under which token. */
export interface ChunkPlan {
  /** Revision in the stream of plans. */
  readonly revision: number;
  readonly id: bigint;
  readonly after: bigint;
  readonly to: bigint;
  readonly events: number;
  readonly rows: number;
  readonly xor: string;
  readonly months: readonly number[];
  /** 1, and one more each time the chunk had to be deleted and inserted anew: no token is ever used for two contents. */
  readonly attempt: number;
}

const planType = 'ChunkPlanned';

export function planStream(sink: string, build: number): string {
  return `sink-${sink}.v${build}`;
}

/** The token of one part of a planned chunk: one insert is one partition. */
export function insertToken(sink: string, build: number, plan: ChunkPlan, part: string): string {
  return `${sink}:${build}:${plan.after}-${plan.to}:${plan.attempt}:${part}`;
}

function parsed(event: LogEvent): ChunkPlan {
  const data = JSON.parse(Buffer.from(event.data).toString('utf8')) as Record<string, unknown>;
  return {
    revision: event.revision,
    id: BigInt(data['id'] as string),
    after: BigInt(data['after'] as string),
    to: BigInt(data['to'] as string),
    events: data['events'] as number,
    rows: data['rows'] as number,
    xor: data['xor'] as string,
    months: data['months'] as number[],
    attempt: data['attempt'] as number,
  };
}

/** The newest plan of a build; undefined when nothing was ever planned. */
export async function lastPlan(log: EventLogReader, stream: string): Promise<ChunkPlan | undefined> {
  for await (const page of log.readStream(stream, { direction: 'backwards', limit: 1 })) {
    const [event] = page;
    if (event) return parsed(event);
  }
  return undefined;
}

/** Every plan of a build, oldest first. */
export async function* allPlans(log: EventLogReader, stream: string): AsyncIterable<ChunkPlan> {
  for await (const page of log.readStream(stream)) for (const event of page) yield parsed(event);
}

/**
 * Appends the plan of a chunk after `previous`. Undefined: somebody else planned first; read the last plan again.
 * The event's id derives from what is planned, so an append whose answer was lost is not planned twice.
 */
export async function appendPlan(
  log: EventLog,
  stream: string,
  previous: ChunkPlan | undefined,
  chunk: Pick<Chunk, 'id' | 'after' | 'to' | 'events' | 'rows' | 'xor'> & { readonly months: readonly number[] },
  attempt = 1,
): Promise<ChunkPlan | undefined> {
  const data = {
    id: String(chunk.id),
    after: String(chunk.after),
    to: String(chunk.to),
    events: chunk.events,
    rows: chunk.rows,
    xor: chunk.xor,
    months: chunk.months,
    attempt,
  };
  const id = deriveId('chunk-plan', stream, String(previous?.revision ?? -1), JSON.stringify(data));
  const event = {
    id,
    type: planType,
    contentType: 'application/json' as const,
    data: Buffer.from(JSON.stringify(data), 'utf8'),
    metadata: Buffer.from('{}', 'utf8'),
  };
  try {
    const { revision } = await log.append(stream, [event], previous?.revision ?? 'no_stream');
    return {
      revision,
      id: chunk.id,
      after: chunk.after,
      to: chunk.to,
      events: chunk.events,
      rows: chunk.rows,
      xor: chunk.xor,
      months: chunk.months,
      attempt,
    };
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return undefined;
    throw error;
  }
}
