// Who may use which connection when: one for everything that writes, some for reads, a bounded queue before both.
import { EngineSession } from './engine-session.js';

/** Reads that run side by side. */
const readersMax = 3;
/** Statements that wait for a connection; one more is refused. */
const waitingMax = 200;

export class TooManyQueries extends Error {}

class Lane {
  private readonly free: EngineSession[] = [];
  private readonly waiting: ((session: EngineSession) => void)[] = [];

  constructor(
    private readonly make: () => EngineSession,
    private readonly max: number,
    private made = 0,
  ) {}

  async use<Result>(work: (session: EngineSession) => Promise<Result>): Promise<Result> {
    const session = await this.take();
    try {
      return await work(session);
    } finally {
      const next = this.waiting.shift();
      if (next) next(session);
      else this.free.push(session);
    }
  }

  private take(): Promise<EngineSession> {
    const free = this.free.pop();
    if (free) return Promise.resolve(free);
    if (this.made < this.max) {
      this.made += 1;
      return Promise.resolve(this.make());
    }
    if (this.waiting.length >= waitingMax)
      return Promise.reject(new TooManyQueries(`${waitingMax} statements wait already`));
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  close(): void {
    for (const session of this.free) session.close();
  }
}

export class SessionPool {
  private readonly writer: Lane;
  private readonly readers: Lane;

  /** @throws ChdbError when another process has the directory. */
  constructor(path: string) {
    const first = new EngineSession(path);
    const make = () => new EngineSession(path);
    let given = false;
    this.writer = new Lane(() => {
      if (given) return make();
      given = true;
      return first;
    }, 1);
    this.readers = new Lane(make, readersMax);
  }

  write<Result>(work: (session: EngineSession) => Promise<Result>): Promise<Result> {
    return this.writer.use(work);
  }

  read<Result>(work: (session: EngineSession) => Promise<Result>): Promise<Result> {
    return this.readers.use(work);
  }

  close(): void {
    this.writer.close();
    this.readers.close();
  }
}
