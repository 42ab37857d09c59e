// An open run: finds the entry of a stream that holds a revision with one page read, and gives all entries in order for
// merging. Its directory and filter are held in memory (about 0.4 % of the file, and 10 to 20 bits per stream).
import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { LogDamaged } from '../../event-log.js';
import { BloomFilter } from './bloom-filter.js';
import {
  type EntryHead,
  type IndexEntry,
  isOf,
  isPageIntact,
  pageBytes,
  readEntry,
  readEntryHead,
  readPositions,
} from './index-entry.js';
import { directoryEntryBytes, footerBytes, type RunFooter, readFooter } from './run-file.js';
import type { StreamKey } from './stream-key.js';

/** Consecutive events of one stream: positions[i] is where revision first + i stands. */
export interface Stretch {
  readonly first: number;
  readonly positions: readonly number[];
}

const pagesPerRead = 32;

export class RunReader {
  private constructor(
    readonly path: string,
    private readonly fd: number,
    readonly footer: RunFooter,
    private readonly directory: Buffer,
    private readonly bloom: BloomFilter,
  ) {}

  /** Undefined when the file is not a whole, intact run: an index is derived, so it can be made again. */
  static open(path: string): RunReader | undefined {
    const fd = openSync(path, 'r');
    const run = RunReader.adopt(path, fd);
    if (!run) closeSync(fd);
    return run;
  }

  private static adopt(path: string, fd: number): RunReader | undefined {
    const size = fstatSync(fd).size;
    if (size < footerBytes) return undefined;
    const footer = readFooter(readNow(fd, size - footerBytes, footerBytes));
    if (!footer) return undefined;
    const pagesLength = footer.pages * pageBytes;
    const directoryLength = footer.pages * directoryEntryBytes;
    if (size !== pagesLength + directoryLength + footer.bloomBytes + footerBytes) return undefined;
    const tail = readNow(fd, pagesLength, directoryLength + footer.bloomBytes);
    const directory = tail.subarray(0, directoryLength);
    const bloom = tail.subarray(directoryLength);
    if (crc32(bloom, crc32(directory)) !== footer.tailChecksum) return undefined;
    return new RunReader(path, fd, footer, directory, new BloomFilter(bloom));
  }

  /** The stream's entry with the highest first revision up to `revision`; undefined when the run has none. */
  find(key: StreamKey, revision: number): Stretch | undefined {
    if (!this.bloom.mayHave(key)) return undefined;
    for (let number = this.pageOf(key, revision); number >= 0; number--) {
      const page = this.page(number);
      let found: EntryHead | undefined;
      let at = 0;
      for (let head = readEntryHead(page, at); head; head = readEntryHead(page, at)) {
        if (isOf(page, head, key) && head.first <= revision) found = head;
        at = head.end;
      }
      if (found) return { first: found.first, positions: readPositions(page, found) };
      // A page that begins with a lower hash has nothing of this stream before it.
      if (this.compareFirst(number, key, 0) < 0) return undefined;
    }
    return undefined;
  }

  async *entries(): AsyncGenerator<readonly IndexEntry[]> {
    for (let number = 0; number < this.footer.pages; number += pagesPerRead) {
      const length = Math.min(pagesPerRead, this.footer.pages - number) * pageBytes;
      const bytes = Buffer.allocUnsafeSlow(length);
      await promisify(read)(this.fd, bytes, 0, length, number * pageBytes);
      const entries: IndexEntry[] = [];
      for (let at = 0; at < length; at += pageBytes) {
        const page = bytes.subarray(at, at + pageBytes);
        if (!isPageIntact(page)) throw this.damaged(number + at / pageBytes);
        let inPage = 0;
        for (let head = readEntryHead(page, inPage); head; head = readEntryHead(page, inPage)) {
          entries.push(readEntry(page, head));
          inPage = head.end;
        }
      }
      yield entries;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  /** The last page whose first entry is not after (hash, revision); -1 when all are. */
  private pageOf(key: StreamKey, revision: number): number {
    let low = 0;
    let high = this.footer.pages;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.compareFirst(middle, key, revision) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  private compareFirst(page: number, key: StreamKey, revision: number): number {
    const at = page * directoryEntryBytes;
    return (
      this.directory.readUInt32LE(at) - key.high ||
      this.directory.readUInt32LE(at + 4) - key.low ||
      this.directory.readUIntLE(at + 8, 6) - revision
    );
  }

  private page(number: number): Buffer {
    const page = readNow(this.fd, number * pageBytes, pageBytes);
    if (!isPageIntact(page)) throw this.damaged(number);
    return page;
  }

  private damaged(page: number): LogDamaged {
    return new LogDamaged(
      `${this.path}: page ${page} is damaged. The index is derived: stop, remove its folder, and the next start makes it anew`,
    );
  }
}

function readNow(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const done = readSync(fd, bytes, 0, length, at);
  return bytes.subarray(0, done);
}
