// Random salts, one per day, as one hash in Redis: day → base64url. They are here and not in the log because the log
// forgets nothing, and these are made to be forgotten.
import { type RedisClient, serversOf } from './redis-endpoint.js';

/** A field beside the days: something was removed that the append-only files may still hold. */
const toForget = 'to-forget';

export class DaySalts {
  private readonly key: string;

  constructor(
    private readonly redis: RedisClient,
    private readonly options: {
      /** Logs that share a Redis share no salt. */
      readonly logId: string;
      /** The servers keep append-only files. */
      readonly isOnDisk: boolean;
    },
  ) {
    this.key = `link-salts:${options.logId}`;
  }

  /** The day's salt: what is offered, unless there is one already. */
  async agree(day: string, offered: Buffer): Promise<Buffer> {
    const text = offered.toString('base64url');
    if ((await this.redis.hsetnx(this.key, day, text)) === 1) return offered;
    const kept = await this.redis.hget(this.key, day);
    // Destroyed in between, by a clock that is ahead of ours: it is nobody's then.
    return kept === null ? offered : Buffer.from(kept, 'base64url');
  }

  /**
   * Destroys the salts of days that are over, and gives those days back. Again: no harm; broken off in the middle, the
   * next call goes on.
   * @throws Error when a server does not write its append-only file anew; the salts are gone from its memory then
   */
  async destroy(isOver: (day: string) => boolean): Promise<readonly string[]> {
    const fields = await this.redis.hkeys(this.key);
    const over = fields.filter((field) => field !== toForget && isOver(field));
    if (over.length > 0) {
      await this.redis.hset(this.key, toForget, '');
      await this.redis.hdel(this.key, ...over);
    }
    if (over.length > 0 || fields.includes(toForget)) await this.forgetOnDisk();
    return over;
  }

  /** An append-only file holds every command until it is written anew; a small one would never be, by itself. */
  private async forgetOnDisk(): Promise<void> {
    if (this.options.isOnDisk) await Promise.all(serversOf(this.redis).map((server) => server.bgrewriteaof()));
    await this.redis.hdel(this.key, toForget);
  }
}
