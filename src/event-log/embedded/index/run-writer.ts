// Writes a run: entries come in order, neighbours of one stream are joined, pages go out. Turns are kept short, so that
// appends go on meanwhile.
import { closeSync, fsync, openSync, renameSync, rmSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { syncDirectory } from '../storage/segment-files.js';
import { BloomFilter } from './bloom-filter.js';
import {
  entryPositionsMax,
  entrySize,
  type IndexEntry,
  pageBytes,
  pagePayloadBytes,
  sealPage,
  writeEntry,
} from './index-entry.js';
import { type Coverage, directoryEntryBytes, runName, writeFooter } from './run-file.js';
import { sameStream } from './stream-key.js';

const pagesPerWrite = 64;
/** Entries between two looks at the clock, and how long a turn may then have lasted. */
export const entriesPerBatch = 128;
const turnMs = 2;

export interface RunPlan extends Coverage {
  readonly directory: string;
  readonly logId: Buffer;
  /** At least the number of different streams that will come. */
  readonly streams: number;
  readonly durable: boolean;
  /** Gives the writing up between two turns. */
  readonly signal: AbortSignal;
}

/** Entries in order (`compareEntries`), some at a time. */
export type EntryBatches = AsyncIterable<readonly IndexEntry[]> | Iterable<readonly IndexEntry[]>;

/** Gives the path. @throws the file system's error when there is no room; nothing is left behind then. */
export async function writeRun(plan: RunPlan, batches: EntryBatches): Promise<string> {
  const path = join(plan.directory, runName(plan));
  const draft = `${path}.new`;
  const fd = openSync(draft, 'w', 0o640);
  try {
    const run = new RunWriter(fd, plan);
    let turnBegan = performance.now();
    for await (const batch of batches) {
      plan.signal.throwIfAborted();
      for (const entry of batch) run.add(entry);
      await run.writeFullPages();
      if (performance.now() - turnBegan < turnMs) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnBegan = performance.now();
    }
    await run.finish();
    if (plan.durable) await promisify(fsync)(fd);
  } catch (error) {
    closeSync(fd);
    rmSync(draft, { force: true });
    throw error;
  }
  closeSync(fd);
  renameSync(draft, path);
  if (plan.durable) syncDirectory(plan.directory);
  return path;
}

class RunWriter {
  private readonly bloom: BloomFilter;
  private pages: Buffer[] = [];
  private page = Buffer.alloc(pageBytes);
  private pageLength = 0;
  private readonly directory: Buffer[] = [];
  private pending: IndexEntry | undefined;
  private placed: IndexEntry | undefined;
  private streams = 0;
  private events = 0;
  private offset = 0;

  constructor(
    private readonly fd: number,
    private readonly plan: RunPlan,
  ) {
    this.bloom = BloomFilter.for(plan.streams);
  }

  add(entry: IndexEntry): void {
    const before = this.pending;
    const joins =
      before !== undefined &&
      before.first + before.positions.length === entry.first &&
      before.positions.length + entry.positions.length <= entryPositionsMax &&
      sameStream(before.key, entry.key);
    if (joins) {
      this.pending = { ...before, positions: before.positions.concat(entry.positions) };
      return;
    }
    if (before) this.place(before);
    this.pending = entry;
  }

  async writeFullPages(): Promise<void> {
    if (this.pages.length >= pagesPerWrite) await this.writePages();
  }

  async finish(): Promise<void> {
    if (this.pending) this.place(this.pending);
    if (this.pageLength > 0) this.endPage();
    await this.writePages();
    const directory = Buffer.concat(this.directory);
    const bloom = this.bloom.foldedFor(this.streams).bytes;
    const footer = writeFooter({
      ...this.plan,
      pages: this.directory.length,
      bloomBytes: bloom.length,
      events: this.events,
      streams: this.streams,
      tailChecksum: crc32(bloom, crc32(directory)),
    });
    await this.write(Buffer.concat([directory, bloom, footer]));
  }

  private place(entry: IndexEntry): void {
    if (this.pageLength + entrySize(entry) > pagePayloadBytes) this.endPage();
    if (this.pageLength === 0) {
      const first = Buffer.alloc(directoryEntryBytes);
      writeEntry(this.page, 0, entry);
      // An entry begins with its hash; its first revision follows the sizes.
      this.page.copy(first, 0, 0, 8);
      this.page.copy(first, 8, 11, 17);
      this.directory.push(first);
    }
    this.pageLength = writeEntry(this.page, this.pageLength, entry);
    if (!this.placed || !sameStream(this.placed.key, entry.key)) {
      this.bloom.add(entry.key);
      this.streams += 1;
    }
    this.placed = entry;
    this.events += entry.positions.length;
  }

  private endPage(): void {
    sealPage(this.page);
    this.pages.push(this.page);
    this.page = Buffer.alloc(pageBytes);
    this.pageLength = 0;
  }

  private async writePages(): Promise<void> {
    const pages = this.pages;
    this.pages = [];
    if (pages.length > 0) await this.write(Buffer.concat(pages));
  }

  private async write(bytes: Buffer): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await promisify(write)(this.fd, bytes, done, bytes.length - done, this.offset + done);
      done += bytesWritten;
    }
    this.offset += bytes.length;
  }
}
