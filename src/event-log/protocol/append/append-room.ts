// One budget for the appends of all calls together, well below what the log's own queue holds: while it is used up nothing
// more is read from batch appends, and what was read already waits for its turn, in order, until its deadline. So a client that
// is faster than the disk is slowed down, as by the real server, and not refused.
import { AppendTimedOut } from '../exceptions.js';

/** Half of what the log's queue holds by default: the rest is for what had come when the budget was used up. */
export const waitingBytesDefault = 32 * 1024 * 1024;

interface InLine {
  readonly bytes: number;
  readonly timer: NodeJS.Timeout;
  begin(): void;
}

export class AppendRoom {
  private readonly line: InLine[] = [];
  private readonly readers = new Set<() => void>();
  /** Bytes of appends in line or in the log's hands. */
  private waiting = 0;
  /** Of those, bytes that are in the log's hands. */
  private writing = 0;

  constructor(private readonly bytesMax: number) {}

  /** Nothing more should be read. */
  get isFull(): boolean {
    return this.waiting > this.bytesMax;
  }

  /** `readOn` is called each time that there is room again. Gives what ends that. */
  follow(readOn: () => void): () => void {
    this.readers.add(readOn);
    return () => this.readers.delete(readOn);
  }

  /** Runs `append`, which is complete, when its turn comes. @throws AppendTimedOut when that is not before `dueAt` */
  async write<Result>(bytes: number, dueAt: number, append: () => Promise<Result>): Promise<Result> {
    this.waiting += bytes;
    try {
      if (this.line.length > 0 || !this.fits(bytes)) await this.turn(bytes, dueAt);
      else this.writing += bytes;
      try {
        return await append();
      } finally {
        this.writing -= bytes;
        this.next();
      }
    } finally {
      const wasFull = this.isFull;
      this.waiting -= bytes;
      if (wasFull && !this.isFull) for (const readOn of this.readers) readOn();
    }
  }

  /** Resolves when the append has been given over to the log. */
  private turn(bytes: number, dueAt: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => {
        this.line.splice(this.line.indexOf(inLine), 1);
        reject(new AppendTimedOut());
        this.next();
      };
      const timer = setTimeout(late, Math.max(dueAt - Date.now(), 0));
      const inLine: InLine = { bytes, timer, begin: resolve };
      this.line.push(inLine);
    });
  }

  /** One that is larger than the whole budget is written by itself. */
  private fits(bytes: number): boolean {
    return this.writing === 0 || this.writing + bytes <= this.bytesMax;
  }

  private next(): void {
    for (let first = this.line[0]; first && this.fits(first.bytes); first = this.line[0]) {
      this.line.shift();
      clearTimeout(first.timer);
      this.writing += first.bytes;
      first.begin();
    }
  }
}
