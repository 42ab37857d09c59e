// GET /v1/relationships?ids=a,b: how the member stands to up to 30 others. Who blocks the member, who is not there and
// who cannot be reached all look alike.
import { Controller, Get, Query as QueryParam } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import type { MemberCard } from '../../projections/cards.document.js';
import { mayAskByAge, type Relationship } from '../../projections/friends.document.js';
import { ByMember } from '../http/access/scopes.js';
import { By, type Caller } from '../http/request/caller.js';
import type { PositionToken } from '../kernel/position-token.js';
import { memberCards, relationshipsOf } from './people.js';
import { type Freshness, MinPosition, ReadSide, TakesPosition } from './read-side.js';
import { isBlockedEitherWay } from './visibility.js';

export const relationshipsMax = 30;
const Ids = z
  .string()
  .transform((text) => [...new Set(text.split(',').filter((id) => id !== ''))])
  .pipe(
    z
      .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/, 'an id'))
      .min(1)
      .max(relationshipsMax),
  )
  .meta({ description: `Member ids, separated by commas; at most ${relationshipsMax}.` });

export interface RelationshipItem {
  readonly memberId: string;
  readonly friendship: Relationship['friendship'];
  readonly since?: string | undefined;
  readonly requestId?: string | undefined;
  readonly blocking: boolean;
  /** Unknown, closed or blocking the viewer: which of them is not told. */
  readonly unavailable: boolean;
  readonly canMessage: boolean;
  readonly canRequest: boolean;
}
export interface RelationshipAnswer extends Freshness {
  /** In the order asked for. */
  readonly items: readonly RelationshipItem[];
}

export class Relationships extends Query<RelationshipAnswer> {
  constructor(
    readonly viewerId: string,
    readonly otherIds: readonly string[],
    readonly min: PositionToken | undefined,
  ) {
    super();
  }
}

@QueryHandler(Relationships)
export class RelationshipsHandler implements IQueryHandler<Relationships> {
  constructor(private readonly reads: ReadSide) {}

  async execute({ viewerId, otherIds, min }: Relationships): Promise<RelationshipAnswer> {
    const answer = await this.reads.begin(['friends', 'cards'], min);
    const [relationships, cards] = await Promise.all([
      relationshipsOf(answer, viewerId, otherIds),
      memberCards(answer, [viewerId, ...otherIds]),
    ]);
    const viewer = { viewerId, ageBand: cards.get(viewerId)?.ageBand ?? 'unknown' };
    const items = otherIds.map((id) => itemOf(viewer, id, relationships.get(id), cards.get(id)));
    return { items, ...answer.freshness };
  }
}

/** By settings and ages, as the commands will judge it: no conversations under 16, no adult who asks a child first. */
function itemOf(
  viewer: { readonly viewerId: string; readonly ageBand: MemberCard['ageBand'] },
  memberId: string,
  relationship: Relationship = { friendship: 'none' },
  card: MemberCard | undefined,
): RelationshipItem {
  const unavailable = !card || relationship.blockedBy === true;
  const open = !unavailable && !isBlockedEitherWay(relationship) && memberId !== viewer.viewerId;
  const { friendship } = unavailable ? { friendship: 'none' as const } : relationship;
  const incoming = card?.settings.allowIncoming;
  const ageBand = card?.ageBand ?? 'unknown';
  const oldEnough = viewer.ageBand !== '13_15' && ageBand !== '13_15';
  const mayAsk = friendship === 'none' && mayAskByAge(viewer.ageBand, ageBand);
  return {
    memberId,
    friendship,
    since: relationship.since,
    requestId: unavailable ? undefined : relationship.request?.requestId,
    blocking: relationship.blocking === true,
    unavailable,
    canMessage: open && oldEnough && (incoming === 'everyone' || (incoming === 'friends' && friendship === 'friends')),
    canRequest: open && (mayAsk || friendship === 'request_received'),
  };
}

@ApiTags('friends')
@Controller('v1/relationships')
export class RelationshipsController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ByMember()
  @TakesPosition()
  relationships(
    @By() caller: Caller,
    @QueryParam('ids', { schema: Ids }) ids: string[],
    @MinPosition() min: PositionToken | undefined,
  ): Promise<RelationshipAnswer> {
    return this.queries.execute(new Relationships(caller.memberId ?? '', ids, min));
  }
}
