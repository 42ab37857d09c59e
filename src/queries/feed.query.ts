// GET /v1/feed: moments of friends and own ones, newest first. The feed is made when a moment is published; who may see
// it is judged when it is read, so that a block or the end of a friendship holds at once.
import { Controller, Get, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { feedKeys, type MomentDocument, parseFeedEntry } from '../../projections/friend-feed.document.js';
import { ByMember } from '../http/access/scopes.js';
import { By, type Caller } from '../http/request/caller.js';
import { toMs } from '../kernel/clock.js';
import type { PositionToken } from '../kernel/position-token.js';
import type { Scored } from '../kernel/projection.js';
import { decodeCursor, encodeCursor, entriesBelow, fetchesMax, PageCursor, PageLimit } from './page.js';
import { memberCards, type Person, personOf, relationshipsOf } from './people.js';
import { type Answer, type Freshness, MinPosition, parsed, ReadSide, TakesPosition } from './read-side.js';
import { isVisible } from './visibility.js';

export interface FeedItem {
  readonly moment: Omit<MomentDocument, 'authorId' | 'reactions'> & {
    readonly author: Person;
    readonly counts: { readonly reactions: Readonly<Record<string, number>> };
  };
  readonly viewer: { readonly isAuthor: boolean; readonly reaction?: string; readonly canReshare: boolean };
}
export interface FeedPage extends Freshness {
  readonly items: readonly FeedItem[];
  readonly cursor?: string;
}

export class Feed extends Query<FeedPage> {
  constructor(
    readonly viewerId: string,
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly min: PositionToken | undefined,
    /** ISO. */
    readonly now: string,
  ) {
    super();
  }
}

interface Found {
  readonly moment: MomentDocument;
  readonly reaction: string | undefined;
}

@QueryHandler(Feed)
export class FeedHandler implements IQueryHandler<Feed> {
  constructor(private readonly reads: ReadSide) {}

  async execute({ viewerId, limit, cursor, min, now }: Feed): Promise<FeedPage> {
    let after = decodeCursor('feed', cursor);
    const viewer = { id: viewerId, nowMs: toMs(now) };
    const answer = await this.reads.begin(['friend-feed', 'friends', 'cards'], min);
    const shown: Found[] = [];
    let more = true;
    for (let fetch = 0; fetch < fetchesMax && more && shown.length < limit; fetch += 1) {
      const at = { projection: 'friend-feed', ownerId: viewerId, key: feedKeys.feed(viewerId) };
      // One more than is shown tells whether there is another page.
      const entries = await entriesBelow(answer, at, after, limit - shown.length + 1);
      more = entries.length > limit - shown.length;
      const page = entries.slice(0, limit - shown.length);
      shown.push(...(await visibleMoments(answer, viewer, page)));
      after = page.at(-1) ?? after;
    }
    const cards = await memberCards(answer, new Set(shown.map(({ moment }) => moment.authorId)));
    const items = shown.map((found) => itemOf(viewerId, found, personOf(cards, found.moment.authorId)));
    return { items, ...(more && after ? { cursor: encodeCursor('feed', after) } : {}), ...answer.freshness };
  }
}

async function visibleMoments(
  answer: Answer,
  viewer: { readonly id: string; readonly nowMs: number },
  entries: readonly Scored[],
): Promise<Found[]> {
  const viewerId = viewer.id;
  const refs = entries.map(({ member }) => parseFeedEntry(member));
  const [relationships, moments, reactions] = await Promise.all([
    relationshipsOf(answer, viewerId, new Set(refs.map(({ authorId }) => authorId))),
    answer.readEach(
      'friend-feed',
      refs.map(({ authorId }) => authorId),
      (pipeline, key, index) => pipeline.get(key(feedKeys.moment(refs[index]?.momentId ?? ''))),
      (reply) => parsed<MomentDocument>(reply),
    ),
    answer.readEach(
      'friend-feed',
      refs.map(({ authorId }) => authorId),
      (pipeline, key, index) => pipeline.hget(key(feedKeys.reactions(refs[index]?.momentId ?? '')), viewerId),
      (reply) => parsed<string>(reply),
    ),
  ]);
  return moments.flatMap((moment, index) => {
    if (!moment || !isVisible(viewer, moment, relationships.get(moment.authorId))) return [];
    return [{ moment, reaction: reactions[index] }];
  });
}

function itemOf(viewerId: string, { moment, reaction }: Found, author: Person): FeedItem {
  const { authorId, reactions, exceptMemberIds, ...shown } = moment;
  const isAuthor = authorId === viewerId;
  // Whom it is kept from is the author's affair.
  const own = isAuthor && exceptMemberIds ? { exceptMemberIds } : {};
  return {
    moment: { ...shown, ...own, author, counts: { reactions } },
    viewer: { isAuthor, ...(reaction === undefined ? {} : { reaction }), canReshare: isAuthor || moment.allowReshare },
  };
}

@ApiTags('feed')
@Controller('v1/feed')
export class FeedController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ByMember()
  @TakesPosition()
  feed(
    @By() caller: Caller,
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @QueryParam('cursor', { schema: PageCursor }) cursor: string | undefined,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<FeedPage> {
    return this.queries.execute(new Feed(caller.memberId ?? '', limit, cursor, min, caller.now));
  }
}
