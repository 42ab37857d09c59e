// Who does a piece of work among several processes. A lease only saves doing it twice: what makes it safe to lose one is
// the fence of the work itself (the checkpoint's compare-and-set, the plan's expected revision).
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';

/** A holder that dies is replaced within this and one renewal. */
export const leaseMs = 5_000;
const renewEveryMs = 1_500;

/** KEYS[1] the lease. ARGV[1] the holder, ARGV[2] its time in ms. Returns 1 when the holder holds it now. */
const holdScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;
/** KEYS[1] the lease. ARGV[1] the holder. */
const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

export class Lease {
  private readonly key: string;

  /**
   * @param work names the piece of work
   * @param holder names this process; two processes never share it
   */
  constructor(
    private readonly redis: RedisClient,
    readonly work: string,
    private readonly holder: string,
  ) {
    this.key = `projector-lease:{${work}}`;
  }

  /** Takes it, or keeps it. False: somebody else has it. */
  async hold(): Promise<boolean> {
    return (await this.redis.eval(holdScript, 1, this.key, this.holder, leaseMs)) === 1;
  }

  /** By anybody. */
  async isHeld(): Promise<boolean> {
    return (await this.redis.exists(this.key)) === 1;
  }

  async release(): Promise<void> {
    await this.redis.eval(releaseScript, 1, this.key, this.holder);
  }

  /**
   * Until the signal aborts: waits for the lease, works while it is held, and waits again. The work's signal aborts when
   * the lease is lost or could not be renewed in time; work that ends by itself gives the lease back for a while.
   * @param mayHold asked before each try to take it, so that processes can share
   */
  async whileHeld(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
    mayHold: () => Promise<boolean> = async () => true,
  ): Promise<void> {
    while (!signal.aborted) {
      const held = await Promise.resolve(mayHold())
        .then(async (may) => may && (await this.hold()))
        .catch(() => false);
      if (held) await this.keep(signal, work, mayHold);
      await sleep(renewEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async keep(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<void>,
    mayHold: () => Promise<boolean>,
  ): Promise<void> {
    const lost = new AbortController();
    const renewing = this.renew(lost, mayHold);
    try {
      await work(AbortSignal.any([signal, lost.signal]));
    } finally {
      lost.abort();
      await renewing;
      await this.release().catch(() => undefined);
    }
  }

  private async renew(lost: AbortController, mayHold: () => Promise<boolean>): Promise<void> {
    let heldUntil = performance.now() + leaseMs;
    while (!lost.signal.aborted) {
      await sleep(renewEveryMs, undefined, { signal: lost.signal }).catch(() => undefined);
      if (lost.signal.aborted) return;
      const asked = performance.now();
      try {
        if (!(await mayHold()) || !(await this.hold())) lost.abort();
        else heldUntil = asked + leaseMs;
      } catch {
        // Redis is away: whoever else wants the lease cannot have it either, until it runs out.
        if (performance.now() > heldUntil) lost.abort();
      }
    }
  }
}
