// Moments, and the feed of moments of one's friends, fanned out when they are published. A friendship is mutual and
// capped, so a moment costs at most as many feed entries as a person may have friends. Owners: a feed belongs to who
// reads it, a moment and its reactions to their author; who follows an author's moments here, and the ids of an author's
// newest moments, every shard keeps for itself, so that it needs nothing of another.
import type { z } from 'zod';
import type { friendshipEvents } from '../src/domain/friendship/friendship.events.js';
import type { momentEvents } from '../src/domain/moment/moment.events.js';
import { toMs } from '../src/kernel/clock.js';
import type { AnyEvent, DocumentHandler, DocumentProjection, DocumentView } from '../src/kernel/projection.js';

type Moment = { [Type in keyof typeof momentEvents]: z.infer<(typeof momentEvents)[Type]> };
type Friendship = { [Type in keyof typeof friendshipEvents]: z.infer<(typeof friendshipEvents)[Type]> };

/** Entries of one feed, and moments kept of one author: what no feed can hold any more needs not be kept. */
export const feedEntriesMax = 400;
/** Moments of a new friend that are merged into a feed. */
export const mergedMomentsMax = 100;

export interface MomentDocument extends Omit<Moment['MomentPublished'], 'caption'> {
  /** Absent when there is none, or the author's key is gone. */
  readonly caption?: string | undefined;
  /** ISO. */
  readonly publishedAt: string;
  /** Reaction → how many. */
  readonly reactions: Readonly<Record<string, number>>;
}

/** The friendship as this feed knows it; kept when it has ended, so that an older merge cannot bring it back. */
interface Fan {
  /** Of the friendship stream. */
  readonly revision: number;
  readonly ended?: true;
}

export const feedKeys = {
  /** Sorted set of `<momentId>:<authorId>`, by publication (ms). */
  feed: (memberId: string) => `feed:${memberId}`,
  moment: (momentId: string) => `moment:${momentId}`,
  /** A hash: member → reaction. */
  reactions: (momentId: string) => `reactions:${momentId}`,
  /** A hash: member of this shard → Fan. */
  fans: (authorId: string) => `fans:${authorId}`,
  /** Sorted set of an author's newest moment ids, by publication (ms). */
  moments: (authorId: string) => `moments:${authorId}`,
};

export function feedEntry(momentId: string, authorId: string): string {
  return `${momentId}:${authorId}`;
}
export function parseFeedEntry(entry: string): { readonly momentId: string; readonly authorId: string } {
  const colon = entry.indexOf(':');
  return { momentId: entry.slice(0, colon), authorId: entry.slice(colon + 1) };
}

function* readersOf(view: DocumentView, authorId: string): Iterable<string> {
  if (view.owns(authorId)) yield authorId;
  for (const [memberId, { ended }] of view.fields<Fan>(feedKeys.fans(authorId))) if (!ended) yield memberId;
}

function forget(view: DocumentView, momentId: string, authorId: string): void {
  if (!view.owns(authorId)) return;
  view.delete(feedKeys.moment(momentId));
  view.delete(feedKeys.reactions(momentId));
}

const published: DocumentHandler = {
  reads(event) {
    const { authorId } = event.data as Moment['MomentPublished'];
    return [{ hash: feedKeys.fans(authorId) }, { sorted: feedKeys.moments(authorId) }];
  },
  apply(event, view) {
    const moment = event.data as Moment['MomentPublished'];
    const { momentId, authorId } = moment;
    const publishedAt = event.metadata.occurredAt;
    const score = toMs(publishedAt);
    const moments = feedKeys.moments(authorId);
    if (view.range(moments).some(({ member }) => member === momentId)) return;
    if (view.owns(authorId)) {
      view.put(feedKeys.moment(momentId), { ...moment, publishedAt, reactions: {} } satisfies MomentDocument);
    }
    view.add(moments, momentId, score);
    const surplus = view.range(moments).length - feedEntriesMax;
    const outlived = view.range(moments).slice(0, Math.max(0, surplus));
    view.trim(moments, feedEntriesMax);
    for (const { member } of outlived) forget(view, member, authorId);
    if (outlived.some(({ member }) => member === momentId)) return;
    for (const memberId of readersOf(view, authorId)) {
      view.add(feedKeys.feed(memberId), feedEntry(momentId, authorId), score);
      view.trim(feedKeys.feed(memberId), feedEntriesMax);
    }
    if (view.owns(authorId)) view.notify(authorId, 'moment', momentId);
  },
};

