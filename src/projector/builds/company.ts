// Which processes share the projector's work, so that each takes its part and no more.
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';

const key = 'projector-processes';
/** A process that has not been heard of for so long is gone. */
const silentMsMax = 6_000;
const hearEveryMs = 1_000;

export class Company {
  private counted = 1;
  private heardMs = Number.NEGATIVE_INFINITY;

  /** @param name of this process, unique */
  constructor(
    private readonly redis: RedisClient,
    private readonly name: string,
  ) {}

  /** How many pieces of work out of `all` this process should hold at most. */
  async share(all: number): Promise<number> {
    if (performance.now() - this.heardMs > hearEveryMs) {
      this.heardMs = performance.now();
      const nowMs = Date.now();
      await this.redis.zadd(key, nowMs, this.name);
      await this.redis.zremrangebyscore(key, '-inf', nowMs - silentMsMax);
      this.counted = Math.max(1, await this.redis.zcard(key));
    }
    return Math.ceil(all / this.counted);
  }

  async leave(): Promise<void> {
    await this.redis.zrem(key, this.name);
  }
}
