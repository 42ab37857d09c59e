// Reads a whole log that nobody has open and says what is not as it should be: every record's checksum, the numbers of
// every stream, and the index against the log, both ways. It changes nothing. Memory is bounded: what stream an event
// continues is asked of the index, which is itself checked.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LogDamaged } from '../../event-log.js';
import { parseRunName } from '../index/run-file.js';
import { RunReader } from '../index/run-reader.js';
import { runEventsDefault, StreamIndex } from '../index/stream-index.js';
import { streamHash } from '../index/stream-key.js';
import { DirectoryLock } from '../storage/directory-lock.js';
import { HeadMark } from '../storage/head-mark.js';
import { identityPath, markPath, readIdentity } from '../storage/identity.js';
import { endsUnit, readRecordKey, tombstoneRevision } from '../storage/record.js';
import { type RawRecord, RecordReader } from '../storage/record-reader.js';
import { SegmentFiles, segmentBytesDefault } from '../storage/segment-files.js';
import { Fingerprint } from './fingerprint.js';
import { checkRuns } from './index-check.js';

/** So many problems are described; the rest is counted. */
const problemsMax = 100;
/** Records between two turns of the event loop. */
const recordsPerTurn = 2_000;

export interface LogProblem {
  /** Where in the log, when it is in the log. */
  readonly position: bigint | undefined;
  readonly what: string;
}

export interface LogReport {
  readonly logId: string | undefined;
  readonly events: number;
  /** Bytes of all files of the log, without the index. */
  readonly bytes: number;
  /** The log is acknowledged up to here. */
  readonly acknowledgedTo: bigint;
  /** Bytes after that, of appends that a crash cut short: the next start removes what is not whole. */
  readonly unacknowledgedBytes: number;
  /** Index entries compared with the log. The index of the newest events is made at each start and not counted. */
  readonly indexed: number;
  readonly problems: readonly LogProblem[];
  readonly problemCount: number;
}

/** @throws LogLocked while a process has the log open, LogDamaged when there is no log at all */
export async function checkLog(directory: string, signal?: AbortSignal): Promise<LogReport> {
  if (!existsSync(identityPath(directory))) throw new LogDamaged(`${directory} holds no log: log.json is missing`);
  const lock = DirectoryLock.acquire(directory);
  const check = new LogCheck(directory);
  try {
    await check.run(signal);
    return check.report();
  } finally {
    await check.close();
    lock.release();
  }
}

class LogCheck {
  private logId: string | undefined;
  private files: SegmentFiles | undefined;
  private mark: HeadMark | undefined;
  private index: StreamIndex | undefined;
  private events = 0;
  private indexed = 0;
  private acknowledged = 0;
  private readonly problems: LogProblem[] = [];
  private problemCount = 0;
  /** Last revisions of the streams that the newest events, which no run holds yet, belong to. */
  private readonly newest = new Map<string, number>();
  private unitBegan: number | undefined;

  constructor(private readonly directory: string) {}

  async run(signal: AbortSignal | undefined): Promise<void> {
    if (!this.openParts()) return;
    const files = this.files as SegmentFiles;
    if (this.acknowledged > files.end) {
      this.found(files.end, `the log ends here, but was acknowledged up to ${this.acknowledged}: bytes are missing`);
    }
    const indexed = await this.checkIndex();
    const logged = new Fingerprint();
    await this.walk(files, signal, (record) => this.checkRecord(record, logged));
    if (indexed && !indexed.equals(logged)) await this.walk(files, signal, (record) => this.compareWithIndex(record));
  }

  report(): LogReport {
    const end = this.files?.end ?? 0;
    return {
      logId: this.logId,
      events: this.events,
      bytes: end,
      acknowledgedTo: BigInt(this.acknowledged),
      unacknowledgedBytes: Math.max(0, end - this.acknowledged),
      indexed: this.indexed,
      problems: this.problems,
      problemCount: this.problemCount,
    };
  }

  async close(): Promise<void> {
    await this.index?.close();
    this.mark?.close();
    this.files?.close();
  }

  private found(position: number | undefined, what: string): void {
    this.problemCount += 1;
    if (this.problems.length < problemsMax) {
      this.problems.push({ position: position === undefined ? undefined : BigInt(position), what });
    }
  }

