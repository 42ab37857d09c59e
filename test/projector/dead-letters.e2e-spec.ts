// Poison events: parked with what depends on them and nothing else, listed, tried again after a fix, or dropped.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { friendFeed } from '../../projections/friend-feed.document.js';
import { inbox, inboxKeys } from '../../projections/inbox.document.js';
import type { DocumentProjection } from '../../src/kernel/projection.js';
import { type BatchReport, defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { DeadLetters } from '../../src/projector/operation/dead-letters.js';
import { redisDocuments } from '../../src/projector/sinks/redis-documents.js';
import { SocialHistory } from '../projections/social-history.js';
import { Setup, signal } from './engine-setup.js';
import { kinds, redisForAll } from './redis-kinds.js';
import { plainDecoder } from './support.js';

describe.each(kinds)('poison events on a %s', (kind) => {
  const redis = redisForAll(kind);
  let setup: Setup;
  /** Streams of which one event cannot be folded, as long as the code is not fixed. */
  let broken: Set<string>;
  beforeEach(async () => {
    setup = await Setup.open(redis());
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
      store: redisDocuments(setup.store.client),
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

  it('parks one conversation in 10,000 events; the others are as far as ever, and a retry makes it whole', async () => {
    const history = new SocialHistory(51, 6, 13_500);
    const events = history.events.slice(0, 10_000);
    expect(events).toHaveLength(10_000);
    const stream = events.find(({ type, stream: name }) => {
      const ofIt = events.filter((event) => event.stream === name).length;
      return type === 'MessageSent' && ofIt > 20;
    })?.stream as string;
    const id = stream.slice('thread-'.length);
    broken.add(stream);
    const projection = fragile(inbox);
    /** The same read model where nothing fails, over the same pages. */
    const sound: DocumentProjection = { ...inbox, name: 'inbox-sound' };
    const places = new Map<string, bigint[]>([
      [projection.name, []],
      [sound.name, []],
    ]);
    let parked = 0;
    const batch = ({ projection: name }: { readonly projection: string }, _: number, report: BatchReport) => {
      places.get(name)?.push(report.position);
      parked += report.parked;
    };
    await setup.append(events.slice(0, 9_900));
    setup.start([projection, sound], { listener: { batch } });
    await setup.settled([projection, sound], await setup.log.head());
    const letters = await office(projection).list();
    expect(parked).toBe(letters.length);
    expect(letters.length).toBeGreaterThan(20);
    // Batch by batch it came just as far: nobody waited for what was parked.
    expect(places.get(projection.name)).toEqual(places.get(sound.name));
    // And live: with every event everybody but the one conversation is where they are without it.
    for (const event of events.slice(9_900)) {
      const position = await setup.append([event]);
      await setup.settled([projection, sound], position);
      const [lag, soundLag] = await setup.operations([projection, sound]).status();
      expect([lag?.lagEvents, soundLag?.lagEvents]).toEqual([0, 0]);
    }
    for (const { id: conversation, owners } of history.talks.values()) {
      const rows = await Promise.all(
        [projection, sound].map(async ({ name }) => {
          const { replies } = await setup.reader().read(name, owners[0] as string, (pipeline, key) => {
            pipeline.hget(key(inboxKeys.rows(owners[0] as string)), conversation);
          });
          return replies[0];
        }),
      );
      if (conversation !== id) expect(rows[0]).toEqual(rows[1]);
      else expect(JSON.parse(rows[0] as string)).toMatchObject({ lastSeq: 1 });
    }

    const all = await office(projection).list();
    const [poison, ...waiting] = all;
    expect(poison).toMatchObject({ stream, revision: 2, error: 'Error: cannot fold this' });
    expect(waiting.every(({ error, keys }) => error === undefined && keys.includes(`conversation-${id}`))).toBe(true);
    const sent = events.filter((event) => event.stream === stream).length;
    expect(all.filter(({ type }) => type === 'MessageSent')).toHaveLength(sent - 2);
    expect(all.some(({ type }) => type === 'ConversationReadUpTo')).toBe(true);
    // The same code finds no difference: everything else is folded, and the same is parked.
    const before = await setup.verify(projection);
    expect(before).toMatchObject({ differences: 0 });
    expect(before.parked).toHaveLength(all.length);

    expect((await office(projection).retry('inbox')).folded).toBe(0);
    expect(await office(projection).list()).toHaveLength(all.length);
    broken.clear();
    const outcome = await office(projection).retry('inbox', poison?.position);
    expect(outcome).toEqual({ folded: all.length, stillParked: 0, rebuilding: [] });
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
    // The projector goes on from there.
    await setup.settled([projection], await setup.append(history.talkOn(history.talks.get(id) as never, 5)));
    expect(await setup.verify(projection)).toMatchObject({ differences: 0, parked: [] });
  }, 240_000);

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
    await redisDocuments(setup.redis).builds({ projection: 'inbox', shard: 0, shards: 1 }).begin();
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
