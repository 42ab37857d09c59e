// What a member's own app must show in the end, exactly: friends, open requests, unread messages (domain 3.2).
import { directConversationId, pairId } from '../../kernel/ids.js';
import { type Command, text, whole } from './delivered.js';
import { byConversation, type Message } from './threads.js';

export interface AppView {
  readonly memberId: string;
  readonly friends: number;
  /** Open requests to this member. */
  readonly friendRequests: number;
  readonly unreadConversations: number;
  readonly unreadMessages: number;
}

interface Pair {
  readonly members: readonly [string, string];
  friends: boolean;
  /** Who has asked and waits. */
  askedBy: string | undefined;
  readonly blockedBy: Set<string>;
}

export function appViews(
  memberIds: readonly string[],
  commands: readonly Command[],
  messages: readonly Message[],
): AppView[] {
  const pairs = readPairs(commands);
  const marks = readMarks(commands);
  const threads = byConversation(messages);
  return memberIds.map((memberId) => {
    const own = pairs.filter(({ members }) => members.includes(memberId));
    const silent = new Set(
      own.filter(({ blockedBy }) => blockedBy.size > 0).map(({ members: [a, b] }) => directConversationId(a, b)),
    );
    const unread = [...threads]
      .filter(([id, [first]]) => !silent.has(id) && first && takesPart(memberId, first))
      .map(([id, thread]) => unreadOf(memberId, thread, marks.get(`${id} ${memberId}`) ?? -1))
      .filter((count) => count > 0);
    return {
      memberId,
      friends: own.filter(({ friends }) => friends).length,
      friendRequests: own.filter(({ askedBy }) => askedBy !== undefined && askedBy !== memberId).length,
      unreadConversations: unread.length,
      unreadMessages: unread.reduce((sum, count) => sum + count, 0),
    };
  });
}

const pairRoutes = new Set(['POST request', 'answer request', 'DELETE friend', 'PUT block', 'DELETE block']);

function readPairs(commands: readonly Command[]): Pair[] {
  const pairs = new Map<string, Pair>();
  const between = (a: string, b: string): Pair => {
    const pair = pairs.get(pairId(a, b)) ?? {
      members: [a, b],
      friends: false,
      askedBy: undefined,
      blockedBy: new Set(),
    };
    pairs.set(pairId(a, b), pair);
    return pair;
  };
  for (const { route, member, params, body } of commands) {
    if (!pairRoutes.has(route)) continue;
    const pair = between(member, text(body.toMemberId) || (params[0] ?? ''));
    if (route === 'POST request') {
      pair.friends = pair.askedBy !== undefined && pair.askedBy !== member;
      pair.askedBy = pair.friends ? undefined : member;
    } else if (route === 'answer request') {
      pair.friends = params[1] === 'accept';
      pair.askedBy = undefined;
    } else if (route === 'DELETE friend' || route === 'PUT block') {
      pair.friends = false;
      pair.askedBy = undefined;
      if (route === 'PUT block') pair.blockedBy.add(member);
    } else if (route === 'DELETE block') pair.blockedBy.delete(member);
  }
  return [...pairs.values()];
}

/** `<conversation> <reader>` → the furthest that was marked. */
function readMarks(commands: readonly Command[]): Map<string, number> {
  const marks = new Map<string, number>();
  for (const { route, member, params, body } of commands) {
    if (route !== 'POST read') continue;
    const name = `${params[0]} ${member}`;
    marks.set(name, Math.max(marks.get(name) ?? -1, whole(body.seq)));
  }
  return marks;
}

/** The first message tells: it is one of the two's, or the customer's. */
function takesPart(memberId: string, { sender, recipients }: Message): boolean {
  return sender === memberId || recipients.includes(memberId);
}

/** What the other side wrote after the mark and after the reader's own last message. */
function unreadOf(memberId: string, thread: readonly Message[], mark: number): number {
  const ownLast = thread.findLastIndex(({ sender }) => sender === memberId);
  return thread.length - 1 - Math.max(mark, ownLast);
}
