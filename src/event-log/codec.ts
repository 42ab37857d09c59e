// Events ↔ the log's bytes. JSON, with personal fields sealed with the key of the person they are about, bound to
// their event, so that a sealed text cannot be moved to another one. Who has no key sees the field as absent.
import type { z } from 'zod';
import type { DomainEvent, EventMetadata, RecordedEvent } from '../kernel/message.js';
import { personalFields } from '../kernel/personal.js';
import type { LogEvent, NewEvent } from './event-log.js';
import { textOf } from './event-text.js';
import type { Keyring } from './keyring.js';
import { open, seal } from './sealing.js';

/** Event type → its personal fields → the field that holds the id of the person each is about. */
export type PersonalTable = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function personalTable(catalog: Readonly<Record<string, z.ZodType>>): PersonalTable {
  const table = new Map<string, ReadonlyMap<string, string>>();
  for (const [type, schema] of Object.entries(catalog)) {
    const fields = personalFields(schema);
    if (fields.size > 0) table.set(type, fields);
  }
  return table;
}

/** The bytes of an event cannot be read as the codec wrote them. */
export class EventUnreadable extends Error {
  constructor(event: Pick<LogEvent, 'stream' | 'revision' | 'type'>, reason: string) {
    super(`${event.stream}@${event.revision} (${event.type}): ${reason}`);
    this.name = 'EventUnreadable';
  }
}

/** How a sealed field stands in the stored JSON. */
interface Sealed {
  readonly $sealed: string;
}
function isSealed(value: unknown): value is Sealed {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Sealed>).$sealed === 'string';
}

type Fields = Record<string, unknown>;

function parse(event: LogEvent, part: 'data' | 'metadata'): Fields {
  const bytes = event[part];
  let value: unknown;
  try {
    value = JSON.parse(textOf(bytes));
  } catch {
    throw new EventUnreadable(event, `its ${part} is not JSON`);
  }
  if (typeof value !== 'object' || value === null) throw new EventUnreadable(event, `its ${part} is not an object`);
  return value as Fields;
}

/** Events that were written together share their instant, and many are read one after the other. */
const lastInstant = { ms: 0, iso: new Date(0).toISOString() };
function isoOf(ms: number): string {
  if (lastInstant.ms !== ms) {
    lastInstant.iso = new Date(ms).toISOString();
    lastInstant.ms = ms;
  }
  return lastInstant.iso;
}

function recorded(event: LogEvent, data: Fields): RecordedEvent {
  return {
    id: event.id,
    stream: event.stream,
    revision: event.revision,
    position: event.position,
    recordedAt: isoOf(event.recordedAt),
    type: event.type,
    data,
    metadata: parse(event, 'metadata') as unknown as EventMetadata,
  };
}

/** Without keys: every personal field is absent. @throws EventUnreadable */
export function decodeHidden(event: LogEvent): RecordedEvent {
  const data = parse(event, 'data');
  for (const name of Object.keys(data)) if (isSealed(data[name])) delete data[name];
  return recorded(event, data);
}

export class EventCodec {
  constructor(
    private readonly keyring: Pick<Keyring, 'find' | 'findOrMake'>,
    private readonly personal: PersonalTable,
  ) {}

  /** Seals personal fields; a person's first one makes their key. @throws SubjectErased */
  async encode(id: string, event: DomainEvent, metadata: EventMetadata): Promise<NewEvent> {
    const fields = this.personal.get(event.type);
    const data = fields ? await this.sealed(id, event, fields) : event.data;
    return {
      id,
      type: event.type,
      contentType: 'application/json',
      data: Buffer.from(JSON.stringify(data), 'utf8'),
      metadata: Buffer.from(JSON.stringify(metadata), 'utf8'),
    };
  }

  /** As decodeHidden would show it: what a fold sees must not depend on where the event comes from. */
  withoutPersonal(event: DomainEvent): DomainEvent {
    const fields = this.personal.get(event.type);
    if (!fields) return event;
    const data = Object.entries(event.data as Fields).filter(([name]) => !fields.has(name));
    return { ...event, data: Object.fromEntries(data) };
  }

  /** With `reveal`, personal fields whose key is there; without, none (no key is touched). @throws EventUnreadable */
  async decode(event: LogEvent, options: { readonly reveal: boolean }): Promise<RecordedEvent> {
    if (!options.reveal || !this.personal.has(event.type)) return decodeHidden(event);
    const data = parse(event, 'data');
    for (const [name, value] of Object.entries(data)) {
      if (!isSealed(value)) continue;
      const plain = await this.opened(event, name, value, data);
      if (plain === undefined) delete data[name];
      else data[name] = plain;
    }
    return recorded(event, data);
  }

  /** A page, in order. */
  async decodeAll(events: readonly LogEvent[], options: { readonly reveal: boolean }): Promise<RecordedEvent[]> {
    const decoded: RecordedEvent[] = [];
    for (const event of events) {
      // Waiting only where there is something to open: most events have no personal field.
      const plain = !options.reveal || !this.personal.has(event.type);
      decoded.push(plain ? decodeHidden(event) : await this.decode(event, options));
    }
    return decoded;
  }

  private async sealed(id: string, event: DomainEvent, fields: ReadonlyMap<string, string>): Promise<Fields> {
    const data: Fields = { ...(event.data as Fields) };
    for (const [name, about] of fields) {
      if (data[name] === undefined) continue;
      const memberId = data[about];
      if (typeof memberId !== 'string') throw new TypeError(`${event.type}.${name}: no person's id in ${about}`);
      const key = await this.keyring.findOrMake(memberId);
      const plain = Buffer.from(JSON.stringify(data[name]), 'utf8');
      data[name] = { $sealed: seal(key, plain, [event.type, id, name]) } satisfies Sealed;
    }
    return data;
  }

  private async opened(event: LogEvent, name: string, value: Sealed, data: Fields): Promise<unknown> {
    const memberId = data[this.personal.get(event.type)?.get(name) ?? ''];
    const key = typeof memberId === 'string' ? await this.keyring.find(memberId) : undefined;
    const plain = key && open(key, value.$sealed, [event.type, event.id, name]);
    return plain === undefined ? undefined : JSON.parse(plain.toString('utf8'));
  }
}
