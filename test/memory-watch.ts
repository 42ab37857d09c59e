// The peak of a process's anonymous memory, which is what it holds itself: no files, no code. Linux alone tells it.
import { readFileSync } from 'node:fs';

const lookEveryMs = 20;
const bytesPerKb = 1_024;

export class MemoryWatch {
  private peak = 0;
  private readonly looking: NodeJS.Timeout;

  constructor(private readonly pid: number) {
    this.looking = setInterval(() => this.look(), lookEveryMs);
  }

  /** Bytes, since it was asked last. */
  take(): number {
    this.look();
    const { peak } = this;
    this.peak = 0;
    return peak;
  }

  stop(): void {
    clearInterval(this.looking);
  }

  private look(): void {
    const kb = /^RssAnon:\s+(\d+) kB$/m.exec(this.status())?.[1];
    this.peak = Math.max(this.peak, Number(kb ?? 0) * bytesPerKb);
  }

  /** Nothing of a process that has ended. */
  private status(): string {
    try {
      return readFileSync(`/proc/${this.pid}/status`, 'utf8');
    } catch {
      return '';
    }
  }
}
