// The plans of one build of the facts, in a stream of the log itself. Its exact expected revision is the only
// compare-and-set there is: of two owners one plans the next chunk, the other finds that plan and makes the same insert.

import { randomUUID } from 'node:crypto';
import {
  type EventLog,
  type EventLogReader,
  type LogEvent,
  WrongExpectedRevision,
} from '../../../event-log/event-log.js';
import { textOf } from '../../../event-log/event-text.js';
import { deriveId } from '../../../kernel/ids.js';
import type { Chunk, ParkedEvent } from './chunk.js';

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
  readonly parked: readonly ParkedEvent[];
  /** Rows of all plans of the build up to this one: what the fact table holds when all of them are carried out. */
  readonly total?: number;
  /** Present when parked events are taken in after all: positions of just these; the span is empty then. */
  readonly only?: readonly bigint[];
}

const planType = 'ChunkPlanned';

export function planStream(sink: string, build: number): string {
  return `sink-${sink}.v${build}`;
}

/**
 * The token of one part of a planned chunk: one insert is one partition.
 * @param within the attempt of another chunk in whose repair this one is inserted anew
 */
export function insertToken(sink: string, build: number, plan: ChunkPlan, part: string, within?: ChunkPlan): string {
  const attempt = within ? `${plan.attempt}.${within.id}.${within.attempt}` : plan.attempt;
  return `${sink}:${build}:${plan.id}:${plan.after}-${plan.to}:${attempt}:${part}`;
}

function parsed(event: LogEvent): ChunkPlan {
  const data = JSON.parse(textOf(event.data)) as Record<string, unknown>;
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
    parked: ((data['parked'] ?? []) as (Omit<ParkedEvent, 'position'> & { position: string })[]).map((parked) => ({
      ...parked,
      position: BigInt(parked.position),
    })),
    ...(data['total'] === undefined ? {} : { total: data['total'] as number }),
    ...(data['only'] ? { only: (data['only'] as string[]).map(BigInt) } : {}),
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

/** Rows of all plans of a build: an attempt is no new chunk. For builds whose plans do not say it. */
export async function totalOf(log: EventLogReader, stream: string): Promise<number> {
  let total = 0;
  for await (const { attempt, rows } of allPlans(log, stream)) if (attempt === 1) total += rows;
  return total;
}

/** Of some positions: where the events that were parked there stand, and which of them were taken in after all. */
export async function parkedAmong(
  log: EventLogReader,
  stream: string,
  wanted: ReadonlySet<bigint>,
): Promise<{ readonly parked: ReadonlyMap<bigint, ParkedEvent>; readonly takenIn: ReadonlySet<bigint> }> {
  const parked = new Map<bigint, ParkedEvent>();
  const takenIn = new Set<bigint>();
  for await (const plan of allPlans(log, stream)) {
    for (const one of plan.parked) if (wanted.has(one.position)) parked.set(one.position, one);
    for (const position of plan.only ?? []) if (wanted.has(position)) takenIn.add(position);
  }
  return { parked, takenIn };
}

/** Some plans of a build, evenly spread from the first to the last, without holding them all. */
export async function samplePlans(log: EventLogReader, stream: string, count: number): Promise<readonly ChunkPlan[]> {
  let kept: ChunkPlan[] = [];
  let stride = 1;
  let index = 0;
  let last: ChunkPlan | undefined;
  for await (const plan of allPlans(log, stream)) {
    last = plan;
    if (index % stride === 0) kept.push(plan);
    index += 1;
    if (kept.length < count * 2) continue;
    kept = kept.filter((_, place) => place % 2 === 0);
    stride *= 2;
  }
  return last && !kept.includes(last) ? [...kept, last] : kept;
}

/** What is to be planned: a chunk without its text. */
export type PlannedChunk = Omit<ChunkPlan, 'revision' | 'attempt' | 'total'>;

export function planOf(chunk: Chunk): PlannedChunk {
  const { id, after, to, events, rows, xor, parked, parts } = chunk;
  return { id, after, to, events, rows, xor, parked, months: parts.map(({ month }) => month) };
}

/**
 * Appends the plan of a chunk after `previous`. Undefined: somebody else planned first; read the last plan again.
 * The event's id derives from what is planned, so an append whose answer was lost is not planned twice. A further attempt is
 * its owner's alone: what deletes must not be carried out by two.
 */
export async function appendPlan(
  log: EventLog,
  stream: string,
  previous: ChunkPlan | undefined,
  chunk: PlannedChunk,
  attempt = 1,
): Promise<ChunkPlan | undefined> {
  const { total: before } = previous ?? { total: 0 };
  const total = attempt > 1 || before === undefined ? before : before + chunk.rows;
  const json = JSON.stringify({ ...chunk, attempt, total, revision: undefined }, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  const event = {
    id: attempt > 1 ? randomUUID() : deriveId('chunk-plan', stream, String(previous?.revision ?? -1), json),
    type: planType,
    contentType: 'application/json' as const,
    data: Buffer.from(json, 'utf8'),
    metadata: Buffer.from('{}', 'utf8'),
  };
  try {
    const { revision } = await log.append(stream, [event], previous?.revision ?? 'no_stream');
    return { ...chunk, revision, attempt, ...(total === undefined ? {} : { total }) };
  } catch (error) {
    if (error instanceof WrongExpectedRevision) return undefined;
    throw error;
  }
}
