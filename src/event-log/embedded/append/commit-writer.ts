// Takes a batch to the disk and makes it visible. What fails leaves the log as it was: no room is passing, anything else
// ends writing until the log is opened again, because after a failed fsync nobody knows what is on disk.
import { EventLogError, LogFull, LogUnavailable } from '../../event-log.js';
import type { HeadMark } from '../storage/head-mark.js';
import type { SegmentFiles } from '../storage/segment-files.js';
import type { Commits } from './append-queue.js';
import { Batch, type CommittedLog } from './batch.js';
import type { CommitSignal } from './commit-signal.js';

const noRoomCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const bufferBytes = 256 * 1024;
/** A buffer that one large batch made grow beyond this is given back. */
const bufferBytesMax = 16 * 1024 * 1024;

export interface CommitWriterParts {
  readonly files: SegmentFiles;
  readonly mark: HeadMark;
  readonly log: CommittedLog;
  readonly committed: CommitSignal;
  readonly now: () => number;
  readonly logBytesMax: number;
}

export class CommitWriter implements Commits {
  private buffer: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
  private broken: Error | undefined;

  constructor(private readonly parts: CommitWriterParts) {}

  async begin(): Promise<Batch> {
    if (this.broken) {
      throw new LogUnavailable('an earlier write failed and the log must be opened again', { cause: this.broken });
    }
    const { log, files, committed, now, logBytesMax } = this.parts;
    try {
      await log.index.settle(committed.end);
      return new Batch(log, { base: files.beginBatch(), recordedAt: now(), logBytesMax }, this.buffer);
    } catch (error) {
      throw this.failure(error);
    }
  }

  async commit(batch: Batch): Promise<void> {
    const { bytes, end, reusable } = batch.records;
    if (bytes.length === 0) return;
    const { files, mark, committed } = this.parts;
    try {
      await files.append(bytes);
      mark.write(end);
    } catch (error) {
      throw this.failure(error);
    }
    this.buffer = reusable.length > bufferBytesMax ? Buffer.allocUnsafeSlow(bufferBytes) : reusable;
    batch.publish();
    committed.advance(end, batch.lastPosition ?? committed.lastPosition);
  }

  private failure(error: unknown): Error {
    if (error instanceof EventLogError) return error;
    const cause = error as NodeJS.ErrnoException;
    if (noRoomCodes.has(cause.code ?? '')) return new LogFull(`no room left for the log: ${cause.message}`, { cause });
    this.broken = cause;
    return new LogUnavailable(`the log could not be written: ${cause.message}`, { cause });
  }
}
