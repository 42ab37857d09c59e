// Every document projection over generated histories: the same documents however the history is cut into batches,
// whether or not each event comes twice, and in however many shards; and what they say equals a naive model.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cards } from '../../projections/cards.document.js';
import { feedKeys, friendFeed, type MomentDocument } from '../../projections/friend-feed.document.js';
import { friendKeys, friends, type Relationship } from '../../projections/friends.document.js';
import { type InboxRow, inbox, inboxKeys, type UnreadTotals, unreadOf } from '../../projections/inbox.document.js';
import { type Below, type LinkDocument, shareKeys, shares } from '../../projections/shares.document.js';
import { thread, threadKeys, threadMessagesMax } from '../../projections/thread.document.js';
import { requestsPerDayMax } from '../../src/domain/friendship/friendship.events.js';
import { intentEvents } from '../../src/domain/intent/intent.events.js';
import { decodeHidden } from '../../src/event-log/codec.js';
import type { AnyEvent, DocumentProjection } from '../../src/kernel/projection.js';
import { MemorySink } from '../../src/projector/sinks/memory-sink.js';
import { fold } from '../projector/support.js';
import { seeded } from '../seeded.js';
import { documentProjections } from '../usual-settings.js';
import { asLogEvents, type ShareFact, type SocialEvent, SocialHistory } from './social-history.js';

const seeds = fc.integer({ min: 1, max: 1_000_000 });

async function documentsOf(projection: DocumentProjection, history: SocialHistory): Promise<Map<string, unknown>> {
  const sink = new MemorySink();
  await fold(projection, asLogEvents(history.events), sink);
  return sink.all();
}

/** Applies every event twice in a row. */
function twice(projection: DocumentProjection): DocumentProjection {
  const on = Object.fromEntries(
    Object.entries(projection.on).map(([type, handler]) => [
      type,
      {
        ...handler,
        apply: (event: AnyEvent, view: Parameters<typeof handler.apply>[1]) => {
          handler.apply(event, view);
          handler.apply(event, view);
        },
      },
    ]),
  );
  return { ...projection, on };
}

it('writes a document byte for byte the same, whether it was kept in memory or loaded before it changed', async () => {
  // Names of whom the key is gone: what is not there must not keep a place for what comes later.
  const nameless = ({ data: { displayName: _name, ...data }, ...event }: SocialEvent): SocialEvent => ({
    ...event,
    data,
  });
  const { events: told } = new SocialHistory(7, 12, 600);
  const events = asLogEvents(told.map((event) => (event.type === 'MemberRegistered' ? nameless(event) : event)));
  const bytesOf = async (eventsMax: number): Promise<readonly string[]> => {
    const sink = new MemorySink();
    await fold(cards, events, sink, { limits: { eventsMax } });
    const members = [...sink.all()].filter(([key]) => key.startsWith('member:'));
    return members.map((entry) => JSON.stringify(entry)).toSorted();
  };
  const whole = await bytesOf(1_000);
  for (const eventsMax of [1, 7]) expect(await bytesOf(eventsMax)).toEqual(whole);
});

describe.each(documentProjections.map((projection) => [projection.name, projection] as const))(
  '%s',
  (_, projection) => {
    it('is the same however the history is cut, and when every event comes twice', async () => {
      await fc.assert(
        fc.asyncProperty(seeds, async (seed) => {
          const history = new SocialHistory(seed, 6, 250);
          const events = asLogEvents(history.events);
          const whole = await documentsOf(projection, history);
          const random = seeded(seed);
          const cut = new MemorySink();
          const limits = {
            eventsMax: 1 + Math.floor(random() * 9),
            wordsMax: 20,
            cachedValuesMax: Math.floor(random() * 50),
          };
          await fold(projection, events, cut, { pageSizes: () => Math.floor(random() * 12), limits });
          expect(cut.all()).toEqual(whole);
          const again = new MemorySink();
          await fold(twice(projection), events, again, { limits: { eventsMax: 3 } });
          expect(again.all()).toEqual(whole);
        }),
        { numRuns: 12 },
      );
    });

    it('holds in eight shards what one shard holds', async () => {
      const history = new SocialHistory(7, 12, 600);
      const events = asLogEvents(history.events);
      const whole = await documentsOf(projection, history);
      const all = new Map<string, unknown>();
      for (let shard = 0; shard < 8; shard += 1) {
        const sink = new MemorySink();
        await fold(projection, events, sink, { shard, shards: 8 });
        for (const [key, document] of sink.all()) all.set(key, merged(all.get(key), document));
      }
      expect(all).toEqual(whole);
    });

    it('knows every event type it names', () => {
      const known = new Set(new SocialHistory(3, 8, 3_000).events.map(({ type }) => type));
      const named = Object.keys(projection.on).filter((type) => !known.has(type));
      // These the generated history does not make.
      const shopping = ['ProductViewed', ...Object.keys(intentEvents)];
      const unchanged = ['ProductListed', 'ProductChanged', 'PrivacySettingsChanged'];
      const absent = ['FriendRequestExpired', ...unchanged, ...shopping];
      expect(named.filter((type) => !absent.includes(type))).toEqual(
        named.filter((type) => ['ShareChannelReclassified', 'ShareLinkRevoked'].includes(type)),
      );
    });
  },
);

