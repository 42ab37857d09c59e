// The log's bytes: append-only files that follow one another. A position is a byte offset in their concatenation, so
// finding a record needs no look-up. One writer; readers never look beyond what has been acknowledged.
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  read,
  readdirSync,
  readSync,
  write,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { LogDamaged } from '../../event-log.js';

/** A new file is begun when the last one is at least this long. */
export const segmentBytesDefault = 1024 * 1024 * 1024;
/** Every file begins with: 8 bytes magic, u64 base position, 16 bytes log id, u32 CRC-32 of these, zeros. */
export const segmentHeaderBytes = 64;
const magic = Buffer.from('HOMELOG1', 'latin1');

interface Segment {
  readonly base: number;
  readonly path: string;
  readonly fd: number;
  length: number;
}

export interface SegmentOptions {
  readonly segmentBytes: number;
  /** False only for a log that lives in memory: nothing waits for the disk. */
  readonly durable: boolean;
  /** 16 bytes; a file of another log is refused. */
  readonly logId: Buffer;
  /** For checks and followers: nothing is changed, a file that was begun and never used is passed over. */
  readonly readOnly?: boolean;
}

function segmentName(base: number): string {
  return `log-${base.toString().padStart(16, '0')}.seg`;
}
const segmentPattern = /^log-([0-9]{16})\.seg$/;

/** Where the files of a directory begin, in order. */
function basesIn(directory: string): readonly number[] {
  const bases = readdirSync(directory).flatMap((name) => {
    const match = segmentPattern.exec(name);
    return match ? [Number(match[1])] : [];
  });
  return bases.toSorted((a, b) => a - b);
}

