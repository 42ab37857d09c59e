// A projection is built again beside the one that is read: readers never miss anything and never go back, a changed
// version is built by itself, and what differs from the log is found.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cards } from '../../projections/cards.document.js';
import { friendFeed } from '../../projections/friend-feed.document.js';
import { inbox, inboxKeys } from '../../projections/inbox.document.js';
import { documentProjections } from '../../projections/index.js';
import { untilRead } from '../../src/cli/operations/until-caught-up.js';
import { activeKey, buildPrefix } from '../../src/kernel/document-keys.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { Builds } from '../../src/projector/builds/builds.js';
import { DocumentsNotReady } from '../../src/stores/documents/reader.js';
import { SocialHistory } from '../projections/social-history.js';
import { hasRedisServer, Setup, signal } from './engine-setup.js';

const nameOf = ({ name }: DocumentProjection) => ({ projection: name, shard: 0, shards: 1 });
const binary = hasRedisServer ? 'redis-server' : 'no-such';

describe('rebuild', () => {
  let setup: Setup;
  beforeEach(async () => {
    setup = await Setup.open(binary);
  });
  afterEach(async () => {
    await setup.close();
  });
  const builds = (projection: DocumentProjection) => new Builds(setup.store.client, nameOf(projection));

  it('takes every projection over under write load; readers never miss and never go back', async () => {
    const history = new SocialHistory(41, 8, 1_500);
    const { events } = history;
    await setup.settled([], await setup.append(events.slice(0, 500)));
    const rebuilt = signal();
    let left = documentProjections.length;
    setup.start(documentProjections, {
      listener: {
        activated: (_, build) => {
          if (build === 2) left -= 1;
          if (left === 0) rebuilt.fire();
        },
      },
    });
    await setup.settled(documentProjections, await setup.log.head());

    let reading = true;
    const reader = setup.reader();
    const reads = Promise.all(
      documentProjections.map(async (projection) => {
        let last = 0n;
        let count = 0;
        while (reading) {
          const { checkpoint } = await reader.checkpoint(nameOf(projection)).then((found) => ({ checkpoint: found }));
          expect(checkpoint.position).toBeGreaterThanOrEqual(last);
          last = checkpoint.position;
          count += 1;
          const { replies } = await reader.read('cards', 'm1', (pipeline, key) => pipeline.get(key('member:m1')));
          expect(replies[0]).not.toBeNull();
        }
        return count;
      }),
    );
    for (const projection of documentProjections) await builds(projection).begin();
    let written = 500;
    while (left > 0 && written < events.length) {
      await setup.append(events.slice(written, written + 5));
      written += 5;
    }
    await rebuilt.fired;
    reading = false;
    for (const count of await reads) expect(count).toBeGreaterThan(0);
    await setup.settled(documentProjections, await setup.log.head());
    for (const projection of documentProjections) {
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

  it('gives up a build that is aborted, and clears it', async () => {
    const { events } = new SocialHistory(43, 5, 100);
    await setup.append(events);
    setup.start([cards]);
    await setup.settled([cards], await setup.log.head());
    await setup.stop();
    const list = builds(cards);
    const build = await list.begin();
    await list.mark(build, 'aborted');
    setup.start([cards]);
    await setup.settled([cards], await setup.append(events.slice(0, 1)));
    while ((await list.list()).states.has(build)) await setup.settled([cards], await setup.append(events.slice(0, 1)));
    expect((await list.list()).active).toBe(1);
    expect(await setup.store.client.keys(`${buildPrefix(nameOf(cards), build)}*`)).toEqual([]);
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
