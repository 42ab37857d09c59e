// Personal texts: sealed on disk, opened with the person's key, absent without it, bound to their event.
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { decodeHidden, EventCodec, EventUnreadable, personalTable } from '../../src/event-log/codec.js';
import type { LogEvent, NewEvent } from '../../src/event-log/event-log.js';
import { Keyring } from '../../src/event-log/keyring.js';
import type { EventMetadata } from '../../src/kernel/message.js';
import { personal } from '../../src/kernel/personal.js';
import { MemoryLog } from './memory-log.js';

const clock = { now: () => 1_750_000_000_000 };
const table = personalTable({
  NoteWritten: z.strictObject({ authorId: z.string(), text: personal(z.string(), 'authorId'), likes: z.int() }),
  NotePinned: z.strictObject({ noteId: z.string() }),
});
const metadata: EventMetadata = {
  schemaVersion: 1,
  actor: { kind: 'member', id: 'anna' },
  occurredAt: '2026-01-01T00:00:00.000Z',
  receivedAt: '2026-01-01T00:00:00.000Z',
  correlationId: 'c',
  source: 'server',
};
const written = { type: 'NoteWritten', data: { authorId: 'anna', text: 'meet me at noon', likes: 3 } };

function setUp(masterKey = Buffer.alloc(32, 7)) {
  const log = new MemoryLog();
  const keyring = new Keyring({ log, masterKey, clock });
  return { log, codec: new EventCodec(keyring, table) };
}
function stored(event: NewEvent): LogEvent {
  return { ...event, stream: 'note-1', revision: 0, position: 1n, recordedAt: 1_750_000_000_000 };
}
const id = '00000000-0000-8000-8000-000000000001';

describe('the codec', () => {
  it('finds the personal fields of the schemas', () => {
    expect(table).toEqual(new Map([['NoteWritten', new Map([['text', 'authorId']])]]));
  });

  it('gives back what it was given, to whoever may see it', async () => {
    const { codec } = setUp();
    const event = stored(await codec.encode(id, written, metadata));
    expect(await codec.decode(event, { reveal: true })).toMatchObject({ ...written, id, metadata, revision: 0 });
  });

  it('leaves nothing readable of a personal field in the bytes', async () => {
    const { codec } = setUp();
    const event = await codec.encode(id, written, metadata);
    expect(Buffer.from(event.data).toString()).not.toContain('noon');
    expect(Buffer.from(event.data).toString()).toContain('"likes":3');
  });

  it('shows a personal field as absent without touching a key', async () => {
    const { codec, log } = setUp();
    const event = stored(await codec.encode(id, written, metadata));
    const keyEvents = log.events.length;
    expect(decodeHidden(event).data).toEqual({ authorId: 'anna', likes: 3 });
    expect((await codec.decode(event, { reveal: false })).data).toEqual({ authorId: 'anna', likes: 3 });
    expect(log.events).toHaveLength(keyEvents);
  });

  it('shows it as absent once the key is gone', async () => {
    const { codec } = setUp();
    const event = stored(await codec.encode(id, written, metadata));
    const elsewhere = setUp().codec;
    expect((await elsewhere.decode(event, { reveal: true })).data).toEqual({ authorId: 'anna', likes: 3 });
  });

  it('does not open a sealed text that was moved to another event, field or person', async () => {
    const { codec } = setUp();
    const event = stored(await codec.encode(id, written, metadata));
    const moved = { ...event, id: '00000000-0000-8000-8000-000000000002' };
    expect((await codec.decode(moved, { reveal: true })).data).toEqual({ authorId: 'anna', likes: 3 });
    await codec.encode(id, { type: 'NoteWritten', data: { authorId: 'bert', text: 'x', likes: 0 } }, metadata);
    const renamed = JSON.parse(Buffer.from(event.data).toString().replace('anna', 'bert'));
    const data = Buffer.from(JSON.stringify(renamed));
    expect((await codec.decode({ ...event, data }, { reveal: true })).data).toEqual({ authorId: 'bert', likes: 3 });
  });

  it('leaves an absent personal field absent and makes no key for it', async () => {
    const { codec, log } = setUp();
    const silent = { type: 'NoteWritten', data: { authorId: 'anna', likes: 0 } };
    const event = stored(await codec.encode(id, silent, metadata));
    expect((await codec.decode(event, { reveal: true })).data).toEqual(silent.data);
    expect(log.events).toHaveLength(0);
  });

  it('shows a fold the same event whether it comes from a command or from the log', async () => {
    const { codec } = setUp();
    const event = stored(await codec.encode(id, written, metadata));
    expect(codec.withoutPersonal(written).data).toEqual(decodeHidden(event).data);
  });

  it('names the event whose bytes it cannot read', () => {
    const event = stored({
      id,
      type: 'NotePinned',
      contentType: 'application/json',
      data: Buffer.from('{"noteId":'),
      metadata: Buffer.from('{}'),
    });
    expect(() => decodeHidden(event)).toThrow(EventUnreadable);
    expect(() => decodeHidden(event)).toThrow('note-1@0 (NotePinned): its data is not JSON');
  });
});
