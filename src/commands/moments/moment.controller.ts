// Routes of moments.
import { Body, Controller, Delete, Param, Post, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { momentEvents } from '../../domain/moment/moment.events.js';
import { Id, isEmoji } from '../../domain/vocabulary.js';
import { ByMember } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { MomentRequest, type MomentWish } from './moment.handler.js';

const { momentId: _, authorId: __, shareId: ___, ...published } = momentEvents.MomentPublished.shape;
const NewMoment = z
  .strictObject({
    ...published,
    momentId: Id.optional(),
    audience: published.audience.default('friends'),
    productRefs: published.productRefs.default([]),
    allowReshare: published.allowReshare.default(true),
  })
  .meta({ id: 'NewMoment' });
const { reaction } = momentEvents.MomentReacted.shape;
const Reaction = z.strictObject({ reaction: reaction.refine(isEmoji, 'one emoji') }).meta({ id: 'Reaction' });
const answer = { momentId: Id, revision: z.int() };

@ApiTags('moments')
@Controller('v1/moments')
@ByMember()
export class MomentController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @Writes(201, answer)
  publish(@By() caller: Caller, @Body({ schema: NewMoment }) moment: z.infer<typeof NewMoment>) {
    return this.send(caller, { type: 'publish', moment });
  }

  @Delete(':momentId')
  @Writes(200, answer)
  delete(@By() caller: Caller, @Param('momentId', { schema: Id }) momentId: string) {
    return this.send(caller, { type: 'delete', momentId });
  }

  /** One reaction per person: reacting again replaces it. */
  @Put(':momentId/reaction')
  @Writes(200, answer)
  react(
    @By() caller: Caller,
    @Param('momentId', { schema: Id }) momentId: string,
    @Body({ schema: Reaction }) { reaction }: z.infer<typeof Reaction>,
  ) {
    return this.send(caller, { type: 'react', momentId, reaction });
  }

  @Delete(':momentId/reaction')
  @Writes(200, answer)
  unreact(@By() caller: Caller, @Param('momentId', { schema: Id }) momentId: string) {
    return this.send(caller, { type: 'unreact', momentId });
  }

  private send(caller: Caller, wish: MomentWish): Promise<Written> {
    return this.commands.execute(new MomentRequest(caller, wish));
  }
}
