// Reading on in the files of a log that another thread of this process writes. Only the writer knows what is acknowledged:
// it is asked whenever all that was known has been read, so nobody is told of commits that it has no use for yet.
import type { SubscriptionPage } from '../../event-log.js';
import type { Committed } from '../append/commit-signal.js';
import { readIdentity } from '../storage/identity.js';
import { RecordReader } from '../storage/record-reader.js';
import { SegmentFiles, segmentBytesDefault } from '../storage/segment-files.js';
import { AllReader, isOrdinary } from './all-reader.js';

/** How far a log is acknowledged, and in how many files. */
export interface AcknowledgedEnd {
  /** The position after the last acknowledged byte. */
  readonly end: number;
  /** Position of the last acknowledged event, 0 when there is none. */
  readonly lastPosition: number;
  /** Where the writer's last file begins. */
  readonly lastFile: number;
}

/** Answers when the log is acknowledged beyond `end`. */
export type AskBeyond = (end: number, signal: AbortSignal) => Promise<AcknowledgedEnd>;

export class LogFollower implements Committed {
  private readonly all: AllReader;

  private constructor(
    private readonly files: SegmentFiles,
    private known: AcknowledgedEnd,
    private readonly ask: AskBeyond,
  ) {
    files.follow(known.lastFile, known.end);
    this.all = new AllReader(new RecordReader(files), this);
  }

  /** @throws LogDamaged @throws TypeError when there is no log */
  static open(directory: string, known: AcknowledgedEnd, ask: AskBeyond): LogFollower {
    const logId = readIdentity(directory)?.bytes;
    if (!logId) throw new TypeError(`${directory} holds no log`);
    const options = { logId, readOnly: true, durable: false, segmentBytes: segmentBytesDefault };
    return new LogFollower(SegmentFiles.open(directory, options), known, ask);
  }

  get end(): number {
    return this.known.end;
  }
  get lastPosition(): number {
    return this.known.lastPosition;
  }

  async beyond(end: number, signal: AbortSignal): Promise<void> {
    if (this.known.end > end) return;
    this.known = await this.ask(end, signal);
    this.files.follow(this.known.lastFile, this.known.end);
  }

  /** As the log's own. */
  subscribeAll(options: { readonly after?: bigint; readonly signal: AbortSignal }): AsyncGenerator<SubscriptionPage> {
    return this.all.follow(options.after, options.signal, isOrdinary);
  }

  close(): void {
    this.files.close();
  }
}
