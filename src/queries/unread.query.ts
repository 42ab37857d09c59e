// GET /v1/unread: the numbers on the badges, exact.
import { Controller, Get } from '@nestjs/common';
import { type IQueryHandler, Query, QueryBus, QueryHandler } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { friendKeys } from '../../projections/friends.document.js';
import { inboxKeys, type UnreadTotals } from '../../projections/inbox.document.js';
import { ByMember } from '../http/access/scopes.js';
import { By, type Caller } from '../http/request/caller.js';
import type { PositionToken } from '../kernel/position-token.js';
import { type Freshness, MinPosition, parsed, ReadSide, TakesPosition } from './read-side.js';

export interface UnreadCounts extends Freshness {
  /** Conversations with something unread; those with a block and those of strangers are not counted. */
  readonly conversations: number;
  readonly messages: number;
  /** Open requests to this member: to be friends, and of strangers to talk. */
  readonly friendRequests: number;
  readonly conversationRequests: number;
}

export class Unread extends Query<UnreadCounts> {
  constructor(
    readonly viewerId: string,
    readonly min: PositionToken | undefined,
  ) {
    super();
  }
}

@QueryHandler(Unread)
export class UnreadHandler implements IQueryHandler<Unread> {
  constructor(private readonly reads: ReadSide) {}

  async execute({ viewerId, min }: Unread): Promise<UnreadCounts> {
    const answer = await this.reads.begin(['inbox', 'friends'], min);
    const [[totals, strangers], [requests]] = await Promise.all([
      answer.read('inbox', viewerId, (pipeline, key) => {
        pipeline.get(key(inboxKeys.totals(viewerId)));
        pipeline.zcard(key(inboxKeys.requests(viewerId)));
      }),
      answer.read('friends', viewerId, (pipeline, key) => pipeline.zcard(key(friendKeys.requestsIn(viewerId)))),
    ]);
    const { conversations, messages } = parsed<UnreadTotals>(totals) ?? { conversations: 0, messages: 0 };
    const open = { friendRequests: Number(requests), conversationRequests: Number(strangers) };
    return { conversations, messages, ...open, ...answer.freshness };
  }
}

@ApiTags('conversations')
@Controller('v1/unread')
export class UnreadController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @ByMember()
  @TakesPosition()
  unread(@By() caller: Caller, @MinPosition() min: PositionToken | undefined): Promise<UnreadCounts> {
    return this.queries.execute(new Unread(caller.memberId ?? '', min));
  }
}
