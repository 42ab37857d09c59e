// A lease in Redis, by Redis' own clock.
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { type Lease, leaseMs } from '../builds/lease.js';

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

export class RedisLease implements Lease {
  private readonly key: string;

  /**
   * @param work names the piece of work
   * @param holder names this process; two processes never share it
   * @param lifeMs how long it lasts unless it is held again
   */
  constructor(
    private readonly redis: RedisClient,
    work: string,
    private readonly holder: string,
    private readonly lifeMs: number = leaseMs,
  ) {
    this.key = `projector-lease:{${work}}`;
  }

  async hold(): Promise<boolean> {
    return (await this.redis.eval(holdScript, 1, this.key, this.holder, this.lifeMs)) === 1;
  }

  async isHeld(): Promise<boolean> {
    return (await this.redis.exists(this.key)) === 1;
  }

  async release(): Promise<void> {
    await this.redis.eval(releaseScript, 1, this.key, this.holder);
  }
}