function headerOf(base: number, logId: Buffer): Buffer {
  const header = Buffer.alloc(segmentHeaderBytes);
  magic.copy(header);
  header.writeBigUInt64LE(BigInt(base), 8);
  logId.copy(header, 16);
  header.writeUInt32LE(crc32(header.subarray(0, 32)), 32);
  return header;
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export class SegmentFiles {
  private readonly segments: Segment[] = [];
  /** On Linux one call writes and waits for the disk; elsewhere O_DSYNC may promise less than fdatasync. */
  private readonly syncFlag: number;

  private constructor(
    private readonly directory: string,
    private readonly options: SegmentOptions,
  ) {
    this.syncFlag = options.durable && process.platform === 'linux' ? constants.O_DSYNC : 0;
  }

  /** Makes the first file of a new log. */
  static create(directory: string, options: SegmentOptions): void {
    const files = new SegmentFiles(directory, options);
    files.create(0);
    files.close();
  }

  /** @throws LogDamaged when a file is missing from the middle, has a broken header or belongs to another log. */
  static open(directory: string, options: SegmentOptions): SegmentFiles {
    const files = new SegmentFiles(directory, options);
    try {
      for (const base of basesIn(directory)) files.adopt(base);
      if (files.segments.length === 0)
        throw new LogDamaged(`${directory}: the log's files (log-*.seg) are missing`, 0n);
    } catch (error) {
      files.close();
      throw error;
    }
    return files;
  }

  /**
   * Beside the writer, read-only: takes in what it has acknowledged by now.
   * @param lastFile where its last file begins @param end the position after the last acknowledged byte
   */
  follow(lastFile: number, end: number): void {
    if (lastFile > this.last().base) {
      for (const base of basesIn(this.directory)) {
        const file = this.last();
        if (base <= file.base || base > lastFile) continue;
        // What was cut back since it was looked at is not there any more.
        file.length = base - file.base;
        this.adopt(base);
      }
    }
    const file = this.last();
    file.length = Math.max(segmentHeaderBytes, end - file.base);
  }

  /** Where the last file begins. */
  get lastFile(): number {
    return this.last().base;
  }

  /** The position after the last byte there is. */
  get end(): number {
    const last = this.last();
    return last.base + last.length;
  }

  /** The position of the first record, if there is one. */
  get start(): number {
    return (this.segments[0] as Segment).base + segmentHeaderBytes;
  }

  get paths(): readonly string[] {
    return this.segments.map((segment) => segment.path);
  }

  /** The position where the next record after `position` may begin: itself, or past the header of the next file. */
  skipHeader(position: number): number {
    return Math.max(position, this.at(position).base + segmentHeaderBytes);
  }

  /** The position where the record before `end` ends: itself, or the end of the file before. */
  trimHeader(end: number): number {
    const segment = this.at(end);
    return end <= segment.base + segmentHeaderBytes ? segment.base : end;
  }

  inOneFile(a: number, b: number): boolean {
    return this.at(a) === this.at(b);
  }

  startOfFile(position: number): number {
    return this.at(position).base + segmentHeaderBytes;
  }

  pathAt(position: number): string {
    return this.at(position).path;
  }

  /** How many bytes the file that holds `position` has from there on. */
  available(position: number): number {
    const segment = this.at(position);
    return segment.base + segment.length - position;
  }

  /** Where the next batch of records would begin: begins a new file when the last one is long enough. */
  beginBatch(): number {
    if (this.last().length >= this.options.segmentBytes) this.create(this.end);
    return this.end;
  }

  /** Writes at the end and waits for the disk. On any failure the file is cut back to where it ended. */
  async append(bytes: Buffer): Promise<void> {
    const segment = this.last();
    try {
      let written = 0;
      while (written < bytes.length) {
        written += await writeAt(segment.fd, bytes.subarray(written), segment.length + written);
      }
      if (this.options.durable && this.syncFlag === 0) await dataSync(segment.fd);
    } catch (error) {
      cutBack(segment, error);
      throw error;
    }
    segment.length += bytes.length;
  }

  /** Reads without leaving the turn; fewer bytes than asked at the end of a file. */
  readNow(position: number, into: Buffer): number {
    const segment = this.at(position);
    return readSync(segment.fd, into, 0, into.length, position - segment.base);
  }

  read(position: number, into: Buffer): Promise<number> {
    const segment = this.at(position);
    return new Promise((resolve, reject) => {
      read(segment.fd, into, 0, into.length, position - segment.base, (error, bytes) =>
        error ? reject(error) : resolve(bytes),
      );
    });
  }

  /** Cuts off what was never acknowledged. Only ever within the last file. */
  cutAt(position: number): void {
    const segment = this.last();
    if (position < segment.base + segmentHeaderBytes)
      throw new LogDamaged(`cannot cut ${segment.path} before its start`);
    ftruncateSync(segment.fd, position - segment.base);
    if (this.options.durable) fsyncSync(segment.fd);
    segment.length = position - segment.base;
  }

  close(): void {
    for (const segment of this.segments.splice(0)) closeSync(segment.fd);
  }

  private last(): Segment {
    return this.segments.at(-1) as Segment;
  }

  private at(position: number): Segment {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle] as Segment).base <= position) low = middle;
      else high = middle - 1;
    }
    return this.segments[low] as Segment;
  }

  private adopt(base: number): void {
    const path = join(this.directory, segmentName(base));
    const fd = openSync(path, this.options.readOnly ? constants.O_RDONLY : constants.O_RDWR | this.syncFlag);
    const segment = { base, path, fd, length: fstatSync(fd).size };
    this.segments.push(segment);
    const header = Buffer.alloc(segmentHeaderBytes);
    const before = this.segments.at(-2);
    if (before && before.base + before.length !== base) {
      throw new LogDamaged(
        `${before.path} ends at position ${before.base + before.length}, but the next file begins at ${base}`,
        BigInt(Math.min(base, before.base + before.length)),
      );
    }
    if (
      readSync(fd, header, 0, header.length, 0) === header.length &&
      header.equals(headerOf(base, this.options.logId))
    )
      return;
    // The last file of a log may have been begun and never used: its header is then unacknowledged too.
    if (before && segment.length < segmentHeaderBytes) {
      if (this.options.readOnly) this.segments.pop();
      else this.writeHeader(segment);
      return;
    }
    throw new LogDamaged(`${path} has no valid header, or belongs to another log`, BigInt(base));
  }

  private create(base: number): void {
    const path = join(this.directory, segmentName(base));
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | this.syncFlag, 0o640);
    const segment = { base, path, fd, length: 0 };
    this.writeHeader(segment);
    this.segments.push(segment);
    if (this.options.durable) syncDirectory(this.directory);
  }

  private writeHeader(segment: Segment): void {
    writeSync(segment.fd, headerOf(segment.base, this.options.logId), 0, segmentHeaderBytes, 0);
    if (this.options.durable) fsyncSync(segment.fd);
    segment.length = segmentHeaderBytes;
  }
}

/** What was refused must not be found later. When it cannot be cut off, that is the failure that counts. */
function cutBack(segment: Segment, refusal: unknown): void {
  try {
    ftruncateSync(segment.fd, segment.length);
  } catch (error) {
    throw new Error(`${segment.path} could not be cut back after a failed write: ${String(error)}`, { cause: refusal });
  }
}

function writeAt(fd: number, bytes: Buffer, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, offset, (error, written) => (error ? reject(error) : resolve(written)));
  });
}

function dataSync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fdatasync(fd, (error) => (error ? reject(error) : resolve()));
  });
}
