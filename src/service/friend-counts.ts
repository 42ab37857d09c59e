// The counts behind the limits of friendship, read from the friends read model: four numbers, one round trip per shard.
import type { Logger } from 'pino';
import { friendKeys, friends } from '../../projections/friends.document.js';
import type { FriendCounts } from '../commands/people/friend-counts.js';
import { dayMs, toMs } from '../kernel/clock.js';
import type { DocumentReader } from '../stores/documents/reader.js';

/** A request to become friends waits no longer than this for its counts. */
const countMsMax = 1_000;

type Reader = Pick<DocumentReader, 'readEach'>;

async function count(reader: Reader, actorId: string, otherId: string, nowMs: number) {
  const [friendsOfActor = 0, friendsOfOther = 0, openOutgoingOfActor = 0, requestsOfActorLast24h = 0] =
    await reader.readEach(
      friends.name,
      [actorId, otherId, actorId, actorId],
      (pipeline, key, index) => {
        if (index === 0) pipeline.zcard(key(friendKeys.friends(actorId)));
        else if (index === 1) pipeline.zcard(key(friendKeys.friends(otherId)));
        else if (index === 2) pipeline.zcard(key(friendKeys.requestsOut(actorId)));
        else pipeline.zcount(key(friendKeys.requestsSent(actorId)), `(${nowMs - dayMs}`, nowMs);
      },
      Number,
    );
  return { friendsOfActor, friendsOfOther, openOutgoingOfActor, requestsOfActorLast24h };
}

/** Without a read model (it is being built, Redis is away) people still become friends: a limit is no reason to stop. */
export function friendCounts(reader: Reader, logger: Logger): FriendCounts {
  return {
    of: async (actorId, otherId, now) => {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${countMsMax} ms`)), countMsMax);
      });
      try {
        return await Promise.race([count(reader, actorId, otherId, toMs(now)), late]);
      } catch (error) {
        logger.warn({ err: error, part: 'friend limits' }, 'a friend request is taken without its limits');
        return undefined;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
