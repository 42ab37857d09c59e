// Whose turn it is among several processes that could fill the facts. Turns only save doing the work twice: two at work
// at a time are safe, since every chunk is planned in the log. So nobody waits for a lease that cannot be asked for.
import { answerWithin } from '../../kernel/answer-within.js';
import { systemTimers, type Timers } from '../timers.js';

/** Held for some seconds by one process at a time, and kept by asking again. */
export interface FactsLease {
  /** Takes it, or keeps it. False: somebody else has it. */
  hold(): Promise<boolean>;
  release(): Promise<void>;
}

/** How often it is asked for or kept; several times within its life, milliseconds. */
const askEveryMs = 1_500;
/** A lease that could not be asked for so long is done without, milliseconds. */
const silentMsMax = 5_000;
/** Longest wait for one answer, milliseconds. */
const answerMsMax = 2_000;

/** Until the signal aborts: works while it is this process' turn; the work's signal aborts when it is not any more. */
export async function whileOurTurn(
  lease: FactsLease | undefined,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
  timers: Timers = systemTimers,
): Promise<void> {
  if (!lease) {
    await work(signal);
    return;
  }
  const turn = new Turn(lease, timers);
  while (!signal.aborted) {
    if (await turn.isOurs()) await turn.take(signal, work);
    await timers.sleep(askEveryMs, signal);
  }
}

class Turn {
  private isWorking = false;
  private silentSinceMs: number | undefined;

  constructor(
    private readonly lease: FactsLease,
    private readonly timers: Timers,
  ) {}

  async isOurs(): Promise<boolean> {
    const held = await this.answer(this.lease.hold());
    if (held !== undefined) {
      this.silentSinceMs = undefined;
      return held;
    }
    this.silentSinceMs ??= this.timers.now();
    return this.isWorking || this.timers.now() - this.silentSinceMs > silentMsMax;
  }

  async take(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const over = new AbortController();
    this.isWorking = true;
    const keeping = this.keep(over);
    try {
      await work(AbortSignal.any([signal, over.signal]));
    } finally {
      this.isWorking = false;
      over.abort();
      await keeping;
      await this.answer(this.lease.release());
    }
  }

  private async keep(over: AbortController): Promise<void> {
    while (!over.signal.aborted) {
      await this.timers.sleep(askEveryMs, over.signal);
      if (!over.signal.aborted && !(await this.isOurs())) over.abort();
    }
  }

  /** Undefined: no answer. */
  private async answer<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
    return await answerWithin(asked, answerMsMax, this.timers).catch(() => undefined);
  }
}
