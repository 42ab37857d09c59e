// The salts that visitors of links are named under: found by the API, destroyed by the worker, both in Redis.
import type { Logger } from 'pino';
import type { SaltShelf } from '../commands/sharing/visitor-names.js';
import { isSaltOver } from '../domain/sharelink/visitor-salt.js';
import { answerWithin } from '../kernel/answer-within.js';
import { DaySalts } from '../stores/redis/day-salts.js';
import type { Engines } from './engines.js';

/** A visitor waits no longer for the name that is kept of the visit. */
const saltMsMax = 1_000;
const part = 'link salts';

function daySalts({ redis, logId }: Pick<Engines, 'redis' | 'logId'>): DaySalts {
  return new DaySalts(redis.client, { logId, isOnDisk: redis.durable });
}

export function saltShelf(engines: Pick<Engines, 'redis' | 'logId'>, logger: Logger): SaltShelf {
  const salts = daySalts(engines);
  return {
    agree: async (day, offered) => {
      try {
        return await answerWithin(salts.agree(day, offered), saltMsMax);
      } catch (error) {
        logger.warn({ err: error, part }, 'visitors may be taken for new ones: their salt is not known');
        return undefined;
      }
    },
  };
}

/** Destroys the salts whose time is over; what cannot be done now is tried again with the next call. */
export function saltDestruction(
  engines: Pick<Engines, 'redis' | 'logId'>,
  logger: Logger,
): (nowMs: number) => Promise<void> {
  const salts = daySalts(engines);
  let told = '';
  return async (nowMs) => {
    try {
      const days = await salts.destroy((day) => isSaltOver(day, nowMs));
      if (days.length > 0) logger.info({ part, days }, 'destroyed');
      told = '';
    } catch (error) {
      // A server that refuses does so every time.
      if (String(error) !== told) logger.warn({ err: error, part }, 'not destroyed, or still in the file on disk');
      told = String(error);
    }
  };
}
