// A log with some history on disk, for tests that then harm its files.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedEventLog, type EmbeddedLogOptions } from '../../../src/event-log/embedded/embedded-event-log.js';
import type { LogEvent, NewEvent } from '../../../src/event-log/event-log.js';
import { deriveId } from '../../../src/kernel/ids.js';
import { all } from '../contract/rule.js';

export const fixtureOptions: EmbeddedLogOptions = { segmentBytes: 8_000, indexRunEvents: 40, durable: false };

export function eventNumber(i: number, dataBytes = 40 + ((i * 37) % 200)): NewEvent {
  return {
    id: deriveId('fixture', `${i}`),
    type: `Fixture${i % 3}`,
    contentType: 'application/octet-stream',
    data: Buffer.alloc(dataBytes, i % 251),
    metadata: Buffer.from(`{"i":${i}}`),
  };
}

/** Writes `count` events into some streams, one append for each or several, and closes the log. Gives the events. */
export async function writeHistory(directory: string, count = 200, options = fixtureOptions): Promise<LogEvent[]> {
  const log = await EmbeddedEventLog.open(directory, options);
  for (let i = 0; i < count; ) {
    const size = Math.min(count - i, 1 + (i % 3));
    const events = Array.from({ length: size }, (_, k) => eventNumber(i + k));
    await log.append(`history-${i % 7}`, events, 'any');
    i += size;
  }
  const events = await all(log.readEverything({ direction: 'forwards' }));
  await log.close();
  return events;
}

export function segmentPaths(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.seg'))
    .toSorted()
    .map((name) => join(directory, name));
}

export function indexPaths(directory: string): string[] {
  return readdirSync(join(directory, 'index'))
    .filter((name) => name.endsWith('.idx'))
    .toSorted()
    .map((name) => join(directory, 'index', name));
}

/** All that can be read: everything, and every stream by the index. @throws what the log throws */
export async function readEverything(directory: string, options = fixtureOptions): Promise<LogEvent[]> {
  const log = await EmbeddedEventLog.open(directory, options);
  try {
    const events = await all(log.readEverything({ direction: 'forwards' }));
    for (let i = 0; i < 7; i++) await all(log.readStream(`history-${i}`));
    return events;
  } finally {
    await log.close();
  }
}

export function positions(events: readonly LogEvent[]): bigint[] {
  return events.map((event) => event.position);
}
