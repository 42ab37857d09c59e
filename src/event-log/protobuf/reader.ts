// Reads protobuf fields off a buffer, for the requests of the append path: bytes come out as views, not as copies.

export class ProtobufReader {
  /** Number and wire type of the field that `next` found. */
  field = 0;
  wireType = 0;
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.at >= this.buffer.length) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.wireType = tag % 8;
    return true;
  }

  /** An unsigned varint; beyond 2^53 the nearest number. @throws RangeError when the message ends within it. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new RangeError('a varint of more than 10 bytes');
  }

  /** A varint as the 64 bits that it stands for. */
  uint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a varint of more than 10 bytes');
  }

  /** A view of a length-delimited field. */
  bytes(): Buffer {
    if (this.wireType !== 2) throw new RangeError(`field ${this.field} has wire type ${this.wireType}, not 2`);
    const length = this.varint();
    const from = this.at;
    if (length > this.buffer.length - from) throw new RangeError(`field ${this.field} is longer than its message`);
    this.at += length;
    return this.buffer.subarray(from, this.at);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  message(): ProtobufReader {
    return new ProtobufReader(this.bytes());
  }

  /** Passes over a field that is not known. */
  skip(): void {
    if (this.wireType === 0) this.varint();
    else if (this.wireType === 1) this.advance(8);
    else if (this.wireType === 2) this.bytes();
    else if (this.wireType === 5) this.advance(4);
    else throw new RangeError(`wire type ${this.wireType} of field ${this.field} is not supported`);
  }

  private byte(): number {
    const byte = this.buffer[this.at];
    if (byte === undefined) throw new RangeError('the message ends within a field');
    this.at += 1;
    return byte;
  }

  private advance(bytes: number): void {
    if (bytes > this.buffer.length - this.at) throw new RangeError(`field ${this.field} is longer than its message`);
    this.at += bytes;
  }
}
