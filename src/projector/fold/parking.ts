// Poison events: an event that cannot be folded is parked under its routing keys, and so is every later event that has
// one of these keys, in order; everything else goes on.
import type { LogEvent } from '../../event-log/event-log.js';
import { ownKeys } from '../../kernel/document-keys.js';
import type { AnyEvent, DocumentProjection } from '../../kernel/projection.js';
import type { SinkState, WriteCommand } from '../sinks/document-sink.js';

/** Characters kept of an error's message. */
const messageCharactersMax = 300;

/** What is kept of a parked event: where it is in the log and why it waits, never what it says. */
export interface DeadLetter {
  readonly position: string;
  readonly eventId: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly keys: readonly string[];
  /** Absent: it waits for an earlier one. */
  readonly error?: string;
}

/** The stream, and what the projection adds; of an event that cannot be read the stream alone. */
export function keysOf(
  projection: DocumentProjection,
  log: LogEvent,
  decoded: AnyEvent | Error,
  failure?: Error,
): readonly string[] {
  if (decoded instanceof Error || !projection.routingKeys) return [log.stream];
  try {
    return [log.stream, ...projection.routingKeys(decoded)];
  } catch (error) {
    if (failure) return [log.stream];
    throw error;
  }
}

/** Takes letters out, with the keys that none of the waiting ones needs. */
export function unpark(letters: readonly DeadLetter[], waiting: readonly DeadLetter[]): WriteCommand[] {
  if (letters.length === 0) return [];
  const held = new Set(waiting.flatMap(({ keys }) => keys));
  const freed = [...new Set(letters.flatMap(({ keys }) => keys))].filter((key) => !held.has(key));
  return [
    ['HDEL', ownKeys.deadLetters, ...letters.map(({ position }) => position)],
    ...(freed.length > 0 ? [['HDEL', ownKeys.parkedKeys, ...freed] as const] : []),
  ];
}

/** The letters that depend on one of these, and these: what has a key in common, over any number of steps. */
export function dependents(letters: readonly DeadLetter[], first: readonly DeadLetter[]): DeadLetter[] {
  const keys = new Set(first.flatMap((letter) => letter.keys));
  for (let known = -1; known !== keys.size; ) {
    known = keys.size;
    for (const letter of letters) {
      if (letter.keys.some((key) => keys.has(key))) for (const key of letter.keys) keys.add(key);
    }
  }
  return letters.filter((letter) => letter.keys.some((key) => keys.has(key)));
}

/** Parked events as the sink has them, and what the batch adds. */
export class Parking {
  private readonly added = new Map<string, string>();
  private count: number;

  constructor(private readonly state: Pick<SinkState, 'parkedKeys' | 'dropped' | 'deadLetters'>) {
    this.count = state.deadLetters;
  }

  /** Parked events, those of the batch included. */
  get size(): number {
    return this.count;
  }

  isDropped(position: bigint): boolean {
    return this.state.dropped.size > 0 && this.state.dropped.has(String(position));
  }

  isParked(keys: readonly string[]): boolean {
    if (this.state.parkedKeys.size === 0 && this.added.size === 0) return false;
    return keys.some((key) => this.state.parkedKeys.has(key) || this.added.has(key));
  }

  park(log: LogEvent, keys: readonly string[], failure: Error | undefined): WriteCommand[] {
    const position = String(log.position);
    const letter: DeadLetter = {
      position,
      eventId: log.id,
      stream: log.stream,
      revision: log.revision,
      type: log.type,
      keys,
      ...(failure ? { error: `${failure.name}: ${failure.message}`.slice(0, messageCharactersMax) } : {}),
    };
    this.count += 1;
    const fresh = keys.filter((key) => !this.isParked([key]));
    for (const key of fresh) this.added.set(key, position);
    const commands: WriteCommand[] = [['HSET', ownKeys.deadLetters, position, JSON.stringify(letter)]];
    if (fresh.length > 0) commands.push(['HSET', ownKeys.parkedKeys, ...fresh.flatMap((key) => [key, position])]);
    return commands;
  }
}
