// What the log's crash rounds write: units (one append, or one call of appendMany) whose every byte follows from their
// number, so that what is found afterwards can be judged without having been told.
import { createHash } from 'node:crypto';
import type { EmbeddedLogOptions } from '../../src/event-log/embedded/embedded-event-log.js';
import type { ExpectedRevision, NewEvent, StreamAppend } from '../../src/event-log/event-log.js';
import { deriveId } from '../../src/kernel/ids.js';
import { randomFrom } from './suite.js';

export const writers = 64;
/** Streams that all writers of all rounds share. */
const sharedStreams = 4;
const dataBytesMax = 900;

/** Small files and small runs of the index, so that kills hit their borders, too. */
export const crashLogOptions: EmbeddedLogOptions = { segmentBytes: 512 * 1024, indexRunEvents: 500 };

export interface Orders {
  readonly directory: string;
  readonly seed: number;
  readonly round: number;
}

export interface UnitName {
  readonly round: number;
  readonly writer: number;
  readonly number: number;
}

export function unitKey({ round, writer, number }: UnitName): string {
  return `${round}/${writer}/${number}`;
}

/** The metadata of every event: which unit it belongs to, its place in it and how many events the unit has. */
export interface UnitMark extends UnitName {
  readonly index: number;
  readonly size: number;
}

export function ownStream(round: number, writer: number): string {
  return `own-${round}_${writer}`;
}

export function eventId(seed: number, mark: UnitMark): string {
  return deriveId(`${seed}`, unitKey(mark), `${mark.index}`);
}

/** The data that an event with this id must have. */
export function dataOf(id: string): Uint8Array {
  const digest = createHash('sha256').update(id).digest();
  const length = digest.readUInt16LE(0) % dataBytesMax;
  return Buffer.alloc(length, digest);
}

export interface Unit {
  readonly appends: readonly StreamAppend[];
  /** How many events of the writer's own stream there are after it. */
  readonly ownAfter: number;
}

/** The unit with this name, when the writer's own stream holds `own` events. */
export function unitOf(seed: number, name: UnitName, own: number): Unit {
  const random = randomFrom(seed ^ Math.imul(name.round * 64 + name.writer, 0x9e3779b1) ^ name.number);
  const size = random() < 0.6 ? 1 : 2 + Math.floor(random() * 6);
  const events = Array.from({ length: size }, (_, index): NewEvent => {
    const mark: UnitMark = { ...name, index, size };
    const id = eventId(seed, mark);
    return {
      id,
      type: `Crash${index % 3}`,
      contentType: 'application/octet-stream',
      data: dataOf(id),
      metadata: Buffer.from(JSON.stringify(mark)),
    };
  });
  const stream = ownStream(name.round, name.writer);
  const expected: ExpectedRevision = own === 0 ? 'no_stream' : own - 1;
  const shared = `shared-${Math.floor(random() * sharedStreams)}`;
  if (random() < 0.25) return { appends: [{ stream: shared, events, expected: 'any' }], ownAfter: own };
  if (size === 1 || random() < 0.5) return { appends: [{ stream, events, expected }], ownAfter: own + size };
  const cut = 1 + Math.floor(random() * (size - 1));
  return {
    appends: [
      { stream, events: events.slice(0, cut), expected },
      { stream: shared, events: events.slice(cut), expected: 'any' },
    ],
    ownAfter: own + cut,
  };
}