/** What shards keep for themselves (their own members of an index, or the same copy) adds up to the whole. */
function merged(a: unknown, b: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b)) return union(a as [string, number][], b as [string, number][]);
  const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isMap(a) && isMap(b)) return { ...(a as object), ...(b as object) };
  return b;
}

/** Of two sorted sets, in the order of a sorted set. */
function union(a: readonly [string, number][], b: readonly [string, number][]): [string, number][] {
  return [...new Map([...a, ...b])].toSorted(([m, s], [n, t]) => s - t || (m < n ? -1 : 1));
}

describe('what the documents say', () => {
  const history = new SocialHistory(11, 8, 4_000);
  const people = history.people;

  it('knows who is whose friend', async () => {
    const documents = await documentsOf(friends, history);
    for (const a of people) {
      const relationships = (documents.get(friendKeys.relationships(a)) ?? {}) as Record<string, Relationship>;
      for (const b of people) {
        if (a === b) continue;
        const pair = history.pair(a, b);
        const seen = relationships[b];
        const expected =
          pair.state === 'requested' ? (pair.from === a ? 'request_sent' : 'request_received') : pair.state;
        expect(seen?.friendship ?? 'none').toBe(expected);
        expect(seen?.blocking === true).toBe(pair.blocks.has(a));
        expect(seen?.blockedBy === true).toBe(pair.blocks.has(b));
      }
      const list = ((documents.get(friendKeys.friends(a)) ?? []) as [string, number][]).map(([id]) => id).toSorted();
      expect(list).toEqual(people.filter((b) => b !== a && history.pair(a, b).state === 'friends').toSorted());
    }
  });

  it('remembers the newest friend requests that somebody sent, whatever became of them', async () => {
    const sent = (index: number): SocialEvent => {
      const parties = { requestId: `q${index}`, fromMemberId: 'm0', toMemberId: `to${index}` };
      const [occurredAt, expiresAt] = ['2026-03-01', '2026-06-01'].map((day) => `${day}T08:00:00.${100 + index}Z`);
      const data = { ...parties, origin: 'search', expiresAt };
      return { stream: `friendship-m0_to${index}`, type: 'FriendRequestSent', data, occurredAt: String(occurredAt) };
    };
    const surplus = 5;
    const events = Array.from({ length: requestsPerDayMax + surplus }, (__, index) => sent(index));
    const last = events.at(-1) as SocialEvent;
    const { requestId, fromMemberId, toMemberId } = last.data;
    const data = { requestId, fromMemberId, toMemberId, ageSec: 1 };
    const sink = new MemorySink();
    await fold(friends, asLogEvents([...events, { ...last, type: 'FriendRequestCancelled', data }]), sink);
    const newest = events.slice(surplus).map((event) => [event.data['requestId'], Date.parse(event.occurredAt)]);
    expect(sink.all().get(friendKeys.requestsSent('m0'))).toEqual(newest);
    expect(sink.all().get(friendKeys.requestsOut('m0'))).toHaveLength(events.length - 1);
    expect(sink.all().get(friendKeys.requestsSent(String(toMemberId)))).toBeUndefined();
  });

  it('feeds everybody the moments of friends and their own, none of others, none deleted', async () => {
    const documents = await documentsOf(friendFeed, history);
    const byId = new Map(history.moments.map((moment) => [moment.momentId, moment]));
    for (const memberId of people) {
      const feed = (documents.get(feedKeys.feed(memberId)) ?? []) as [string, number][];
      for (const [entry, score] of feed) {
        const [momentId = '', authorId = ''] = entry.split(':');
        expect(byId.get(momentId)).toMatchObject({ authorId, at: score, deleted: false });
        expect(authorId === memberId || history.pair(memberId, authorId).state === 'friends').toBe(true);
      }
      const own = history.moments.filter((moment) => moment.authorId === memberId && !moment.deleted);
      const shown = new Set(feed.map(([entry]) => entry.split(':')[0]));
      expect(own.every(({ momentId }) => shown.has(momentId))).toBe(true);
    }
  });

  it('counts reactions', async () => {
    const documents = await documentsOf(friendFeed, history);
    for (const moment of history.moments) {
      const document = documents.get(feedKeys.moment(moment.momentId)) as MomentDocument | undefined;
      if (moment.deleted) {
        expect(document).toBeUndefined();
        continue;
      }
      const counts: Record<string, number> = {};
      for (const reaction of moment.reactions.values()) counts[reaction] = (counts[reaction] ?? 0) + 1;
      expect(document?.reactions).toEqual(counts);
    }
  });

  it('counts what is unread, exactly', async () => {
    const documents = await documentsOf(inbox, history);
    for (const owner of [...people, 'shop']) {
      const rows = (documents.get(inboxKeys.rows(owner)) ?? {}) as Record<string, InboxRow>;
      const expected = { conversations: 0, messages: 0 };
      for (const talk of history.talks.values()) {
        if (!talk.owners.includes(owner)) continue;
        const lastOwn = talk.messages.findLastIndex((message) => message.owner === owner);
        const mark = Math.max(lastOwn, talk.marks.get(owner) ?? -1);
        const others = talk.messages.filter((message, seq) => seq > mark && message.owner !== owner).length;
        const blocked = talk.kind === 'direct' && history.pair(...(talk.owners as [string, string])).blocks.size > 0;
        const unread = blocked ? 0 : others;
        expect(unreadOf(rows[talk.id] as InboxRow)).toBe(unread);
        if (talk.request?.to === owner) continue;
        expected.conversations += unread > 0 ? 1 : 0;
        expected.messages += unread;
      }
      expect(
        (documents.get(inboxKeys.totals(owner)) as UnreadTotals | undefined) ?? { conversations: 0, messages: 0 },
      ).toEqual(expected);
    }
  });

  it('keeps what strangers began apart until it is accepted, and drops from both lists what was declined', async () => {
    const seen = new Set<boolean>();
    for (let seed = 1; seed <= 5; seed += 1) {
      const short = new SocialHistory(seed, 6, 80);
      const documents = await documentsOf(inbox, short);
      const idsOf = (key: string) => ((documents.get(key) ?? []) as [string, number][]).map(([id]) => id).toSorted();
      for (const owner of [...short.people, 'shop']) {
        const own = [...short.talks.values()].filter(({ owners }) => owners.includes(owner));
        const waiting = own.filter(({ request }) => request?.to === owner);
        for (const { request } of waiting) seen.add(request?.declined === true);
        const open = waiting.filter(({ request }) => request?.declined === false).map(({ id }) => id);
        const accepted = own.filter((talk) => !waiting.includes(talk)).map(({ id }) => id);
        expect(idsOf(inboxKeys.requests(owner))).toEqual(open.toSorted());
        expect(idsOf(inboxKeys.inbox(owner))).toEqual(accepted.toSorted());
      }
    }
    expect(seen.size).toBe(2);
  });

  it('keeps the newest messages of a thread', async () => {
    const long = new SocialHistory(5, 3, 300);
    for (const talk of long.talks.values()) long.talkOn(talk, threadMessagesMax);
    const documents = await documentsOf(thread, long);
    for (const talk of long.talks.values()) {
      const messages = Object.keys((documents.get(threadKeys.messages(talk.id)) ?? {}) as object).map(Number);
      const first = Math.max(0, talk.messages.length - threadMessagesMax);
      const expected = talk.messages.map((__, seq) => seq).slice(first);
      expect(messages.toSorted((a, b) => a - b)).toEqual(expected);
    }
    expect([...long.talks.values()].some(({ messages }) => messages.length > threadMessagesMax)).toBe(true);
  });

  it('counts what a share brought back', async () => {
    const documents = await documentsOf(shares, history);
    for (const share of history.shares) {
      const link = documents.get(shareKeys.link(share.shareId)) as LinkDocument | undefined;
      expect(link?.opens ?? 0).toBe(share.opens);
      expect(link?.clickBacks ?? 0).toBe(share.clickBacks);
      expect(Object.keys((documents.get(shareKeys.children(share.shareId)) ?? {}) as object)).toHaveLength(
        share.children,
      );
    }
  });

  it('knows who passed a share on, and what of a chain rests on named parents alone', async () => {
    const documents = await documentsOf(shares, history);
    const belowOf = (key: string) => (documents.get(key) ?? {}) as Record<string, Below>;
    const isNamed = (share: ShareFact, top: ShareFact): boolean =>
      share === top || (!share.inferred && share.parent !== undefined && isNamed(share.parent, top));
    const known = (those: readonly ShareFact[], top: ShareFact) =>
      Object.fromEntries(
        those.map((share) => [share.shareId, { depth: share.depth, explicit: isNamed(share, top) }] as const),
      );
    for (const share of history.shares) {
      const children = history.shares.filter(({ parent }) => parent === share);
      expect(belowOf(shareKeys.children(share.shareId))).toEqual(known(children, share));
      const chain = history.shares.filter((other) => other !== share && other.rootShareId === share.shareId);
      expect(belowOf(shareKeys.descendants(share.shareId))).toEqual(known(chain, share));
    }
    expect(history.shares.some(({ parent, inferred, explicit }) => parent && !inferred && explicit)).toBe(true);
  });

  it('shows names as they are now', async () => {
    const documents = await documentsOf(cards, history);
    for (const memberId of people) {
      const last = history.events.findLast(
        ({ type, data }) => type === 'MemberProfileChanged' && data['memberId'] === memberId,
      );
      const name = last ? last.data['displayName'] : `Name ${memberId}`;
      expect(documents.get(`member:${memberId}`)).toMatchObject({
        memberId,
        displayName: name,
        handle: `h-${memberId}`,
      });
    }
  });

  it('decodes what the history stores', () => {
    const [event] = asLogEvents(history.events);
    expect(event && decodeHidden(event)).toMatchObject({ type: 'BrandRegistered', data: { brandId: 'shop' } });
  });
});
