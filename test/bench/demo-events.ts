// The events of a real demo, as the mix that the projectors are measured with: the demo is run once, its log is read and
// decoded, and its world is repeated under other ids until there are enough events.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../../src/config.js';
import { eventCatalog } from '../../src/domain/catalog.js';
import { EventCodec, personalTable } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import type { EventLog, LogEvent, NewEvent, StreamAppend } from '../../src/event-log/event-log.js';
import { Keyring } from '../../src/event-log/keyring.js';
import { deriveId } from '../../src/kernel/ids.js';
import type { EventMetadata } from '../../src/kernel/message.js';

export interface PlainEvent {
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: EventMetadata;
}

export const clock = { now: () => Date.parse('2026-01-01T00:00:00.000Z') };
const appendEventsMax = 2_000;

/** @param directory where the demo's data are, or are to be */
export async function demoEvents(directory: string, note: (line: string) => void): Promise<PlainEvent[]> {
  if (!existsSync(join(directory, 'demo.json'))) {
    note(`running the demo once, for its events (${directory})`);
    await runDemo(directory);
  }
  const { masterKey } = readConfig({ HOMING_DATA_DIR: directory });
  const log = await EmbeddedEventLog.open(join(directory, 'log'));
  const codec = codecOf(log, masterKey);
  const events: PlainEvent[] = [];
  for await (const page of log.readAll()) {
    for (const event of page.filter(({ type }) => Object.hasOwn(eventCatalog, type))) {
      const { data, metadata } = await codec.decode(event, { reveal: true });
      const { id, stream, type } = event;
      events.push({ id, stream, type, data: JSON.stringify(data), metadata });
    }
  }
  await log.close();
  note(`${events.length} events of the demo`);
  return events;
}

async function runDemo(directory: string): Promise<void> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const demo = [here('../../src/cli/homing.ts'), 'demo', '--exit', '--port', '0', '--data-dir', directory];
  const child = spawn(process.execPath, ['--no-warnings', '--import', here('../register.mjs'), ...demo], {
    stdio: 'ignore',
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the demo ended with ${String(code)}`);
}

const uuid = /\b[0-9a-z]{2}([0-9a-f]{6}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b/g;
const linkId = /\b[0-9a-f]{2}([0-9a-f]{30})\b/g;

/** The same world again, of other people: every id begins with the number of the copy. */
function inCopy(text: string, copy: number): string {
  if (copy === 0) return text;
  const mark = copy.toString(36).padStart(2, '0');
  return text.replace(uuid, `${mark}$1`).replace(linkId, `${mark}$1`);
}

export function* copies(events: readonly PlainEvent[], count: number): Iterable<PlainEvent> {
  for (let made = 0, copy = 0; made < count; copy += 1) {
    for (const event of events) {
      if (made === count) return;
      made += 1;
      yield {
        ...event,
        id: copy === 0 ? event.id : deriveId('copy', String(copy), event.id),
        stream: inCopy(event.stream, copy),
        data: inCopy(event.data, copy),
      };
    }
  }
}

/** As a log would give them back, unsealed, in memory. */
export function asPages(events: Iterable<PlainEvent>, pageEvents: number): LogEvent[][] {
  const pages: LogEvent[][] = [[]];
  const revisions = new Map<string, number>();
  let position = 0n;
  for (const { id, stream, type, data, metadata } of events) {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    position += 700n;
    const bytes = { data: Buffer.from(data), metadata: Buffer.from(JSON.stringify(metadata)) };
    const event: LogEvent = {
      id,
      stream,
      type,
      contentType: 'application/json',
      revision,
      position,
      recordedAt: 0,
      ...bytes,
    };
    if (pages.at(-1)?.length === pageEvents) pages.push([]);
    pages.at(-1)?.push(event);
  }
  return pages;
}

/** Seals and opens personal fields as the service does. */
export function codecOf(log: EventLog, masterKey: Buffer): EventCodec {
  return new EventCodec(new Keyring({ log, masterKey, clock }), personalTable(eventCatalog));
}

/** Into a real log, with personal fields sealed as the service does. */
export async function fillLog(log: EventLog, codec: EventCodec, events: Iterable<PlainEvent>): Promise<void> {
  let batch = new Map<string, NewEvent[]>();
  let count = 0;
  const write = async (): Promise<void> => {
    const appends: StreamAppend[] = [...batch].map(([stream, some]) => ({ stream, events: some, expected: 'any' }));
    if (appends.length > 0) await log.appendMany(appends);
    batch = new Map();
    count = 0;
  };
  for (const { id, stream, type, data, metadata } of events) {
    const made = await codec.encode(id, { type, data: JSON.parse(data) as unknown }, metadata);
    const some = batch.get(stream);
    if (some) some.push(made);
    else batch.set(stream, [made]);
    count += 1;
    if (count === appendEventsMax) await write();
  }
  await write();
}
