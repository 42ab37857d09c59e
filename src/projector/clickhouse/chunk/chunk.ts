// A chunk: what a span of the log adds to the fact table, as text ready to be sent, one part for each month. Built from
// the log alone, so whoever builds the chunk of a span builds the same bytes.
import type { ColumnType } from '../../../../projections/fact-row.js';
import type { LogEvent } from '../../../event-log/event-log.js';
import { toMs } from '../../../kernel/clock.js';
import type { RecordedEvent } from '../../../kernel/message.js';
import type { RowProjection } from '../../../kernel/projection.js';
import { rowText } from './row-text.js';

/** A row projection and how its columns are stored. */
export interface FactSource {
  readonly projection: RowProjection;
  readonly types: Readonly<Record<string, ColumnType>>;
}

export interface ChunkPart {
  /** Of the partition, as 202601. */
  readonly month: number;
  readonly rows: number;
  /** The lines, in pieces that are cheap to send one after the other. */
  readonly pieces: readonly Buffer[];
}

/** An event of which no rows could be made: where it is and why, never what it says. */
export interface ParkedEvent {
  readonly position: bigint;
  readonly eventId: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly error: string;
}

export interface Chunk {
  /** Position of the first event with rows, else of the first parked one: it names the chunk and stands in each of its rows. */
  readonly id: bigint;
  /** The last event considered, exclusive and inclusive end of the span. */
  readonly after: bigint;
  readonly to: bigint;
  /** Events that made rows. */
  readonly events: number;
  readonly rows: number;
  /** Exclusive-or of those events' ids, 32 hex digits. */
  readonly xor: string;
  readonly parts: readonly ChunkPart[];
  /** No event depends on another's rows, so one that fails is left out by itself. */
  readonly parked: readonly ParkedEvent[];
}

/** Parked events of one chunk: it is cut when there are so many, for they stand in its plan. */
export const parkedMax = 200;
const errorCharactersMax = 300;
const pieceBytes = 128 * 1024;

class PartBuilder {
  rows = 0;
  private readonly pieces: Buffer[] = [];
  private text = '';

  add(line: string): void {
    this.rows += 1;
    this.text += line;
    if (this.text.length >= pieceBytes) this.cut();
  }

  build(month: number): ChunkPart {
    this.cut();
    return { month, rows: this.rows, pieces: this.pieces };
  }

  private cut(): void {
    if (this.text === '') return;
    this.pieces.push(Buffer.from(this.text, 'utf8'));
    this.text = '';
  }
}

/** Where the 32 hex digits stand in the text of a UUID. */
const digitPlaces = Array.from({ length: 36 }, (_, at) => at).filter((at) => ![8, 13, 18, 23].includes(at));

/** Exclusive-or of UUIDs, digit by digit: one for every event, so no big integers and no parts of texts. */
class IdXor {
  private readonly digits = new Uint8Array(32);

  add(id: string): void {
    for (let digit = 0; digit < 32; digit += 1) {
      const code = id.charCodeAt(digitPlaces[digit] as number);
      // 0 to 9 are 0x30 to 0x39; letters of either case have their value less 9 in the lowest bits.
      this.digits[digit] = (this.digits[digit] as number) ^ (code < 0x40 ? code & 15 : (code & 15) + 9);
    }
  }

  hex(): string {
    return Array.from(this.digits, (digit) => digit.toString(16)).join('');
  }
}

export class ChunkBuilder {
  rows = 0;
  bytes = 0;
  private to: bigint;
  private events = 0;
  private readonly xor = new IdXor();
  /** ISO; of one form, so that texts compare as instants do. */
  private received = '';
  /** The last column, which names the chunk, and the line's end: once the chunk has its name. */
  private ending = '';
  private readonly parts = new Map<number, PartBuilder>();
  readonly parked: ParkedEvent[] = [];
  private readonly line: ReturnType<typeof rowText>;

  /** @param id of a chunk that was named before */
  constructor(
    private readonly source: FactSource,
    private readonly after: bigint,
    private id?: bigint,
  ) {
    this.to = after;
    this.line = rowText(source.types);
  }

  /** Position of the last event considered. */
  get considered(): bigint {
    return this.to;
  }

  /** The latest time by which the service knew of an event considered, milliseconds since 1970; 0 for none. */
  get receivedUpTo(): number {
    return this.received === '' ? 0 : toMs(this.received);
  }

  /** An event that makes no rows and is only passed by. */
  pass(position: bigint): void {
    this.to = position;
  }

  /** An event that could not be read or made rows of. */
  park({ position, id, stream, revision, type }: LogEvent, failure: unknown): void {
    this.to = position;
    const text = failure instanceof Error ? `${failure.name}: ${failure.message}` : String(failure);
    this.parked.push({ position, eventId: id, stream, revision, type, error: text.slice(0, errorCharactersMax) });
  }

  /** @throws whatever the event's own rows throw; then nothing of it is in the chunk. */
  add(event: RecordedEvent): void {
    const lines = this.linesOf(event);
    this.to = event.position;
    if (event.metadata.receivedAt > this.received) this.received = event.metadata.receivedAt;
    if (lines.length === 0) return;
    this.id ??= event.position;
    if (this.ending === '') this.ending = `\t${this.id}\n`;
    this.events += 1;
    this.xor.add(event.id);
    for (const { month, line } of lines) {
      const text = line + this.ending;
      this.rows += 1;
      this.bytes += text.length;
      this.part(month).add(text);
    }
  }

  private linesOf(event: RecordedEvent): readonly { readonly month: number; readonly line: string }[] {
    const { on, partitionBy } = this.source.projection;
    const rows = Object.hasOwn(on, event.type) ? (on[event.type]?.(event) ?? []) : [];
    return rows.map((row) => ({ month: monthOf(String(row[partitionBy])), line: this.line(row) }));
  }

  /** Undefined when no event of the span makes rows, or should have. */
  build(): Chunk | undefined {
    const id = this.id ?? this.parked[0]?.position;
    if (id === undefined) return undefined;
    return {
      id,
      after: this.after,
      to: this.to,
      events: this.events,
      rows: this.rows,
      xor: this.xor.hex(),
      parts: [...this.parts].sort(([a], [b]) => a - b).map(([month, part]) => part.build(month)),
      parked: this.parked,
    };
  }

  private part(month: number): PartBuilder {
    let part = this.parts.get(month);
    if (!part) {
      part = new PartBuilder();
      this.parts.set(month, part);
    }
    return part;
  }
}

/** Of an instant in UTC, as ClickHouse's toYYYYMM says it. */
export function monthOf(iso: string): number {
  if (!/^\d{4}-\d{2}/.test(iso)) throw new RangeError(`not an ISO instant: ${iso.slice(0, 40)}`);
  return Number(iso.slice(0, 4)) * 100 + Number(iso.slice(5, 7));
}
