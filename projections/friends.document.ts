// Who is whose friend, who asked whom, who blocks whom: each pair twice, once as each of the two sees it. Owner: the
// member who looks.
import type { z } from 'zod';
import { type friendshipEvents, requestsPerDayMax } from '../src/domain/friendship/friendship.events.js';
import { toMs } from '../src/kernel/clock.js';
import type {
  AnyEvent,
  DocumentHandler,
  DocumentProjection,
  DocumentView,
  ReadSpec,
} from '../src/kernel/projection.js';
import { moveInLists, type Place } from './listed.js';

export { mayAskByAge } from '../src/domain/friendship/friendship.events.js';

type Data = { [Type in keyof typeof friendshipEvents]: z.infer<(typeof friendshipEvents)[Type]> };

/** How one member stands to another. A pair with nothing between them has no field. */
export interface Relationship {
  readonly friendship: 'none' | 'request_sent' | 'request_received' | 'friends';
  /** The open request, in either direction. */
  readonly request?: {
    readonly requestId: string;
    readonly origin: string;
    readonly note?: string | undefined;
    readonly sentAt: string;
    readonly expiresAt: string;
  };
  /** ISO; friends only. */
  readonly since?: string;
  readonly blocking?: true | undefined;
  readonly blockedBy?: true | undefined;
}

export const friendKeys = {
  /** A hash: other member → Relationship. */
  relationships: (memberId: string) => `relationships:${memberId}`,
  /** Sorted sets of other members: friends by the instant they became friends, requests by when they were sent (ms). */
  friends: (memberId: string) => `friends:${memberId}`,
  requestsIn: (memberId: string) => `requests-in:${memberId}`,
  requestsOut: (memberId: string) => `requests-out:${memberId}`,
  /** A sorted set: requestId → when this member sent it (ms). No more than a day may have, whatever became of them. */
  requestsSent: (memberId: string) => `requests-sent:${memberId}`,
};

const stranger: Relationship = { friendship: 'none' };

function readPair([a, b]: readonly [string, string]): readonly ReadSpec[] {
  return [
    { hash: friendKeys.relationships(a), field: b },
    { hash: friendKeys.relationships(b), field: a },
  ];
}

/** Replaces what `memberId` sees of `otherId` and keeps the three lists in step with it. */
function change(
  view: DocumentView,
  memberId: string,
  otherId: string,
  next: (now: Relationship) => Relationship,
): void {
  if (!view.owns(memberId)) return;
  const key = friendKeys.relationships(memberId);
  const before = view.field<Relationship>(key, otherId) ?? stranger;
  const after = next(before);
  const nothing = after.friendship === 'none' && !after.blocking && !after.blockedBy;
  if (nothing) view.deleteField(key, otherId);
  else view.setField(key, otherId, after);
  moveInLists(view, otherId, placeOf(memberId, before), placeOf(memberId, after));
}

/** The list that it stands in, and since when. */
function placeOf(memberId: string, { friendship, since, request }: Relationship): Place | undefined {
  if (friendship === 'friends') return since === undefined ? undefined : place(friendKeys.friends(memberId), since);
  if (friendship === 'none' || !request) return undefined;
  const key = friendship === 'request_sent' ? friendKeys.requestsOut(memberId) : friendKeys.requestsIn(memberId);
  return place(key, request.sentAt);
}
function place(key: string, at: string): Place {
  return { key, score: toMs(at) };
}

function blocks({ blocking, blockedBy }: Relationship): Pick<Relationship, 'blocking' | 'blockedBy'> {
  return { ...(blocking ? { blocking } : {}), ...(blockedBy ? { blockedBy } : {}) };
}

/** A request that is no longer open: declined, cancelled, expired, or accepted (the friendship's own event follows). */
const requestClosed: DocumentHandler = {
  reads: (event) => readPair(requestPair(event)),
  apply(event, view) {
    const { requestId } = event.data as Data['FriendRequestAccepted'];
    const [from, to] = requestPair(event);
    const close = (now: Relationship): Relationship =>
      now.request?.requestId === requestId ? { friendship: 'none', ...blocks(now) } : now;
    change(view, from, to, close);
    change(view, to, from, close);
    if (view.owns(to)) view.notify(to, 'friend-requests', from);
    if (view.owns(from)) view.notify(from, 'friend-requests', to);
  },
};
function requestPair(event: AnyEvent): readonly [string, string] {
  const { fromMemberId, toMemberId } = event.data as Data['FriendRequestAccepted'];
  return [fromMemberId, toMemberId];
}

function setBlock(set: boolean): DocumentHandler {
  const pair = (event: AnyEvent): readonly [string, string] => {
    const { blockerId, blockedId } = event.data as Data['MemberBlocked'];
    return [blockerId, blockedId];
  };
  return {
    reads: (event) => readPair(pair(event)),
    apply(event, view) {
      const [blocker, blocked] = pair(event);
      change(view, blocker, blocked, (now) => ({ ...now, blocking: set ? true : undefined }));
      change(view, blocked, blocker, (now) => ({ ...now, blockedBy: set ? true : undefined }));
      if (view.owns(blocker)) view.notify(blocker, 'friends', blocked);
    },
  };
}

export const friends: DocumentProjection = {
  name: 'friends',
  version: 2,
  on: {
    FriendRequestSent: {
      reads: (event) => readPair(requestPair(event)),
      apply(event, view) {
        const { requestId, origin, note, expiresAt } = event.data as Data['FriendRequestSent'];
        const [from, to] = requestPair(event);
        const request = { requestId, origin, note, sentAt: event.metadata.occurredAt, expiresAt };
        change(view, from, to, (now) => ({ friendship: 'request_sent', request, ...blocks(now) }));
        change(view, to, from, (now) => ({ friendship: 'request_received', request, ...blocks(now) }));
        if (view.owns(from)) {
          view.add(friendKeys.requestsSent(from), requestId, toMs(request.sentAt));
          view.trim(friendKeys.requestsSent(from), requestsPerDayMax);
        }
        if (view.owns(to)) view.notify(to, 'friend-requests', from);
      },
    },
    FriendRequestAccepted: requestClosed,
    FriendRequestDeclined: requestClosed,
    FriendRequestCancelled: requestClosed,
    FriendRequestExpired: requestClosed,
    FriendshipFormed: {
      reads: (event) => readPair((event.data as Data['FriendshipFormed']).members),
      apply(event, view) {
        const [a, b] = (event.data as Data['FriendshipFormed']).members;
        const since = event.metadata.occurredAt;
        for (const [memberId, otherId] of [[a, b] as const, [b, a] as const]) {
          change(view, memberId, otherId, (now) => ({ friendship: 'friends', since, ...blocks(now) }));
          if (view.owns(memberId)) view.notify(memberId, 'friends', otherId);
        }
      },
    },
    FriendshipEnded: {
      reads: (event) => readPair((event.data as Data['FriendshipEnded']).members),
      apply(event, view) {
        const [a, b] = (event.data as Data['FriendshipEnded']).members;
        for (const [memberId, otherId] of [[a, b] as const, [b, a] as const]) {
          change(view, memberId, otherId, (now) => ({ friendship: 'none', ...blocks(now) }));
          if (view.owns(memberId)) view.notify(memberId, 'friends', otherId);
        }
      },
    },
    MemberBlocked: setBlock(true),
    MemberUnblocked: setBlock(false),
  },
};
