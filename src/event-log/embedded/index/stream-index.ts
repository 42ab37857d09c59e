// Where each event of each stream stands in the log. Derived from the log, so it may be thrown away; sorted runs on disk
// (a log-structured merge tree) with the newest part in memory, so that memory and the time to open stay bounded
// however long the log is. It holds acknowledged events only.
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tombstoneRevision } from '../storage/record.js';
import { MemoryRun } from './memory-run.js';
import { mergedEntries } from './merge.js';
import { parseRunName } from './run-file.js';
import { RunReader, type Stretch } from './run-reader.js';
import { writeRun } from './run-writer.js';
import { type StreamKey, streamKey } from './stream-key.js';

/** Events in memory that make a run; four times as many may wait while one is being written. */
export const runEventsDefault = 16_384;
const waitingRunsMax = 4;
/** So many neighbouring runs of one size are merged into one. */
const mergedRuns = 8;

export interface IndexOptions {
  readonly directory: string;
  readonly logId: Buffer;
  readonly durable: boolean;
  readonly runEvents: number;
  /** Told of what goes wrong behind, with runs that are written or merged. */
  readonly warn: (warning: string) => void;
}

export class StreamIndex {
  private runs: RunReader[] = [];
  /** Complete, on their way to disk, oldest first. */
  private waiting: { readonly memory: MemoryRun; readonly from: number; readonly to: number }[] = [];
  private newest = new MemoryRun();
  private newestFrom = 0;
  private writing: Promise<void> | undefined;
  private merging: Promise<void> | undefined;
  /** Why the last run could not be written, or the last runs not be merged. */
  private failure: unknown;
  private readonly stopping = new AbortController();

  private constructor(private readonly options: IndexOptions) {}

  /** Runs that are not whole, of another log, or not in line with the others are thrown away and made again. */
  static open(options: IndexOptions): StreamIndex {
    const index = new StreamIndex(options);
    mkdirSync(options.directory, { recursive: true });
    index.adopt(rmSync);
    return index;
  }

  /** For checks: the runs as they are, nothing is removed. */
  static openReadOnly(options: IndexOptions): StreamIndex {
    const index = new StreamIndex(options);
    if (existsSync(options.directory)) index.adopt(() => {});
    return index;
  }

  /** The log's events before this position are in runs on disk. */
  get from(): number {
    return this.newestFrom;
  }

  /** The number of the stream's last event, `tombstoneRevision` for a tombstoned one, -1 when there is none. */
  lastRevision(stream: string): number {
    const stretch = this.find(stream, tombstoneRevision);
    return stretch ? stretch.first + stretch.positions.length - 1 : -1;
  }

  position(stream: string, revision: number): number | undefined {
    const stretch = this.find(stream, revision);
    return stretch?.positions[revision - stretch.first];
  }

  /** Positions of `revision` and some of its neighbours; undefined when there is no such event. */
  stretch(stream: string, revision: number): Stretch | undefined {
    const stretch = this.find(stream, revision);
    return stretch && revision - stretch.first < stretch.positions.length ? stretch : undefined;
  }

  add(stream: string, revision: number, position: number): void {
    this.newest.add(stream, revision, [position]);
  }

  /** Consecutive events, the first of them with number `first`. */
  addAll(stream: string, first: number, positions: readonly number[]): void {
    if (positions.length > 0) this.newest.add(stream, first, positions);
  }

  /**
   * Called between two appends, `end` being where the log ends: begins writing a run when enough has come together.
   * @throws what went wrong with writing runs, once no more can be held in memory
   */
  async settle(end: number): Promise<void> {
    if (this.newest.events < this.options.runEvents) return;
    if (this.waiting.length >= waitingRunsMax) {
      await this.writeWaiting();
      if (this.waiting.length >= waitingRunsMax) throw this.failure;
    }
    this.waiting.push({ memory: this.newest, from: this.newestFrom, to: end });
    this.newest = new MemoryRun();
    this.newestFrom = end;
    void this.writeWaiting();
  }

  /** Every run on disk, for checks. */
  get onDisk(): readonly RunReader[] {
    return this.runs;
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.writing;
    await this.merging;
    for (const run of this.runs.splice(0)) run.close();
  }

