// Routes of conversations, for a member.
import { Body, Controller, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { ConversationOrigin } from '../../domain/conversation/conversation.events.js';
import { Id } from '../../domain/vocabulary.js';
import { ByMember } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { ConversationRequest } from './conversation.handler.js';
import { MessageRequest } from './message.handler.js';
import { NewMessage, NewReadMark, readMarkAnswer, sentAnswer } from './talk.bodies.js';

const beginning = { origin: ConversationOrigin.default('profile'), originRef: Id.optional() };
const NewConversation = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('direct'), memberId: Id, ...beginning }),
    z.strictObject({ kind: z.literal('brand'), brandId: Id, ...beginning }),
  ])
  .meta({ id: 'NewConversation' });
const ConversationId = Param('conversationId', { schema: Id });

@ApiTags('conversations')
@Controller('v1/conversations')
@ByMember()
export class ConversationController {
  constructor(private readonly commands: CommandBus) {}

  /**
   * Its id derives from who takes part: starting it again answers 200 with the same one. To a stranger it is a request:
   * three messages, no links and no cards, until they accept.
   */
  @Post()
  @Writes(201, { conversationId: Id })
  start(@By() caller: Caller, @Body({ schema: NewConversation }) body: z.infer<typeof NewConversation>) {
    return this.send(
      body.kind === 'direct'
        ? new ConversationRequest(caller, { type: 'start-direct', ...body })
        : new ConversationRequest(caller, { type: 'start-brand', ...body }),
    );
  }

  /** A stranger's conversation waits among the requests; answering in it accepts it as well. */
  @Post(':conversationId/accept')
  @Writes(200, { conversationId: Id })
  accept(@By() caller: Caller, @ConversationId conversationId: string) {
    return this.send(new ConversationRequest(caller, { type: 'accept', conversationId }));
  }

  /** Nobody tells who asked; whoever declined may still accept. */
  @Post(':conversationId/decline')
  @Writes(200, { conversationId: Id })
  decline(@By() caller: Caller, @ConversationId conversationId: string) {
    return this.send(new ConversationRequest(caller, { type: 'decline', conversationId }));
  }

  @Post(':conversationId/messages')
  @Writes(201, sentAnswer)
  say(
    @By() caller: Caller,
    @ConversationId conversationId: string,
    @Body({ schema: NewMessage }) message: z.infer<typeof NewMessage>,
  ) {
    return this.send(new MessageRequest(caller, conversationId, message));
  }

  @Post(':conversationId/read')
  @Writes(200, readMarkAnswer)
  read(
    @By() caller: Caller,
    @ConversationId conversationId: string,
    @Body({ schema: NewReadMark }) mark: z.infer<typeof NewReadMark>,
  ) {
    return this.send(new ConversationRequest(caller, { type: 'read', mark: { conversationId, ...mark } }));
  }

  private send(request: ConversationRequest | MessageRequest): Promise<Written> {
    return this.commands.execute(request);
  }
}
