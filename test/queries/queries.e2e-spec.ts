// The app's questions over folded documents: who sees what, how pages go on, what a block does at once, how fresh it is.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { Problem } from '../../src/http/problem/problem.js';
import type { PositionToken } from '../../src/kernel/position-token.js';
import { DocumentProjector } from '../../src/projector/builds/document-projector.js';
import { defaultRunnerLimits } from '../../src/projector/fold/document-runner.js';
import { redisDocuments } from '../../src/projector/sinks/redis-documents.js';
import { BrandIds } from '../../src/queries/brand-ids.js';
import { Feed, FeedHandler } from '../../src/queries/feed.query.js';
import { FriendList, FriendListHandler } from '../../src/queries/friends.query.js';
import { Inbox, InboxHandler } from '../../src/queries/inbox.query.js';
import { ReadSide } from '../../src/queries/read-side.js';
import { Relationships, RelationshipsHandler } from '../../src/queries/relationships.query.js';
import { ShareDetailHandler, ShareDetailOf } from '../../src/queries/share.query.js';
import { ThreadMessages, ThreadMessagesHandler } from '../../src/queries/thread.query.js';
import { Unread, UnreadHandler } from '../../src/queries/unread.query.js';
import { Progress } from '../../src/stores/documents/progress.js';
import { DocumentReader } from '../../src/stores/documents/reader.js';
import { openRedis, type RedisStore } from '../../src/stores/redis/open-redis.js';
import { asNewEvent, type ShareFact, type SocialEvent, SocialHistory } from '../projections/social-history.js';
import { plainDecoder } from '../projector/support.js';
import { documentProjections } from '../usual-settings.js';

const binary = spawnSync('redis-server', ['--version']).error === undefined ? 'redis-server' : 'no-such';
if (binary === 'no-such')
  process.stdout.write('no redis-server on PATH: the queries are tested on the JavaScript Redis\n');
const shards = 3;
const key = Buffer.alloc(32, 7);

