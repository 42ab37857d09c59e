// Routes of a share: the sheet opens, it goes somewhere or nowhere, and its link.
import { Body, Controller, Delete, Param, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Id } from '../../domain/vocabulary.js';
import { ByMember } from '../../http/access/scopes.js';
import { By, type Caller } from '../../http/request/caller.js';
import { Writes, type Written } from '../../http/request/written.js';
import { LinkRequest } from './link.handler.js';
import { Cancellation, Completion, NewLink, NewShare } from './share.bodies.js';
import { ShareRequest } from './share.handler.js';

const ShareId = Param('shareId', { schema: Id });
const recipients = z.object({ conversationIds: z.array(Id), memberIds: z.array(Id), count: z.int() });

@ApiTags('shares')
@Controller('v1/shares')
@ByMember()
export class ShareController {
  constructor(private readonly commands: CommandBus) {}

  /** The share sheet opens. Half an hour without a word of where it went, and the share is taken for abandoned. */
  @Post()
  @Writes(201, { shareId: Id, rootShareId: Id, depth: z.int() })
  initiate(@By() caller: Caller, @Body({ schema: NewShare }) share: z.infer<typeof NewShare>): Promise<Written> {
    return this.commands.execute(new ShareRequest(caller, { type: 'initiate', share }));
  }

  /** Sends the messages, or publishes the repost, that carry it inside the app. Said twice, it is done once. */
  @Post(':shareId/complete')
  @Writes(200, {
    shareId: Id,
    messageIds: z.array(Id).optional(),
    recipients: recipients.optional(),
    momentId: Id.optional(),
  })
  complete(
    @By() caller: Caller,
    @ShareId shareId: string,
    @Body({ schema: Completion }) completion: Completion,
  ): Promise<Written> {
    return this.commands.execute(new ShareRequest(caller, { type: 'complete', shareId, completion }));
  }

  @Post(':shareId/cancel')
  @Writes(200, { shareId: Id })
  cancel(
    @By() caller: Caller,
    @ShareId shareId: string,
    @Body({ schema: Cancellation }) { stage }: z.infer<typeof Cancellation>,
  ): Promise<Written> {
    return this.commands.execute(new ShareRequest(caller, { type: 'cancel', shareId, stage }));
  }

  /** One link per share: minting again gives the same one. */
  @Post(':shareId/link')
  @Writes(201, { linkId: Id, code: z.string(), url: z.url() })
  mint(
    @By() caller: Caller,
    @ShareId shareId: string,
    @Body({ schema: NewLink }) link: z.infer<typeof NewLink>,
  ): Promise<Written> {
    return this.commands.execute(new LinkRequest(caller, { type: 'mint', shareId, link }));
  }

  /** From then on the link answers as if it had never been. */
  @Delete(':shareId/link')
  @Writes(200, { linkId: Id })
  revoke(@By() caller: Caller, @ShareId shareId: string): Promise<Written> {
    return this.commands.execute(new LinkRequest(caller, { type: 'revoke', shareId }));
  }
}
