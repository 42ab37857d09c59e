// Which processes share the projector's work, so that each takes its part and no more.
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';

/** A process that has not been heard of for so long is gone. */
const silentMsMax = 6_000;
const hearEveryMs = 1_000;

export class Company {
  private counted = 1;
  private heardMs = Number.NEGATIVE_INFINITY;

  private readonly key: string;

  /**
   * @param name of this process, unique
   * @param all pieces of work; processes that cut it into another number share nothing with this one
   */
  constructor(
    private readonly redis: RedisClient,
    private readonly name: string,
    private readonly all: number,
  ) {
    this.key = `projector-processes:${all}`;
  }

  /** How many pieces of the work this process should hold at most. */
  async share(): Promise<number> {
    if (performance.now() - this.heardMs > hearEveryMs) {
      this.heardMs = performance.now();
      const nowMs = Date.now();
      await this.redis.zadd(this.key, nowMs, this.name);
      await this.redis.zremrangebyscore(this.key, '-inf', nowMs - silentMsMax);
      this.counted = Math.max(1, await this.redis.zcard(this.key));
    }
    return Math.ceil(this.all / this.counted);
  }

  async leave(): Promise<void> {
    await this.redis.zrem(this.key, this.name);
  }
}