  private find(stream: string, revision: number): Stretch | undefined {
    const inMemory = this.newest.find(stream, revision);
    if (inMemory) return inMemory;
    for (let i = this.waiting.length - 1; i >= 0; i--) {
      const found = this.waiting[i]?.memory.find(stream, revision);
      if (found) return found;
    }
    if (this.runs.length === 0) return undefined;
    const key: StreamKey = streamKey(stream);
    for (let i = this.runs.length - 1; i >= 0; i--) {
      const found = this.runs[i]?.find(key, revision);
      if (found) return found;
    }
    return undefined;
  }

  private adopt(remove: (path: string) => void): void {
    const found = [];
    for (const name of readdirSync(this.options.directory)) {
      const path = join(this.options.directory, name);
      const coverage = parseRunName(name);
      if (coverage) found.push({ ...coverage, path });
      else if (name.endsWith('.new')) remove(path);
    }
    // Of overlapping runs the longer is the merged one; the shorter were left over by a crash.
    found.sort((a, b) => a.from - b.from || b.to - a.to);
    let covered = 0;
    let broken = false;
    for (const { path, from, to } of found) {
      const run: RunReader | undefined = !broken && from === covered ? RunReader.open(path) : undefined;
      const fits = run?.footer.from === from && run.footer.to === to && run.footer.logId.equals(this.options.logId);
      if (run && fits) {
        this.runs.push(run);
        covered = to;
        continue;
      }
      run?.close();
      broken ||= to > covered;
      remove(path);
    }
    this.newestFrom = covered;
  }

  /** Writes what waits; what fails is kept in memory and tried again with the next run. */
  private writeWaiting(): Promise<void> {
    this.writing ??= this.attempt(async () => {
      for (let next = this.waiting[0]; next && !this.stopping.signal.aborted; next = this.waiting[0]) {
        const { memory, from, to } = next;
        await this.write({ from, to, streams: memory.streams }, memory.entries(), 0);
        this.waiting.shift();
      }
    }).finally(() => {
      this.writing = undefined;
      this.mergeRuns();
    });
    return this.writing;
  }

  /** Beside the writing, which must not wait for it: merging a large index takes long. */
  private mergeRuns(): void {
    this.merging ??= this.attempt(async () => {
      for (let at = this.mergeable(); at >= 0 && !this.stopping.signal.aborted; at = this.mergeable()) {
        const parts = this.runs.slice(at, at + mergedRuns);
        const from = (parts[0] as RunReader).footer.from;
        const to = (parts.at(-1) as RunReader).footer.to;
        const streams = parts.reduce((sum, run) => sum + run.footer.streams, 0);
        await this.write({ from, to, streams }, mergedEntries(parts), mergedRuns);
        for (const part of parts) {
          part.close();
          rmSync(part.path);
        }
      }
    }).finally(() => {
      this.merging = undefined;
    });
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      if (String(error) !== String(this.failure)) {
        this.options.warn(`the event log's index could not be written: ${String(error)}`);
      }
      this.failure = error;
    }
  }

  /** Where enough neighbours of one size begin, smallest size first; -1 for nowhere. */
  private mergeable(): number {
    const levels = this.runs.map((run) =>
      Math.max(0, Math.floor(Math.log(run.footer.events / this.options.runEvents) / Math.log(mergedRuns) + 0.01)),
    );
    for (let at = levels.length - mergedRuns; at >= 0; at--) {
      if (levels.slice(at, at + mergedRuns).every((level) => level === levels[at])) return at;
    }
    return -1;
  }

  private async write(
    part: { readonly from: number; readonly to: number; readonly streams: number },
    entries: Parameters<typeof writeRun>[1],
    replaces: number,
  ): Promise<void> {
    const path = await writeRun({ ...this.options, ...part, signal: this.stopping.signal }, entries);
    const run = RunReader.open(path);
    if (!run) throw new Error(`${path} cannot be read back`);
    const at = replaces === 0 ? this.runs.length : this.runs.findIndex((old) => old.footer.from === part.from);
    this.runs.splice(at, replaces, run);
  }
}
