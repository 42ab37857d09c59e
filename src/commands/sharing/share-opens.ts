// Who opened which share: told by views and by opens of links, asked when a share's app names no parent. Each member has
// one short stream per content, so that the question costs one bounded read, and the answer stands in the share's own
// event from then on. It is analysis of what people did: without consent to it nothing is recorded, and nothing inferred.
import { Injectable } from '@nestjs/common';
import type { OpenedShare } from '../../domain/share/share.commands.js';
import type { ShareopenCommand } from '../../domain/shareopen/shareopen.commands.js';
import { lastOpened, type ShareopenState, shareopenDecider } from '../../domain/shareopen/shareopen.decider.js';
import type { ShareopenEvent } from '../../domain/shareopen/shareopen.events.js';
import { type CommandContext, EventStore, type Part } from '../../event-log/transact.js';
import { Lookups } from '../lookups.js';

type Open = Extract<ShareopenCommand, { type: 'RecordShareOpen' }>['data'];

function shareopenStream(memberId: string, contentId: string): string {
  return `${memberId}_${contentId}`;
}

function mayBeAnalysed({ consent }: CommandContext): boolean {
  return consent?.product_analytics === true;
}

@Injectable()
export class ShareOpens {
  constructor(
    private readonly store: EventStore,
    private readonly lookups: Lookups,
  ) {}

  /** What an open asks of the log, at the context's time; undefined without consent. */
  part(open: Open, context: CommandContext): Part<ShareopenCommand, ShareopenEvent, ShareopenState> | undefined {
    if (!mayBeAnalysed(context)) return undefined;
    const command = { type: 'RecordShareOpen', data: open, now: context.occurredAt } as const;
    const id = shareopenStream(open.openerId, open.contentId);
    return { decider: shareopenDecider, id, commands: [command], context };
  }

  async record(open: Omit<Open, 'share'>, context: CommandContext): Promise<void> {
    if (!mayBeAnalysed(context)) return;
    const part = this.part({ ...open, share: await this.lookups.share(open.shareId) }, context);
    if (part) await this.store.transact(part);
  }

  /**
   * The share that led this member to the content (S3). Read, not locked: an open that is reported at the same moment, or
   * later, is not seen.
   */
  async leadingTo(
    { sharerId, contentId, sessionId }: { sharerId: string; contentId: string; sessionId?: string | undefined },
    context: CommandContext,
  ): Promise<OpenedShare | undefined> {
    if (!mayBeAnalysed(context)) return undefined;
    const { state } = await this.store.state(shareopenDecider, shareopenStream(sharerId, contentId));
    const led = lastOpened(state, { sessionId, now: context.occurredAt });
    const share = led && (await this.lookups.share(led.shareId));
    return share && { share, evidence: led.evidence };
  }
}
