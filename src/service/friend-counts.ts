// The counts that friendships rest on, from the friends read model: a round trip per shard.
import type { Logger } from 'pino';
import { friendKeys, friends } from '../../projections/friends.document.js';
import type { FriendCounts } from '../commands/people/friend-counts.js';
import type { GraphCounts } from '../domain/friendship/friendship.commands.js';
import { friendsMax } from '../domain/friendship/friendship.decider.js';
import { answerWithin } from '../kernel/answer-within.js';
import { dayMs, toMs } from '../kernel/clock.js';
import { Progress } from '../stores/documents/progress.js';
import type { DocumentReader } from '../stores/documents/reader.js';

/** A request to become friends waits no longer than this for its counts, and for the read model to be built. */
const countMsMax = 1_000;
/** So near to the limit the count must hold all that was recorded: nobody makes so many friends within the lag. */
export const nearFriendsMax = 500;

type Reader = Pick<DocumentReader, 'readEach' | 'checkpoint' | 'shardName'>;

async function count(reader: Reader, actorId: string, otherId: string, nowMs: number): Promise<GraphCounts> {
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

/** Two may be owned by two shards, so the sets meet here: at most twice the friend limit of ids. */
async function mutual(reader: Reader, a: string, b: string): Promise<number> {
  const [ofA, ofB] = await reader.readEach(
    friends.name,
    [a, b],
    (pipeline, key, index) => pipeline.zrange(key(friendKeys.friends(index === 0 ? a : b)), '0', '-1'),
    (reply) => new Set(reply as string[]),
  );
  return [...(ofA ?? [])].filter((memberId) => ofB?.has(memberId)).length;
}

/** @param head the position of the last event of the log */
export function friendCounts(reader: Reader, head: () => Promise<bigint>, logger: Logger): FriendCounts {
  const progress = new Progress(reader);
  const upTo = async (memberIds: readonly string[], position: bigint) => {
    const shards = memberIds.map((memberId) => reader.shardName(friends.name, memberId));
    if (!(await progress.waitFor(shards, position, countMsMax))) throw new Error('the friends read model is behind');
  };
  const counted = async (actorId: string, otherId: string, nowMs: number): Promise<GraphCounts> => {
    const both = [actorId, otherId];
    await upTo(both, 0n);
    const counts = await count(reader, actorId, otherId, nowMs);
    if (Math.max(counts.friendsOfActor, counts.friendsOfOther) < friendsMax - nearFriendsMax) return counts;
    await upTo(both, await head());
    return count(reader, actorId, otherId, nowMs);
  };
  const orNothing = async <Value>(what: string, work: () => Promise<Value>): Promise<Value | undefined> => {
    try {
      return await answerWithin(work(), countMsMax);
    } catch (error) {
      logger.warn({ err: error, part: 'friend counts' }, what);
      return undefined;
    }
  };
  return {
    of: (actorId, otherId, now) =>
      orNothing('friendships are refused: their limits are not known', () => counted(actorId, otherId, toMs(now))),
    mutual: (a, b) => orNothing('a friendship is formed without its mutual friends', () => mutual(reader, a, b)),
  };
}
