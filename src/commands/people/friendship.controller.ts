// Routes between two members. The pair names the request: there is at most one open at a time.
import { Body, Controller, Delete, Param, Post, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { FriendshipOrigin, friendshipEvents } from '../../domain/friendship/friendship.events.js';
import { Id } from '../../domain/vocabulary.js';
import { ByMember } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { FriendshipRequest, type FriendshipWish } from './friendship.handler.js';

const NewRequest = z
  .strictObject({
    toMemberId: Id,
    origin: FriendshipOrigin.default('profile'),
    suggestionId: friendshipEvents.FriendRequestSent.shape.suggestionId,
    shareLinkId: friendshipEvents.FriendRequestSent.shape.shareLinkId,
    note: friendshipEvents.FriendRequestSent.shape.note,
  })
  .meta({ id: 'NewFriendRequest' });
const Block = z
  .strictObject({
    context: friendshipEvents.MemberBlocked.shape.context.default('profile'),
    reportId: friendshipEvents.MemberBlocked.shape.reportId,
  })
  .optional()
  .meta({ id: 'Block' });
const OtherId = Param('otherMemberId', { schema: Id });
const revision = { revision: z.int() };

@ApiTags('friends')
@Controller('v1')
@ByMember()
export class FriendshipController {
  constructor(private readonly commands: CommandBus) {}

  /** A request to somebody who has already asked is the acceptance. */
  @Post('friend-requests')
  @Writes(201, { requestId: Id.optional(), state: z.enum(['requested', 'friends']), ...revision })
  ask(@By() caller: Caller, @Body({ schema: NewRequest }) { toMemberId, ...request }: z.infer<typeof NewRequest>) {
    return this.send(caller, toMemberId, { type: 'ask', ...request });
  }

  @Post('friend-requests/:otherMemberId/accept')
  @Writes(200, revision)
  accept(@By() caller: Caller, @OtherId other: string) {
    return this.send(caller, other, { type: 'accept' });
  }

  @Post('friend-requests/:otherMemberId/decline')
  @Writes(200, revision)
  decline(@By() caller: Caller, @OtherId other: string) {
    return this.send(caller, other, { type: 'decline' });
  }

  @Post('friend-requests/:otherMemberId/cancel')
  @Writes(200, revision)
  cancel(@By() caller: Caller, @OtherId other: string) {
    return this.send(caller, other, { type: 'cancel' });
  }

  @Delete('friends/:otherMemberId')
  @Writes(200, revision)
  remove(@By() caller: Caller, @OtherId other: string) {
    return this.send(caller, other, { type: 'remove' });
  }

  /** Ends the friendship and any open request, in the same moment. */
  @Put('blocks/:otherMemberId')
  @Writes(200, revision)
  block(@By() caller: Caller, @OtherId other: string, @Body({ schema: Block }) body: z.infer<typeof Block>) {
    return this.send(caller, other, { type: 'block', ...(body ?? { context: 'profile' }) });
  }

  @Delete('blocks/:otherMemberId')
  @Writes(200, revision)
  unblock(@By() caller: Caller, @OtherId other: string) {
    return this.send(caller, other, { type: 'unblock' });
  }

  private send(caller: Caller, other: string, wish: FriendshipWish): Promise<Written> {
    return this.commands.execute(new FriendshipRequest(caller, other, wish));
  }
}
