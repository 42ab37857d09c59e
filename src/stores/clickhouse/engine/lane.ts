// So many at a time, so many more in line, and a clear no to the rest.
import { codes, EngineException } from './exception.js';

export class Lane {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly runningMax: number,
    private readonly waitingMax: number,
  ) {}

  /** Gives the way out. @throws EngineException when the line is full. */
  async enter(): Promise<() => void> {
    if (this.running < this.runningMax) this.running += 1;
    else {
      if (this.waiting.length >= this.waitingMax) {
        const detail = `Too many simultaneous queries: ${this.runningMax} run and ${this.waitingMax} wait. Try again.`;
        throw new EngineException(codes.tooManyQueries, detail, 'TOO_MANY_SIMULTANEOUS_QUERIES');
      }
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    };
  }

  get idle(): boolean {
    return this.running === 0;
  }
}
