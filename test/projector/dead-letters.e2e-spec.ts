// Poison events: parked with what depends on them and nothing else, listed, tried again after a fix, or dropped.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { friendFeed } from '../../projections/friend-feed.document.js';
import { inbox } from '../../projections/inbox.document.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { DeadLetters } from '../../src/projector/operation/dead-letters.js';
import { SocialHistory } from '../projections/social-history.js';
import { Setup, signal } from './engine-setup.js';
import { kinds } from './redis-kinds.js';
import { plainDecoder } from './support.js';

describe.each(kinds)('poison events on a %s', (kind) => {
  let setup: Setup;
  /** Streams of which one event cannot be folded, as long as the code is not fixed. */
  let broken: Set<string>;
  beforeEach(async () => {
    setup = await Setup.open(kind);
    broken = new Set();
  });
  afterEach(async () => {
    await setup.close();
  });

  /** Fails at the third event of a broken stream, and at it alone. */
  function fragile(projection: DocumentProjection): DocumentProjection {
    const on = Object.entries(projection.on).map(([type, handler]) => [
      type,
      {
        ...handler,
        apply: (event, view) => {
          if (broken.has(event.stream) && event.revision === 2) {
            // Half of it done already: nothing of it may stay.
            view.put('half:done', { event: event.id });
            throw new Error('cannot fold this');
          }
          handler.apply(event, view);
        },
      } satisfies DocumentProjection['on'][string],
    ]);
    return { ...projection, on: Object.fromEntries(on) };
  }
  function office(projection: DocumentProjection): DeadLetters {
    return new DeadLetters({
      log: setup.log,
      redis: setup.store.client,
      decoder: plainDecoder,
      projections: [projection],
      shards: 1,
      limits: defaultRunnerLimits,
    });
  }
  function longThread(history: SocialHistory): { readonly id: string; readonly messages: readonly unknown[] } {
    const talks = [...history.talks.values()];
    const talk = talks.find(({ messages, marks }) => messages.length > 4 && marks.size > 0);
    if (!talk) throw new Error('the history has no long talk');
    return talk;
  }

  it('parks one conversation in thousands of events; the others go on, and a retry makes it whole', async () => {
    const history = new SocialHistory(51, 6, 3_000);
    const talk = longThread(history);
    broken.add(`thread-${talk.id}`);
    const projection = fragile(inbox);
    setup.start([projection]);
    await setup.settled([projection], await setup.append(history.events));
    const letters = await office(projection).list();
    const [poison, ...waiting] = letters;
    expect(poison).toMatchObject({ stream: `thread-${talk.id}`, revision: 2, error: 'Error: cannot fold this' });
    expect(waiting.every(({ error, keys }) => error === undefined && keys.includes(`conversation-${talk.id}`))).toBe(
      true,
    );
    expect(letters.filter(({ type }) => type === 'MessageSent')).toHaveLength(talk.messages.length - 2);
    expect(letters.some(({ type }) => type === 'ConversationReadUpTo')).toBe(true);
    // The same code finds no difference: everything else is folded, and the same is parked.
    const before = await setup.verify(projection);
    expect(before).toMatchObject({ differences: 0 });
    expect(before.parked).toHaveLength(letters.length);

    expect((await office(projection).retry('inbox')).folded).toBe(0);
    expect(await office(projection).list()).toHaveLength(letters.length);
    broken.clear();
    const outcome = await office(projection).retry('inbox', letters[0]?.position);
    expect(outcome).toEqual({ folded: letters.length, stillParked: 0, rebuilding: [] });
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
    // The projector goes on from there.
    await setup.settled([projection], await setup.append(history.talkOn(talk as never, 5)));
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
  });

  it('leaves out what is dropped, in later builds too', async () => {
    const history = new SocialHistory(52, 6, 1_500);
    const talk = longThread(history);
    broken.add(`thread-${talk.id}`);
    const projection = fragile(inbox);
    const rebuilt = signal();
    setup.start([projection], { listener: { activated: (_, build) => build === 2 && rebuilt.fire() } });
    await setup.settled([projection], await setup.append(history.events));
    const [poison] = await office(projection).list();
    const outcome = await office(projection).drop('inbox', poison?.position ?? '', 'cannot be mended');
    expect(outcome.stillParked).toBe(0);
    expect(outcome.folded).toBeGreaterThan(0);
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
    const { Builds } = await import('../../src/projector/builds/builds.js');
    await new Builds(setup.store.client, { projection: 'inbox', shard: 0, shards: 1 }).begin();
    await rebuilt.fired;
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
  });

  it('rebuilds after a retry where the order of events matters', async () => {
    const history = new SocialHistory(53, 6, 2_500);
    const stream = history.events.find(
      ({ type, stream: name }) =>
        type === 'FriendshipFormed' && history.events.filter((event) => event.stream === name)[2]?.type === type,
    )?.stream;
    broken.add(stream ?? '');
    const projection = fragile(friendFeed);
    const rebuilt = signal();
    setup.start([projection], { listener: { activated: (_, build) => build === 2 && rebuilt.fire() } });
    await setup.settled([projection], await setup.append(history.events));
    expect((await office(projection).list())[0]).toMatchObject({ stream, type: 'FriendshipFormed' });
    broken.clear();
    expect((await office(projection).retry('friend-feed')).rebuilding).toEqual([2]);
    await rebuilt.fired;
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
  });

  it('parks what cannot be read at all, and tells where it is', async () => {
    const { events } = new SocialHistory(54, 4, 100);
    await setup.append(events);
    const bad = {
      id: '00000000-0000-8000-8000-000000000001',
      type: 'MemberBlocked',
      contentType: 'application/json' as const,
      data: Buffer.from('{"blockerId":'),
      metadata: Buffer.from('{}'),
    };
    const { position } = await setup.log.append('friendship-m0_m9', [bad], 'no_stream');
    setup.start([inbox]);
    await setup.settled([inbox], position);
    const [letter] = await office(inbox).list('inbox');
    expect(letter).toMatchObject({
      position: String(position),
      stream: 'friendship-m0_m9',
      keys: ['friendship-m0_m9'],
    });
    const shown = await office(inbox).show('inbox', String(position));
    expect(shown.event).toContain('its data is not JSON');
    await expect(office(inbox).show('inbox', '1')).rejects.toThrow('no event is parked');
  });

  it('is stuck when more is parked than there may be', async () => {
    const history = new SocialHistory(55, 6, 800);
    for (const talk of history.talks.keys()) broken.add(`thread-${talk}`);
    const stuck = signal<string>();
    const projection = fragile(inbox);
    setup.start([projection], {
      limits: { ...defaultRunnerLimits, deadLettersMax: 10 },
      listener: { stuck: (_, error) => stuck.fire(error.message) },
    });
    await setup.append(history.events);
    expect(await stuck.fired).toContain('more than 10 events are parked');
  });
});
