// Routes by which a brand answers its customers.
import { Body, Controller, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Id } from '../../domain/vocabulary.js';
import { Scopes } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { ConversationRequest } from './conversation.handler.js';
import { MessageRequest } from './message.handler.js';
import { NewMessage, NewReadMark, readMarkAnswer, sentAnswer } from './talk.bodies.js';

const BrandId = Param('brandId', { schema: Id });
const ConversationId = Param('conversationId', { schema: Id });

/** All need `Homing-Agent: <agentId>;human` or `;bot`. */
@ApiTags('brands')
@Controller('v1/brands/:brandId/conversations/:conversationId')
@Scopes('brand')
export class BrandConversationController {
  constructor(private readonly commands: CommandBus) {}

  /** Within 24 h of the customer's last message for a bot, 7 d for a human. */
  @Post('messages')
  @Writes(201, sentAnswer)
  answer(
    @By() caller: Caller,
    @BrandId brandId: string,
    @ConversationId conversationId: string,
    @Body({ schema: NewMessage }) message: z.infer<typeof NewMessage>,
  ) {
    return this.send(new MessageRequest(caller, conversationId, message, brandId));
  }

  @Post('read')
  @Writes(200, readMarkAnswer)
  read(
    @By() caller: Caller,
    @BrandId brandId: string,
    @ConversationId conversationId: string,
    @Body({ schema: NewReadMark }) mark: z.infer<typeof NewReadMark>,
  ) {
    return this.send(
      new ConversationRequest(caller, { type: 'read-as-brand', brandId, mark: { conversationId, ...mark } }),
    );
  }

  private send(request: ConversationRequest | MessageRequest): Promise<Written> {
    return this.commands.execute(request);
  }
}
