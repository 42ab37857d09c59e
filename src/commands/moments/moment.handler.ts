// A moment: published, reacted to, deleted.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { MomentCommand } from '../../domain/moment/moment.commands.js';
import { momentDecider } from '../../domain/moment/moment.decider.js';
import { EventStore } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';
import { Lookups } from '../lookups.js';

type Published = Extract<MomentCommand, { type: 'PublishMoment' }>['data'];
export type MomentWish =
  | {
      readonly type: 'publish';
      readonly moment: Omit<Published, 'momentId' | 'authorId' | 'shareId'> & { momentId?: string | undefined };
    }
  | { readonly type: 'react'; readonly momentId: string; readonly reaction: string }
  | { readonly type: 'unreact' | 'delete'; readonly momentId: string };

export class MomentRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: MomentWish,
  ) {
    super();
  }
}

@CommandHandler(MomentRequest)
export class MomentHandler implements ICommandHandler<MomentRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly lookups: Lookups,
  ) {}

  async execute({ caller, wish }: MomentRequest): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    const command = await this.commandOf(wish, member.memberId, context, caller.now);
    const { momentId } = command.data;
    const part = { decider: momentDecider, id: momentId, commands: [command], context };
    const { position, revision } = await this.store.transact(
      caller.ifRevision === undefined ? part : { ...part, ifRevision: caller.ifRevision },
    );
    return { result: { momentId, revision }, position };
  }

  private async commandOf(
    wish: MomentWish,
    memberId: string,
    { commandId }: IdentifiedContext,
    now: string,
  ): Promise<MomentCommand> {
    switch (wish.type) {
      case 'publish': {
        const momentId = wish.moment.momentId ?? deriveId('moment', commandId);
        return { type: 'PublishMoment', data: { ...wish.moment, momentId, authorId: memberId }, now };
      }
      case 'react': {
        const { momentId, reaction } = wish;
        const author = (await this.lookups.moment(momentId))?.authorId ?? memberId;
        const { areFriends, blockedEitherWay } = await this.lookups.pair(memberId, author);
        return { type: 'ReactToMoment', data: { momentId, memberId, reaction, areFriends, blockedEitherWay }, now };
      }
      case 'unreact':
        return { type: 'UnreactToMoment', data: { momentId: wish.momentId, memberId }, now };
      case 'delete':
        return { type: 'DeleteMoment', data: { momentId: wish.momentId, memberId }, now };
    }
  }
}
