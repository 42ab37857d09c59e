// How far the log has been acknowledged, written after each commit and before its writers are told. It needs no fsync of
// its own: the log was on disk before it, so it is never ahead of the log, and a log that ends before it has lost bytes.
import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** Two slots, written in turn, so that a torn write leaves the other: u64 position, u64 turn, u32 CRC-32 of both. */
const slotBytes = 32;

export class HeadMark {
  private turn = 0;
  private readonly slot = Buffer.alloc(slotBytes);

  private constructor(
    private readonly fd: number,
    private marked: number | undefined,
  ) {}

  static create(path: string, position: number): void {
    const mark = new HeadMark(
      openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC, 0o640),
      undefined,
    );
    mark.write(position);
    mark.sync();
    mark.close();
  }

  /** @throws the file system's error when there is no such file */
  static open(path: string): HeadMark {
    const fd = openSync(path, constants.O_RDWR);
    const bytes = Buffer.alloc(2 * slotBytes);
    readSync(fd, bytes, 0, bytes.length, 0);
    const mark = new HeadMark(fd, undefined);
    for (let at = 0; at < bytes.length; at += slotBytes) {
      if (bytes.readUInt32LE(at + 16) !== crc32(bytes.subarray(at, at + 16))) continue;
      const turn = Number(bytes.readBigUInt64LE(at + 8));
      if (turn <= mark.turn) continue;
      mark.turn = turn;
      mark.marked = Number(bytes.readBigUInt64LE(at));
    }
    return mark;
  }

  /** Undefined when the mark cannot be read. */
  get position(): number | undefined {
    return this.marked;
  }

  write(position: number): void {
    this.turn += 1;
    this.slot.writeBigUInt64LE(BigInt(position), 0);
    this.slot.writeBigUInt64LE(BigInt(this.turn), 8);
    this.slot.writeUInt32LE(crc32(this.slot.subarray(0, 16)), 16);
    writeSync(this.fd, this.slot, 0, slotBytes, (this.turn % 2) * slotBytes);
    this.marked = position;
  }

  sync(): void {
    fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}
