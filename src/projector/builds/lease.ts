// Who does a piece of work among several processes. A lease only saves doing it twice: what makes it safe to lose one is
// the fence of the work itself (the checkpoint's compare-and-set, the plan's expected revision).
import type { Timers } from '../timers.js';

/** A holder that dies is replaced within this and one renewal, milliseconds. */
export const leaseMs = 5_000;
const renewEveryMs = 1_500;

/** Held by one process at a time, as long as it holds it again within `leaseMs`. */
export interface Lease {
  /** Takes it, or keeps it. False: somebody else has it. */
  hold(): Promise<boolean>;
  /** By anybody. */
  isHeld(): Promise<boolean>;
  /** Gives it back, if it is held by this process. */
  release(): Promise<void>;
}

type Work = (signal: AbortSignal) => Promise<void>;

export class LeasedWork {
  /** @param mayHold asked before each try to take or keep the lease, so that processes can share */
  constructor(
    private readonly lease: Lease,
    private readonly timers: Timers,
    private readonly mayHold: () => Promise<boolean>,
  ) {}

  /**
   * Until the signal aborts: waits for the lease, works while it is held, and waits again. The work's signal aborts when
   * the lease is lost or could not be renewed in time; work that ends by itself gives the lease back for a while.
   */
  async run(signal: AbortSignal, work: Work): Promise<void> {
    while (!signal.aborted) {
      if (await this.canHold().catch(() => false)) await this.keep(signal, work);
      await this.timers.sleep(renewEveryMs, signal);
    }
  }

  private async canHold(): Promise<boolean> {
    return (await this.mayHold()) && (await this.lease.hold());
  }

  private async keep(signal: AbortSignal, work: Work): Promise<void> {
    const lost = new AbortController();
    const renewing = this.renew(lost);
    try {
      await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      lost.abort();
      await renewing;
      await this.lease.release().catch(() => undefined);
    }
  }

  private async renew(lost: AbortController): Promise<void> {
    const { timers } = this;
    let heldUntil = timers.now() + leaseMs;
    while (!lost.signal.aborted) {
      await timers.sleep(renewEveryMs, lost.signal);
      if (lost.signal.aborted) return;
      const asked = timers.now();
      try {
        if (await this.canHold()) heldUntil = asked + leaseMs;
        else lost.abort();
      } catch {
        // Redis is away: whoever else wants the lease cannot have it either, until it runs out.
        if (timers.now() > heldUntil) lost.abort();
      }
    }
  }
}
