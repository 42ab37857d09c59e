// A share begins, is given up, or went somewhere that leaves no message behind. Completions that send something are
// share-delivery.ts's.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import type { ShareCommand } from '../../domain/share/share.commands.js';
import { type ShareState, shareDecider } from '../../domain/share/share.decider.js';
import { EventStore } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';
import { Lookups } from '../lookups.js';
import type { Cancellation, Completion, NewShare } from './share.bodies.js';
import { ShareDelivery } from './share-delivery.js';
import { ShareOpens } from './share-opens.js';

export type ShareWish =
  | { readonly type: 'initiate'; readonly share: z.infer<typeof NewShare> }
  | { readonly type: 'complete'; readonly shareId: string; readonly completion: Completion }
  | { readonly type: 'cancel'; readonly shareId: string; readonly stage: z.infer<typeof Cancellation>['stage'] };

export class ShareRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: ShareWish,
  ) {
    super();
  }
}

@CommandHandler(ShareRequest)
export class ShareHandler implements ICommandHandler<ShareRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly delivery: ShareDelivery,
    private readonly lookups: Lookups,
    private readonly opens: ShareOpens,
  ) {}

  async execute({ caller, wish }: ShareRequest): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    const { memberId } = member;
    if (wish.type === 'initiate') return this.initiate(wish.share, memberId, context, caller);
    const { shareId } = wish;
    if (wish.type === 'complete') return this.delivery.complete(shareId, memberId, wish.completion, context);
    const cancel = { type: 'CancelShare', data: { shareId, sharerId: memberId, stage: wish.stage } } as const;
    const { position } = await this.write(shareId, { ...cancel, now: context.occurredAt }, context);
    return { result: { shareId }, position };
  }

  private async initiate(
    { shareId, ...share }: z.infer<typeof NewShare>,
    sharerId: string,
    context: IdentifiedContext,
    caller: Caller,
  ): Promise<Written> {
    const id = shareId ?? deriveId('share', context.commandId);
    const sessionId = share.sessionId ?? caller.sessionId;
    const { parentShareId, sourceMomentId } = share;
    const { contentId } = share.contentRef;
    const found =
      parentShareId === undefined
        ? { opened: await this.opens.leadingTo({ sharerId, contentId, sessionId }, context) }
        : { parent: await this.lookups.share(parentShareId) };
    const moment = await this.lookups.sourceMoment(sourceMomentId, sharerId);
    const data = { ...share, sessionId, shareId: id, sharerId, ...found, moment };
    const { state, position } = await this.write(id, { type: 'InitiateShare', data, now: context.occurredAt }, context);
    return { result: { shareId: id, rootShareId: state?.act.rootShareId, depth: state?.act.depth }, position };
  }

  private write(
    id: string,
    command: ShareCommand,
    context: IdentifiedContext,
  ): Promise<{ readonly state: ShareState; readonly position: bigint }> {
    return this.store.transact({ decider: shareDecider, id, commands: [command], context });
  }
}