const deleted: DocumentHandler = {
  reads: (event) => [{ hash: feedKeys.fans((event.data as Moment['MomentDeleted']).authorId) }],
  apply(event, view) {
    const { momentId, authorId } = event.data as Moment['MomentDeleted'];
    for (const memberId of readersOf(view, authorId)) {
      view.remove(feedKeys.feed(memberId), feedEntry(momentId, authorId));
    }
    view.remove(feedKeys.moments(authorId), momentId);
    forget(view, momentId, authorId);
    if (view.owns(authorId)) view.notify(authorId, 'moment', momentId);
  },
};

function readReaction(event: AnyEvent): ReturnType<NonNullable<DocumentHandler['reads']>> {
  const { momentId, memberId } = event.data as Moment['MomentReactionRemoved'];
  return [{ doc: feedKeys.moment(momentId) }, { hash: feedKeys.reactions(momentId), field: memberId }];
}

/** Puts one person's reaction in the place of their earlier one; undefined takes it away. */
function react(view: DocumentView, momentId: string, memberId: string, reaction: string | undefined): void {
  const key = feedKeys.reactions(momentId);
  const moment = view.get<MomentDocument>(feedKeys.moment(momentId));
  const before = moment && view.field<string>(key, memberId);
  if (!moment || before === reaction) return;
  const counts = new Map(Object.entries(moment.reactions));
  if (before !== undefined) counts.set(before, (counts.get(before) ?? 1) - 1);
  if (reaction !== undefined) counts.set(reaction, (counts.get(reaction) ?? 0) + 1);
  const reactions = Object.fromEntries(
    [...counts].filter(([, count]) => count > 0).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  view.put(feedKeys.moment(momentId), { ...moment, reactions });
  if (reaction === undefined) view.deleteField(key, memberId);
  else view.setField(key, memberId, reaction);
  view.notify(moment.authorId, 'reaction', momentId);
}

/** The friendship's newest known state on the side of the one who reads; undefined when this event is older. */
function newer(event: AnyEvent, view: DocumentView, memberId: string, authorId: string): boolean {
  const known = view.field<Fan>(feedKeys.fans(authorId), memberId);
  return view.owns(memberId) && (known === undefined || known.revision < event.revision);
}

function readPair(event: AnyEvent): ReturnType<NonNullable<DocumentHandler['reads']>> {
  const [a, b] = (event.data as Friendship['FriendshipFormed']).members;
  return [
    { hash: feedKeys.fans(a), field: b },
    { hash: feedKeys.fans(b), field: a },
    { sorted: feedKeys.moments(a) },
    { sorted: feedKeys.moments(b) },
  ];
}

function eachSide(event: AnyEvent, side: (memberId: string, authorId: string) => void): void {
  const [a, b] = (event.data as Friendship['FriendshipFormed']).members;
  side(a, b);
  side(b, a);
}

export const friendFeed: DocumentProjection = {
  name: 'friend-feed',
  version: 1,
  // What of an author's moments is merged into a new friend's feed depends on when the two became friends.
  ordersAcrossKeys: true,
  on: {
    MomentPublished: published,
    MomentDeleted: deleted,
    MomentReacted: {
      reads: readReaction,
      apply(event, view) {
        const { momentId, memberId, reaction } = event.data as Moment['MomentReacted'];
        react(view, momentId, memberId, reaction);
      },
    },
    MomentReactionRemoved: {
      reads: readReaction,
      apply(event, view) {
        const { momentId, memberId } = event.data as Moment['MomentReactionRemoved'];
        react(view, momentId, memberId, undefined);
      },
    },
    FriendshipFormed: {
      reads: readPair,
      apply(event, view) {
        eachSide(event, (memberId, authorId) => {
          if (!newer(event, view, memberId, authorId)) return;
          view.setField(feedKeys.fans(authorId), memberId, { revision: event.revision } satisfies Fan);
          const merged = view.range(feedKeys.moments(authorId)).slice(-mergedMomentsMax);
          for (const { member, score } of merged) {
            view.add(feedKeys.feed(memberId), feedEntry(member, authorId), score);
          }
          if (merged.length > 0) view.trim(feedKeys.feed(memberId), feedEntriesMax);
        });
      },
    },
    FriendshipEnded: {
      reads: readPair,
      apply(event, view) {
        eachSide(event, (memberId, authorId) => {
          if (!newer(event, view, memberId, authorId)) return;
          view.setField(feedKeys.fans(authorId), memberId, { revision: event.revision, ended: true } satisfies Fan);
          for (const { member } of view.range(feedKeys.moments(authorId))) {
            view.remove(feedKeys.feed(memberId), feedEntry(member, authorId));
          }
        });
      },
    },
  },
};
