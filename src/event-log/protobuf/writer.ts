// The few protobuf wire types that answers need, written into one buffer of the right size. The generated classes
// build a tree of objects and a list of byte arrays per message, which costs more than reading the event did.

/** Wire types: 0 = varint, 2 = length-delimited. */
export function tag(field: number, wireType: 0 | 2): number {
  return (field << 3) | wireType;
}

/** Numbers are cheaper than bigints; only positions beyond 2^53 need the latter. */
export function unsigned(value: bigint): number | bigint {
  return value <= 9_007_199_254_740_991n ? Number(value) : value;
}

/** Bytes of an unsigned varint; `value` is an integer from 0 to 2^64 - 1 (exact only up to 2^53 as a number). */
export function varintSize(value: number | bigint): number {
  if (typeof value === 'bigint') {
    let size = 1;
    for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size += 1;
    return size;
  }
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
}

/** Size of a length-delimited field with a one-byte tag (field numbers 1 to 15). */
export function fieldSize(bytes: number): number {
  return 1 + varintSize(bytes) + bytes;
}

export class ProtobufWriter {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size);
  }

  byte(value: number): void {
    this.buffer[this.at++] = value;
  }

  varint(value: number | bigint): void {
    if (typeof value === 'bigint') {
      let rest = value;
      while (rest >= 0x80n) {
        this.byte(Number(rest & 0x7fn) | 0x80);
        rest >>= 7n;
      }
      this.byte(Number(rest));
      return;
    }
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** A tag and the length of what follows. */
  open(field: number, length: number): void {
    this.byte(tag(field, 2));
    this.varint(length);
  }

  uint64(field: number, value: number | bigint): void {
    this.byte(tag(field, 0));
    this.varint(value);
  }

  bytes(field: number, value: Uint8Array): void {
    this.open(field, value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
  }

  /** `length` is the text's size in UTF-8. */
  text(field: number, value: string, length: number): void {
    this.open(field, length);
    this.at += this.buffer.write(value, this.at, length === value.length ? 'latin1' : 'utf8');
  }

  /** @throws RangeError when the announced size was wrong: better no answer than a broken one. */
  finish(): Buffer {
    if (this.at !== this.buffer.length) {
      throw new RangeError(`a message of ${this.buffer.length} bytes was announced, ${this.at} were written`);
    }
    return this.buffer;
  }
}
