// A projection is built again beside the one that is read: readers never miss anything and never go back, a changed
// version is built by itself, and what differs from the log is found.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cards } from '../../projections/cards.document.js';
import { friendFeed } from '../../projections/friend-feed.document.js';
import { inbox, inboxKeys } from '../../projections/inbox.document.js';
import { thread } from '../../projections/thread.document.js';
import { untilRead } from '../../src/cli/operations/until-caught-up.js';
import { activeKey, buildPrefix } from '../../src/kernel/document-keys.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { giveUp } from '../../src/projector/builds/builds.js';
import { RedisBuilds } from '../../src/projector/sinks/redis-builds.js';
import { DocumentsNotReady } from '../../src/stores/documents/reader.js';
import { SocialHistory } from '../projections/social-history.js';
import { documentProjections } from '../usual-settings.js';
import { Setup, signal } from './engine-setup.js';
import { beginning, readings, step } from './growing-life.js';
import { keysOf, kinds, redisForAll } from './redis-kinds.js';

const nameOf = ({ name }: DocumentProjection) => ({ projection: name, shard: 0, shards: 1 });

describe.each(kinds)('rebuild on a %s', (kind) => {
  const redis = redisForAll(kind);
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.open(redis());
  });
  afterEach(async () => {
    await setup.close();
  });
  const builds = (projection: DocumentProjection) => new RedisBuilds(setup.store.client, nameOf(projection));

  it('takes every projection over under write load; readers never miss anything and never go back', async () => {
    const left = new Set(documentProjections.map(({ name }) => name));
    const activated = ({ projection }: { readonly projection: string }, build: number) => {
      if (build === 2) left.delete(projection);
    };
    await setup.append(beginning);
    // Where the log was after each step: whoever has passed that shows the step.
    const after: bigint[] = [await setup.append(step(1))];
    while (after.length < 100) after.push(await setup.append(step(after.length + 1)));
    const stuck: string[] = [];
    const fail = (error: Error) => {
      stuck.push(error.message);
      left.clear();
    };
    setup.start(documentProjections, { listener: { activated, stuck: (_, error) => fail(error) } });
    await setup.settled(documentProjections, after.at(-1) as bigint);
    /** One step after the other, as fast as a read model takes them. */
    const write = async () => {
      after.push(await setup.append(step(after.length + 1)));
      await setup.settled([thread], after.at(-1) as bigint);
    };

    let reading = true;
    const seenBuilds = new Map<string, Set<string>>();
    const reader = setup.reader();
    async function readOnAndOn(projection: DocumentProjection): Promise<void> {
      const { ask, steps } = readings[projection.name] as (typeof readings)[string];
      const seen = new Set<string>();
      seenBuilds.set(projection.name, seen);
      let [last, lastPosition, promised] = [0, 0n, 0];
      while (reading) {
        let prefix = '';
        const { replies, checkpoint } = await reader.read(projection.name, 'hub', (pipeline, key) => {
          prefix = key('');
          ask(pipeline, key);
        });
        seen.add(prefix);
        const shown = steps(replies[0]);
        while ((after[promised] ?? checkpoint.position + 1n) <= checkpoint.position) promised += 1;
        const about = { projection: projection.name, prefix, shown, last, promised };
        expect({ ...about, isThere: shown !== undefined }).toEqual({ ...about, isThere: true });
        expect({ ...about, ok: (shown as number) >= Math.max(last, promised) }).toEqual({ ...about, ok: true });
        expect(checkpoint.position).toBeGreaterThanOrEqual(lastPosition);
        [last, lastPosition] = [shown as number, checkpoint.position];
      }
    }
    const reads = Promise.all(documentProjections.map(readOnAndOn));
    // A reader that finds something wrong ends the test at once.
    reads.catch(fail);
    for (const projection of documentProjections) await builds(projection).begin();
    while (left.size > 0) await write();
    for (let more = 0; more < 5; more += 1) await write();
    await setup.settled(documentProjections, after.at(-1) as bigint);
    reading = false;
    await reads;
    expect(stuck).toEqual([]);
    for (const projection of documentProjections) {
      const read = [1, 2].map((build) => buildPrefix(nameOf(projection), build));
      expect([...(seenBuilds.get(projection.name) ?? [])]).toEqual(read);
      expect(await setup.verify(projection)).toMatchObject({ differences: 0, told: [], parked: [] });
      expect((await builds(projection).list()).states.get(1)).toBe('kept');
    }
  });

  it('builds a projection whose version changed by itself, and goes back to a kept build with the old code', async () => {
    const { events } = new SocialHistory(42, 5, 200);
    const position = await setup.append(events);
    setup.start([cards]);
    await setup.settled([cards], position);
    await setup.stop();

    const changed: DocumentProjection = {
      ...cards,
      version: 2,
      on: {
        ...cards.on,
        MemberRegistered: {
          apply: (event, view) => view.put(`member:${(event.data as { memberId: string }).memberId}`, { new: true }),
        },
        MemberProfileChanged: { apply: () => undefined },
      },
    };
    const second = signal();
    setup.start([changed], { listener: { activated: () => second.fire() } });
    // Readers read the old documents until the new ones are whole.
    const read = async () =>
      (await setup.reader().read('cards', 'm1', (pipeline, key) => pipeline.get(key('member:m1'))))
        .replies[0] as string;
    expect(JSON.parse(await read())).toBeTruthy();
    await second.fired;
    expect(JSON.parse(await read())).toEqual({ new: true });
    // The new code cannot go on with the old build, so it does not touch it.
    await expect(setup.operations([changed]).rollback('cards')).rejects.toThrow(
      'cards/0: build 1 was made by another version of the code than this one (2)',
    );
    await setup.settled([changed], await setup.append(events.slice(0, 1)));
    expect((await builds(cards).list()).states.get(1)).toBe('kept');
    await setup.stop();

    const third = signal<number>();
    setup.start([cards], { listener: { activated: (_, build) => third.fire(build) } });
    expect(await third.fired).toBe(1);
    expect(await setup.verify(cards)).toMatchObject({ differences: 0 });
  });

  it('interrupted while it goes back, keeps what it would have gone back to, and goes back to it another time', async () => {
    const { events } = new SocialHistory(47, 5, 200);
    await setup.append(events);
    setup.start([cards]);
    await setup.settled([cards], await setup.log.head());
    const operations = setup.operations([cards]);
    await untilRead(operations, [
      { projection: 'cards', shard: 0, build: (await operations.rebuild('cards'))[0] ?? 0 },
    ]);
    await setup.stop();

    expect(await operations.rollback('cards')).toEqual([1]);
    expect(await operations.rollback('cards')).toEqual([1]);
    expect((await operations.status()).map(({ build, state }) => [build, state])).toEqual([
      [1, 'building'],
      [2, 'active'],
    ]);
    await operations.abort('cards');
    // What has taken over by now is not given up, however late somebody says so.
    await giveUp(builds(cards), 2);
    expect(await builds(cards).list()).toEqual({
      active: 2,
      states: new Map([
        [1, 'kept'],
        [2, 'active'],
      ]),
    });
    setup.start([cards]);
    await setup.settled([cards], await setup.append(events.slice(0, 1)));
    const back = await operations.rollback('cards');
    await untilRead(operations, [{ projection: 'cards', shard: 0, build: back[0] ?? 0 }]);
    expect((await builds(cards).list()).active).toBe(1);
    expect(await setup.verify(cards)).toMatchObject({ differences: 0 });
  });

  it('gives up a build that is aborted, and clears it', async () => {
    const { events } = new SocialHistory(43, 5, 100);
    await setup.append(events);
    setup.start([cards]);
    await setup.settled([cards], await setup.log.head());
    await setup.stop();
    const list = builds(cards);
    const build = await list.begin();
    await list.move(build, 'building', 'aborted');
    setup.start([cards]);
    await setup.settled([cards], await setup.append(events.slice(0, 1)));
    while ((await list.list()).states.has(build)) await setup.settled([cards], await setup.append(events.slice(0, 1)));
    expect((await list.list()).active).toBe(1);
    expect(await keysOf(setup.redis, `${buildPrefix(nameOf(cards), build)}*`)).toEqual([]);
  });

  it('does not let readers see a build that differs from the log', async () => {
    await setup.append(new SocialHistory(44, 60, 1).events);
    let applied = 0;
    const impure: DocumentProjection = {
      ...cards,
      on: {
        MemberRegistered: {
          apply: (event, view) => {
            applied += 1;
            const { memberId } = event.data as { memberId: string };
            if (view.owns(memberId)) view.put(`member:${memberId}`, { applied });
          },
        },
      },
    };
    const stuck = signal<string>();
    setup.start([impure], { listener: { stuck: (_, error) => stuck.fire(error.message) } });
    await setup.settled([impure], await setup.log.head());
    const operations = setup.operations([impure]);
    const [build = 0] = await operations.rebuild('cards');
    // Whoever asked for it hears that it did not become what is read.
    await expect(untilRead(operations, [{ projection: 'cards', shard: 0, build }])).rejects.toThrow(
      `cards/0: build ${build} was given up, build 1 is read`,
    );
    expect(await stuck.fired).toContain(`build ${build} differs from the fold of the log`);
    expect(await setup.store.client.get(activeKey(nameOf(impure)))).toBe('1');
  });

  it('finds every kind of difference, to the row', async () => {
    const history = new SocialHistory(45, 8, 600);
    await setup.append(history.events);
    setup.start([inbox, friendFeed]);
    await setup.settled([inbox, friendFeed], await setup.log.head());
    expect(await setup.verify(inbox)).toMatchObject({ differences: 0 });
    await expect(setup.operations([inbox], { keysMax: 5 }).verify('inbox')).rejects.toThrow(
      'more than 5 keys in one shard: set HOMING_PROJECTION_SHARDS',
    );
    const prefix = buildPrefix(nameOf(inbox), 1);
    const { client } = setup.store;
    const conversation = [...history.talks.keys()][0] as string;
    const owner = history.talks.get(conversation)?.owners[0] as string;
    await client.zrem(`${prefix}${inboxKeys.inbox(owner)}`, conversation);
    await client.hset(`${prefix}${inboxKeys.rows('nobody')}`, 'x', '{}');
    await client.del(`${prefix}${inboxKeys.totals(owner)}`);
    const report = await setup.verify(inbox);
    expect(report.told.map(({ at }) => at).toSorted()).toEqual(
      [inboxKeys.inbox(owner), inboxKeys.rows('nobody'), inboxKeys.totals(owner)].toSorted(),
    );
    expect(report.told.find(({ at }) => at === inboxKeys.rows('nobody'))?.expected).toBeUndefined();
    expect(report.told.find(({ at }) => at === inboxKeys.totals(owner))?.found).toBeUndefined();
  });

  it('tells readers that nothing is ready rather than showing half of it', async () => {
    await expect(setup.reader().checkpoint(nameOf(cards))).rejects.toThrow(DocumentsNotReady);
  });
});