describe('questions', () => {
  const history = new SocialHistory(31, 8, 4_000);
  let directory: string;
  let store: RedisStore;
  let log: EmbeddedEventLog;
  let projector: DocumentProjector;
  let reads: ReadSide;
  let min: PositionToken;
  let appended = 0;

  async function record(events: readonly SocialEvent[]): Promise<void> {
    let position = 0n;
    for (const event of events) {
      position = (await log.append(event.stream, [asNewEvent(event, appended)], 'any')).position;
      appended += 1;
    }
    min = { logId: await log.id(), position };
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'homing-queries-'));
    store = await openRedis({ url: undefined, directory: join(directory, 'redis'), binary });
    log = await EmbeddedEventLog.open(join(directory, 'log'), { durable: false });
    await record(history.events);
    const reader = new DocumentReader(store.client, shards);
    projector = new DocumentProjector({
      log,
      store: redisDocuments(store.client),
      decoder: plainDecoder,
      projections: documentProjections,
      shards,
      limits: defaultRunnerLimits,
    });
    projector.start();
    reads = new ReadSide(reader, new Progress(reader), await log.id(), 20_000);
  });
  afterAll(async () => {
    await projector.close();
    await log.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const feed = (viewerId: string, limit: number, cursor?: string) =>
    new FeedHandler(reads).execute(new Feed(viewerId, limit, cursor, min, '2026-03-05T00:00:00.000Z'));
  const friendList = (
    viewerId: string,
    list: 'friends' | 'requests-in' | 'requests-out',
    limit = 50,
    cursor?: string,
  ) => new FriendListHandler(reads).execute(new FriendList(viewerId, list, limit, cursor, min));
  const brandIds = new BrandIds(key);
  const inbox = (ownerId: string, filter: 'accepted' | 'requests' = 'accepted') =>
    new InboxHandler(reads, brandIds).execute(new Inbox({ memberId: ownerId, filter }, 100, undefined, min));
  const brandInbox = (brandId: string, isBot: boolean, now: string) =>
    new InboxHandler(reads, brandIds).execute(new Inbox({ brandId, isBot, now }, 100, undefined, min));
  const thread = (viewerId: string, id: string, where = {}, limit = 50, asBrand = false) =>
    new ThreadMessagesHandler(reads, brandIds, { log, decode: async (event) => decodeHidden(event) }).execute(
      new ThreadMessages(viewerId, asBrand, id, where, limit, min),
    );

  it('shows the feed newest first, in pages that neither skip nor repeat', async () => {
    const viewerId = 'm1';
    const whole = await feed(viewerId, 100);
    const expected = history.moments
      .filter(
        ({ authorId, deleted }) =>
          !deleted && (authorId === viewerId || history.pair(viewerId, authorId).state === 'friends'),
      )
      .toSorted((a, b) => b.at - a.at || (a.momentId < b.momentId ? 1 : -1));
    expect(whole.items.length).toBeGreaterThan(50);
    const known = new Set(whole.items.map(({ moment }) => moment.momentId));
    for (const { moment } of whole.items) expect(expected.map(({ momentId }) => momentId)).toContain(moment.momentId);
    const times = whole.items.map(({ moment }) => Date.parse(moment.publishedAt));
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await feed(viewerId, 7, cursor);
      paged.push(...page.items.map(({ moment }) => moment.momentId));
      cursor = page.cursor;
    } while (cursor !== undefined && paged.length < 100);
    expect(new Set(paged).size).toBe(paged.length);
    expect(paged.slice(0, known.size)).toEqual(whole.items.map(({ moment }) => moment.momentId).slice(0, paged.length));
    expect(whole.stale).toBe(false);
    expect(whole.items[0]?.moment.author.displayName).toMatch(/^Name/);
  });

  it("shows the viewer's own reaction", async () => {
    for (const viewerId of history.people) {
      const page = await feed(viewerId, 100);
      for (const { moment, viewer } of page.items) {
        const fact = history.moments.find(({ momentId }) => momentId === moment.momentId);
        expect(viewer.reaction).toBe(fact?.reactions.get(viewerId));
        expect(viewer.isAuthor).toBe(fact?.authorId === viewerId);
      }
    }
  });

  it('lists friends and requests, and how people stand to each other', async () => {
    for (const viewerId of history.people) {
      const others = history.people.filter((id) => id !== viewerId);
      const items = (await friendList(viewerId, 'friends')).items.map(({ member }) => member.memberId);
      expect(items.toSorted()).toEqual(
        others.filter((id) => history.pair(viewerId, id).state === 'friends').toSorted(),
      );
      const { items: relationships } = await new RelationshipsHandler(reads).execute(
        new Relationships(viewerId, others, min),
      );
      for (const relationship of relationships) {
        const pair = history.pair(viewerId, relationship.memberId);
        expect(relationship.unavailable).toBe(pair.blocks.has(relationship.memberId));
        expect(relationship.canMessage).toBe(pair.blocks.size === 0);
      }
    }
    const [stranger] = (await new RelationshipsHandler(reads).execute(new Relationships('m1', ['nobody'], min))).items;
    expect(stranger).toMatchObject({ friendship: 'none', unavailable: true, canMessage: false, canRequest: false });
  });

  it('counts unread the same in the list and on the badge', async () => {
    for (const viewerId of history.people) {
      const { items } = await inbox(viewerId);
      const badge = await new UnreadHandler(reads).execute(new Unread(viewerId, min));
      expect(items.reduce((sum, { unread }) => sum + unread, 0)).toBe(badge.messages);
      expect(items.filter(({ unread }) => unread > 0)).toHaveLength(badge.conversations);
      expect(badge.conversationRequests).toBe((await inbox(viewerId, 'requests')).items.length);
      expect(badge.friendRequests).toBe((await friendList(viewerId, 'requests-in')).items.length);
    }
  });

  it('shows a brand its customers under ids of its own', async () => {
    const { items } = await brandInbox('shop', false, '2026-03-05T00:00:00.000Z');
    expect(items.length).toBeGreaterThan(0);
    const text = JSON.stringify(items);
    for (const memberId of history.people) expect(text).not.toContain(`"${memberId}"`);
    const { conversationId, member } = items[0] ?? {};
    const page = await thread('shop', conversationId ?? '', {}, 50, true);
    const senders = new Set(page.items.map(({ senderId }) => senderId));
    expect([...senders].every((id) => id === 'agent-1' || id === member?.memberId)).toBe(true);
  });

  it('tells a brand that it may answer as long as its answers are taken: a bot for a day, a human for a week', async () => {
    const canSend = async (isBot: boolean, now: string) =>
      (await brandInbox('shop', isBot, now)).items.map(({ viewer }) => viewer.canSend);
    const wrote = [...history.talks.values()].filter(
      ({ kind, messages }) => kind === 'brand' && messages.some(({ owner }) => owner !== 'shop'),
    );
    expect(wrote.length).toBeGreaterThan(0);
    const mayAnswer = async (isBot: boolean, now: string) => (await canSend(isBot, now)).filter(Boolean).length;
    const lastDay = '2026-03-02T00:00:00.000Z';
    expect(await mayAnswer(false, lastDay)).toBe(wrote.length);
    expect(await mayAnswer(true, '2026-03-04T00:00:00.000Z')).toBe(0);
    expect(await mayAnswer(false, '2026-03-04T00:00:00.000Z')).toBe(wrote.length);
    expect(await mayAnswer(false, '2026-03-10T00:00:00.000Z')).toBe(0);
  });

  it('pages through a thread, its newest part from Redis and the rest from the log', async () => {
    const [talk] = [...history.talks.values()];
    if (!talk) throw new Error('no talk');
    await record(history.talkOn(talk, 150));
    const viewerId = talk.owners[0] as string;
    const all: number[] = [];
    let before: number | undefined;
    do {
      const page = await thread(viewerId, talk.id, before === undefined ? {} : { before }, 30);
      all.unshift(...page.items.map(({ seq }) => seq));
      before = page.previous;
    } while (before !== undefined);
    expect(all).toEqual(talk.messages.map((_, seq) => seq));
    const around = await thread(viewerId, talk.id, { around: 5 }, 9);
    expect(around.items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const after = await thread(viewerId, talk.id, { after: talk.messages.length - 3 }, 9);
    expect(after.items).toHaveLength(2);
    expect(after.next).toBeUndefined();
    await expect(thread(viewerId, talk.id, { before: 1, after: 1 })).rejects.toMatchObject({ code: 'invalid-query' });
  });

  it('answers strangers as if it were not there', async () => {
    const talk = [...history.talks.values()].find(({ kind }) => kind === 'direct');
    const stranger = history.people.find((id) => !talk?.owners.includes(id)) as string;
    const unknown = thread(stranger, 'no-such-conversation').catch((error: unknown) => error);
    const foreign = thread(stranger, talk?.id ?? '').catch((error: unknown) => error);
    expect(await foreign).toEqual(await unknown);
    expect(await foreign).toBeInstanceOf(Problem);
    const share = history.shares[0];
    const other = history.people.find((id) => id !== share?.sharerId) as string;
    const detail = (viewerId: string, id: string) =>
      new ShareDetailHandler(reads).execute(new ShareDetailOf(viewerId, id, min));
    await expect(detail(other, share?.shareId ?? '')).rejects.toMatchObject({ code: 'share-not-found' });
    await expect(detail(other, 'nothing')).rejects.toMatchObject({ code: 'share-not-found' });
    expect(await detail(share?.sharerId ?? '', share?.shareId ?? '')).toMatchObject({ children: share?.children });
  });

  it('tells of a chain with and without the parents that were inferred', async () => {
    const detail = ({ sharerId, shareId }: ShareFact) =>
      new ShareDetailHandler(reads).execute(new ShareDetailOf(sharerId, shareId, min));
    const child = history.shares.find(({ inferred }) => inferred) as ShareFact;
    expect((await detail(child)).share).toMatchObject({
      parentShareId: child.parent?.shareId,
      parentEvidence: 'window',
      depth: child.depth,
      explicit: { rootShareId: child.shareId, depth: 0 },
    });
    const parent = child.parent as ShareFact;
    const named = history.shares.filter((share) => share.parent === parent && !share.inferred);
    expect(await detail(parent)).toMatchObject({ children: parent.children, explicit: { children: named.length } });
    const root = history.shares.find(({ shareId }) => shareId === child.rootShareId) as ShareFact;
    const chain = history.shares.filter((share) => share !== root && share.rootShareId === root.shareId);
    const alone = chain.filter(({ explicit }) => explicit === undefined);
    const figures = (those: readonly ShareFact[]) => ({
      descendants: those.length,
      depthMax: Math.max(0, ...those.map(({ depth }) => depth)),
    });
    expect(await detail(root)).toMatchObject({ chain: figures(chain), explicit: { chain: figures(alone) } });
    expect(alone.length).toBeLessThan(chain.length);
  });

  it('refuses cursors that are none, or of another question', async () => {
    const { cursor } = await feed('m1', 1);
    await expect(feed('m1', 5, 'nonsense')).rejects.toMatchObject({ code: 'bad-cursor' });
    await expect(friendList('m1', 'friends', 5, cursor)).rejects.toMatchObject({ code: 'bad-cursor' });
  });

  it('hides a blocked person at the very position of the block', async () => {
    const [a, b] = history.people
      .flatMap((one) => history.people.map((two) => [one, two] as const))
      .find(([one, two]) => one < two && history.pair(one, two).state === 'friends') as [string, string];
    const momentsOf = async (viewerId: string, authorId: string) =>
      (await feed(viewerId, 100)).items.filter(({ moment }) => moment.author.memberId === authorId).length;
    expect(await momentsOf(a, b)).toBeGreaterThan(0);
    const at = { occurredAt: '2026-03-05T08:00:00.000Z' };
    const stream = `friendship-${a}_${b}`;
    // The block alone, as if the end of the friendship had not been folded yet: reading has to hide it by itself.
    await record([{ ...at, stream, type: 'MemberBlocked', data: { blockerId: b, blockedId: a, context: 'profile' } }]);
    expect(await momentsOf(a, b)).toBe(0);
    expect(await momentsOf(b, a)).toBe(0);
    expect((await friendList(a, 'friends')).items.map(({ member }) => member.memberId)).not.toContain(b);
  });

  it('waits for a position, says so when it does not come, and knows its own log', async () => {
    const reader = new DocumentReader(store.client, shards);
    const impatient = new ReadSide(reader, new Progress(reader), await log.id(), 30);
    const far = { logId: min.logId, position: min.position + 1_000_000n };
    expect((await new UnreadHandler(impatient).execute(new Unread('m1', far))).stale).toBe(true);
    const foreign = { logId: '22222222-2222-4222-8222-222222222222', position: 1n };
    await expect(new UnreadHandler(reads).execute(new Unread('m1', foreign))).rejects.toMatchObject({
      code: 'bad-position',
    });
    const [one] = await Promise.all([
      new UnreadHandler(reads).execute(new Unread('m2', { ...min, position: min.position + 1n })),
      record([
        {
          stream: 'member-m2',
          type: 'MemberProfileChanged',
          data: { memberId: 'm2', displayName: 'Later' },
          occurredAt: '2026-03-06T00:00:00.000Z',
        },
      ]),
    ]);
    expect(one?.stale).toBe(false);
  });
});
