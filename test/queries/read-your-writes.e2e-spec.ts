// An answer shows at least what was asked for, or says that it does not: also when Redis has come back from an older file.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cards } from '../../projections/cards.document.js';
import { memberCards } from '../../src/queries/people.js';
import { ReadSide } from '../../src/queries/read-side.js';
import { Progress } from '../../src/stores/documents/progress.js';
import type { SocialEvent } from '../projections/social-history.js';
import { Setup } from '../projector/engine-setup.js';
import { hasRedisServer, redisForAll } from '../projector/redis-kinds.js';

const waitMs = 100;
const longWaitMs = 20_000;

function registered(memberId: string, displayName: string): SocialEvent {
  const data = { memberId, handle: memberId, displayName, ageBand: '18_plus', country: 'AT' };
  return { stream: `member-${memberId}`, type: 'MemberRegistered', data, occurredAt: '2026-03-01T08:00:00.000Z' };
}

// DUMP and RESTORE, which stand for the older file, are not there in the JavaScript Redis.
(hasRedisServer ? describe : describe.skip)('a Redis that goes back', () => {
  const redis = redisForAll('redis-server');
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.open(redis());
  });
  afterEach(() => setup.close());

  it('gives older answers, and each of them says so', async () => {
    const { client } = setup.store;
    const logId = await setup.log.id();
    setup.start([cards]);
    await setup.settled([cards], await setup.append([registered('anna', 'Anna')]));
    const older = await Promise.all(
      (await client.keys('cards:*')).map(async (key) => [key, await client.dumpBuffer(key)] as const),
    );
    const position = await setup.append([registered('bert', 'Bert')]);
    await setup.settled([cards], position);
    await setup.stop();

    const reader = setup.reader();
    const progress = new Progress(reader);
    const ask = async (waitMsMax: number) => {
      const answer = await new ReadSide(reader, progress, logId, waitMsMax).begin(['cards'], { logId, position });
      const found = await memberCards(answer, ['anna', 'bert']);
      return { names: [...found.keys()], stale: answer.freshness.stale };
    };
    expect(await ask(waitMs)).toEqual({ names: ['anna', 'bert'], stale: false });

    await client.flushall();
    for (const [key, value] of older) await client.restore(key, 0, value);
    expect(await ask(waitMs)).toEqual({ names: ['anna'], stale: true });
    // It is not believed a second time: this one waits, and when the projector has gone on, it has what it asked for.
    const asked = ask(longWaitMs);
    setup.start([cards]);
    expect(await asked).toEqual({ names: ['anna', 'bert'], stale: false });
  });
});
