// Opens what a log consists of, in order, and closes it again when something is wrong.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LogDamaged } from '../../event-log.js';
import { StreamIndex } from '../index/stream-index.js';
import { DirectoryLock } from './directory-lock.js';
import { HeadMark } from './head-mark.js';
import { createLog, markPath, readIdentity } from './identity.js';
import { RecordReader } from './record-reader.js';
import { recover } from './recovery.js';
import { SegmentFiles } from './segment-files.js';

export interface PartsOptions {
  readonly segmentBytes: number;
  readonly indexRunEvents: number;
  readonly durable: boolean;
  readonly warn: (warning: string) => void;
}

export class LogParts {
  private constructor(
    readonly logId: string,
    readonly lock: DirectoryLock,
    readonly files: SegmentFiles,
    readonly mark: HeadMark,
    readonly index: StreamIndex,
    readonly records: RecordReader,
    /** Position of the last event, 0 when there is none. */
    readonly lastPosition: number,
  ) {}

  /** @throws LogLocked, LogDamaged */
  static async open(directory: string, options: PartsOptions): Promise<LogParts> {
    const { segmentBytes, durable, indexRunEvents: runEvents, warn } = options;
    mkdirSync(directory, { recursive: true });
    const lock = DirectoryLock.acquire(directory);
    const opened: { close(): void | Promise<void> }[] = [];
    try {
      const { id, bytes: logId } = readIdentity(directory) ?? createLog(directory, durable);
      const files = SegmentFiles.open(directory, { segmentBytes, durable, logId });
      opened.push(files);
      const mark = openMark(directory);
      opened.push(mark);
      const index = StreamIndex.open({ directory: join(directory, 'index'), logId, durable, runEvents, warn });
      opened.push(index);
      const records = new RecordReader(files);
      const lastPosition = await recover({ files, mark, records, index });
      return new LogParts(id, lock, files, mark, index, records, lastPosition);
    } catch (error) {
      for (const part of opened.toReversed()) await part.close();
      lock.release();
      throw error;
    }
  }

  /** The directory is free afterwards, whatever goes wrong. */
  async close(durable: boolean): Promise<void> {
    try {
      await this.index.close();
      if (durable) this.mark.sync();
    } finally {
      this.mark.close();
      this.files.close();
      this.lock.release();
    }
  }
}

function openMark(directory: string): HeadMark {
  const path = markPath(directory);
  if (!existsSync(path)) throw new LogDamaged(`${path} is missing, so nobody can tell whether the log is whole`);
  return HeadMark.open(path);
}
