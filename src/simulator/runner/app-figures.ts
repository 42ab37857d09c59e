// What members see in the app in the end, looked up member by member and share by share, beside what they must see.
import type { AppView } from '../oracle/app-views.js';
import type { ShareView } from '../oracle/share-views.js';
import type { Truth } from '../oracle/truth.js';
import type { Figure } from './figure.js';
import type { ReadingApi } from './reading-api.js';

/** Looks into the apps of some members; the sums are shown, each member is compared. */
export async function appFigures({ observable: { apps } }: Truth, api: ReadingApi): Promise<Figure[]> {
  const said: AppView[] = [];
  for (const { memberId } of apps) {
    const unread = await api.asMember<Unread>(memberId, '/v1/unread');
    const { friendRequests, conversations, messages } = unread;
    const friends = await countFriends(memberId, api);
    said.push({ memberId, friends, friendRequests, unreadConversations: conversations, unreadMessages: messages });
  }
  const compare = (name: string, field: 'friends' | 'friendRequests' | 'unreadConversations' | 'unreadMessages') => {
    const sum = (views: readonly AppView[]) => String(views.reduce((total, view) => total + view[field], 0));
    const agrees = apps.every((view, index) => view[field] === said[index]?.[field]);
    return {
      name: `${name} of ${apps.length} members`,
      happened: '–',
      observable: sum(apps),
      service: sum(said),
      agrees,
    };
  };
  return [
    compare('Friends', 'friends'),
    compare('Open friend requests', 'friendRequests'),
    compare('Conversations with something unread', 'unreadConversations'),
    compare('Unread messages', 'unreadMessages'),
  ];
}

interface Unread {
  readonly conversations: number;
  readonly messages: number;
  readonly friendRequests: number;
  readonly stale?: boolean;
}

async function countFriends(memberId: string, api: ReadingApi): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const query = { limit: '100', ...(cursor ? { cursor } : {}) };
    const page: { items: readonly object[]; cursor?: string; stale?: boolean } = await api.asMember(
      memberId,
      '/v1/friends',
      query,
    );
    count += page.items.length;
    cursor = page.cursor;
  } while (cursor !== undefined);
  return count;
}

interface ShareDetail {
  readonly share: {
    readonly state: string;
    readonly depth: number;
    readonly explicit?: { readonly depth: number };
  };
  readonly link?: { readonly clickBacks: number };
  readonly children: number;
  readonly explicit: { readonly children: number };
  readonly stale?: boolean;
}

/** Looks at some shares as their sharers see them. What timers still have to end is waited for. */
export async function shareFigures({ observable: { shares } }: Truth, api: ReadingApi): Promise<Figure[]> {
  const said: ShareView[] = [];
  for (const { shareId, sharerId } of shares) {
    const isOver = ({ share }: ShareDetail) => share.state !== 'initiated';
    const { share, link, children, explicit } = await api.asMember(sharerId, `/v1/shares/${shareId}`, {}, isOver);
    const state = share.state === 'completed' ? 'completed' : 'abandoned';
    const { depth } = share;
    const named = { depth: share.explicit?.depth ?? depth, children: explicit.children };
    const clickBacks = link?.clickBacks ?? 0;
    said.push({ shareId, sharerId, state, depth, children, explicit: named, clickBacks });
  }
  const compare = (name: string, value: (view: ShareView) => number): Figure => {
    const sum = (views: readonly ShareView[]) => String(views.reduce((total, view) => total + value(view), 0));
    const agrees = shares.every((view, index) => value(view) === value(said[index] as ShareView));
    return {
      name: `${name} ${shares.length} shares`,
      happened: '–',
      observable: sum(shares),
      service: sum(said),
      agrees,
    };
  };
  return [
    compare('Abandoned of', ({ state }) => Number(state === 'abandoned')),
    compare('Click-backs of', ({ clickBacks }) => clickBacks),
    compare('Passed on, of', ({ children }) => children),
    compare('Passed on and named so, of', ({ explicit }) => explicit.children),
    compare('Depth in their chains, sum of', ({ depth }) => depth),
    compare('Depth by named parents, sum of', ({ explicit }) => explicit.depth),
  ];
}
