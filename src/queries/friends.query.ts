// GET /v1/friends and /v1/friend-requests: two lists of people, newest first.
import { Controller, Get, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { friendKeys, type Relationship } from '../../projections/friends.document.js';
import { ByMember } from '../http/access/scopes.js';
import { By, type Caller } from '../http/request/caller.js';
import { toIso } from '../kernel/clock.js';
import type { PositionToken } from '../kernel/position-token.js';
import type { Scored } from '../kernel/projection.js';
import { decodeCursor, encodeCursor, entriesBelow, fetchesMax, PageCursor, PageLimit } from './page.js';
import { memberCards, type Person, personOf, relationshipsOf } from './people.js';
import { type Answer, type Freshness, MinPosition, ReadSide, TakesPosition } from './read-side.js';
import { isBlockedEitherWay } from './visibility.js';

const Direction = z.enum(['in', 'out']).default('in');
type List = 'friends' | 'requests-in' | 'requests-out';

export interface FriendItem {
  readonly member: Person;
  /** ISO; of a friend. */
  readonly since?: string;
  /** Of an open request. */
  readonly request?: NonNullable<Relationship['request']>;
}
export interface FriendPage extends Freshness {
  readonly items: readonly FriendItem[];
  readonly cursor?: string;
}

export class FriendList extends Query<FriendPage> {
  constructor(
    readonly viewerId: string,
    readonly list: List,
    readonly limit: number,
    readonly cursor: string | undefined,
    readonly min: PositionToken | undefined,
  ) {
    super();
  }
}

const keyOf: Readonly<Record<List, (memberId: string) => string>> = {
  friends: friendKeys.friends,
  'requests-in': friendKeys.requestsIn,
  'requests-out': friendKeys.requestsOut,
};

@QueryHandler(FriendList)
export class FriendListHandler implements IQueryHandler<FriendList> {
  constructor(private readonly reads: ReadSide) {}

  async execute({ viewerId, list, limit, cursor, min }: FriendList): Promise<FriendPage> {
    let after = decodeCursor(list, cursor);
    const answer = await this.reads.begin(['friends', 'cards'], min);
    const shown: { entry: Scored; relationship: Relationship | undefined }[] = [];
    let more = true;
    for (let fetch = 0; fetch < fetchesMax && more && shown.length < limit; fetch += 1) {
      const at = { projection: 'friends', ownerId: viewerId, key: keyOf[list](viewerId) };
      const entries = await entriesBelow(answer, at, after, limit - shown.length + 1);
      more = entries.length > limit - shown.length;
      const page = entries.slice(0, limit - shown.length);
      shown.push(...(await unblocked(answer, viewerId, page)));
      after = page.at(-1) ?? after;
    }
    const cards = await memberCards(answer, new Set(shown.map(({ entry }) => entry.member)));
    const items = shown.map(({ entry, relationship }) => ({
      member: personOf(cards, entry.member),
      ...(list === 'friends' ? { since: toIso(entry.score) } : {}),
      ...(list !== 'friends' && relationship?.request ? { request: relationship.request } : {}),
    }));
    return { items, ...(more && after ? { cursor: encodeCursor(list, after) } : {}), ...answer.freshness };
  }
}

async function unblocked(
  answer: Answer,
  viewerId: string,
  entries: readonly Scored[],
): Promise<{ entry: Scored; relationship: Relationship | undefined }[]> {
  const relationships = await relationshipsOf(
    answer,
    viewerId,
    entries.map(({ member }) => member),
  );
  return entries
    .map((entry) => ({ entry, relationship: relationships.get(entry.member) }))
    .filter(({ relationship }) => !isBlockedEitherWay(relationship));
}

@ApiTags('friends')
@Controller('v1')
export class FriendsController {
  constructor(private readonly queries: QueryBus) {}

  @Get('friends')
  @ByMember()
  @TakesPosition()
  friends(
    @By() caller: Caller,
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @QueryParam('cursor', { schema: PageCursor }) cursor: string | undefined,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<FriendPage> {
    return this.queries.execute(new FriendList(caller.memberId ?? '', 'friends', limit, cursor, min));
  }

  @Get('friend-requests')
  @ByMember()
  @TakesPosition()
  requests(
    @By() caller: Caller,
    @QueryParam('direction', { schema: Direction }) direction: 'in' | 'out',
    @QueryParam('limit', { schema: PageLimit }) limit: number,
    @QueryParam('cursor', { schema: PageCursor }) cursor: string | undefined,
    @MinPosition() min: PositionToken | undefined,
  ): Promise<FriendPage> {
    return this.queries.execute(new FriendList(caller.memberId ?? '', `requests-${direction}`, limit, cursor, min));
  }
}