  private openParts(): boolean {
    try {
      const found = readIdentity(this.directory);
      if (!found) return false;
      this.logId = found.id;
      const logId = found.bytes;
      const segments = { segmentBytes: segmentBytesDefault, durable: true, logId, readOnly: true };
      this.files = SegmentFiles.open(this.directory, segments);
      if (existsSync(markPath(this.directory))) this.mark = HeadMark.open(markPath(this.directory));
      this.index = StreamIndex.openReadOnly({
        directory: join(this.directory, 'index'),
        logId,
        durable: true,
        runEvents: runEventsDefault,
        warn: () => {},
      });
    } catch (error) {
      if (!(error instanceof LogDamaged)) throw error;
      this.found(error.position === undefined ? undefined : Number(error.position), error.message);
      return false;
    }
    if (this.mark?.position === undefined) this.found(undefined, 'head.mark is missing or unreadable');
    this.acknowledged = Math.max(this.mark?.position ?? 0, this.index.from);
    return true;
  }

  /** Files that are no part of the index, and the index in itself. Undefined when it cannot be read to its end. */
  private async checkIndex(): Promise<Fingerprint | undefined> {
    const index = this.index as StreamIndex;
    const folder = join(this.directory, 'index');
    const used = new Set(index.onDisk.map((run) => run.path));
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = join(folder, name);
      if (!parseRunName(name) || used.has(path)) continue;
      const run = RunReader.open(path);
      run?.close();
      if (!run) this.found(undefined, `${path} is no intact part of the index; the next start makes it anew`);
    }
    try {
      const fingerprint = await checkRuns(index.onDisk, (position, what) => this.found(position, what));
      this.indexed = fingerprint.events;
      return fingerprint;
    } catch (error) {
      if (!(error instanceof LogDamaged)) throw error;
      this.found(undefined, error.message);
      return undefined;
    }
  }

  /** Gives every intact record, and tells of what is not intact between them. */
  private async walk(
    files: SegmentFiles,
    signal: AbortSignal | undefined,
    look: (record: RawRecord) => void,
  ): Promise<void> {
    const records = new RecordReader(files);
    const isFirst = this.events === 0;
    let seen = 0;
    let from = files.start;
    while (from < files.end) {
      const scan = records.scan(from);
      let next = scan.next();
      for (; !next.done; next = scan.next()) {
        look(next.value);
        seen += 1;
        if (seen % recordsPerTurn > 0) continue;
        signal?.throwIfAborted();
        await new Promise((resolve) => setImmediate(resolve));
      }
      if (next.value >= files.end) break;
      if (isFirst && next.value < this.acknowledged) this.found(next.value, 'no intact record here');
      this.unitBegan = undefined;
      from = records.nextIntact(next.value + 1);
    }
    if (isFirst && this.unitBegan !== undefined && this.unitBegan < this.acknowledged) {
      this.found(this.unitBegan, 'the append that begins here has no end');
    }
  }

  private checkRecord({ bytes, at, position }: RawRecord, logged: Fingerprint): void {
    const index = this.index as StreamIndex;
    const { stream, revision } = readRecordKey(bytes, at);
    this.events += 1;
    this.unitBegan = endsUnit(bytes, at) ? undefined : (this.unitBegan ?? position);
    if (position < index.from) {
      logged.add(streamHash(stream), revision, position);
      return;
    }
    // No run holds it yet: what it follows is in the runs, or came shortly before.
    if (revision === tombstoneRevision) return;
    const before = this.newest.get(stream) ?? this.asked(() => index.lastRevision(stream));
    this.newest.set(stream, revision);
    if (before !== undefined && before !== revision - 1) {
      this.found(position, `${stream}: event ${revision} stands here and follows event ${before}`);
    }
  }

  /** Index and log differ: where. */
  private compareWithIndex({ bytes, at, position }: RawRecord): void {
    const index = this.index as StreamIndex;
    if (position >= index.from) return;
    const { stream, revision } = readRecordKey(bytes, at);
    const indexed = this.asked(() => index.position(stream, revision));
    if (indexed !== position) {
      this.found(position, `${stream}: event ${revision} stands here, the index says ${indexed ?? 'nowhere'}`);
    }
  }

  /** A damaged page has been told of once; what it would have said is unknown. */
  private asked(question: () => number | undefined): number | undefined {
    try {
      return question();
    } catch (error) {
      if (error instanceof LogDamaged) return undefined;
      throw error;
    }
  }
}
