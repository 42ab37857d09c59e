// Links are minted and revoked by the sharer, and opened by anybody.
import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import { shareDecider } from '../../domain/share/share.decider.js';
import type { SharelinkCommand } from '../../domain/sharelink/sharelink.commands.js';
import { type SharelinkState, sharelinkDecider } from '../../domain/sharelink/sharelink.decider.js';
import type { UserAgentFacts } from '../../domain/sharelink/user-agent.js';
import { EventStore } from '../../event-log/transact.js';
import type { Caller } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { toMs } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import { Rejection } from '../../kernel/rejection.js';
import { COMMAND_SECRETS, CommandContexts, type CommandSecrets, type IdentifiedContext } from '../command-context.js';
import { Lookups } from '../lookups.js';
import { linkCodeOf, linkIdOf } from './link-names.js';
import type { NewLink } from './share.bodies.js';
import { ShareOpens } from './share-opens.js';
import { VisitorNames } from './visitor-names.js';

/** Where links lead to from outside: `<publicUrl>/s/<code>`. */
export interface LinkOptions {
  readonly publicUrl: string;
  /** Of the app, where people who open a link go on; `{contentId}` in it stands for what was shared. */
  readonly appUrl?: string | undefined;
}
export const LINK_OPTIONS = Symbol('LINK_OPTIONS');

type OpenFacts = Extract<SharelinkCommand, { type: 'OpenShareLink' }>['data'];
export type LinkWish =
  | { readonly type: 'mint'; readonly shareId: string; readonly link: z.infer<typeof NewLink> }
  | { readonly type: 'revoke'; readonly shareId: string }
  | {
      readonly type: 'open';
      readonly code: string;
      readonly agent: UserAgentFacts;
      readonly isPrefetch: boolean;
      readonly referrerClass: OpenFacts['referrerClass'];
      readonly opensApp: boolean;
    };

export class LinkRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: LinkWish,
  ) {
    super();
  }
}

type Open = Extract<LinkWish, { type: 'open' }>;

@CommandHandler(LinkRequest)
export class LinkHandler implements ICommandHandler<LinkRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
    private readonly lookups: Lookups,
    private readonly opens: ShareOpens,
    private readonly visitors: VisitorNames,
    @Inject(COMMAND_SECRETS) private readonly secrets: CommandSecrets,
    @Inject(LINK_OPTIONS) private readonly options: LinkOptions,
  ) {}

  execute({ caller, wish }: LinkRequest): Promise<Written> {
    switch (wish.type) {
      case 'mint':
        return this.mint(caller, wish.shareId, wish.link);
      case 'revoke':
        return this.revoke(caller, wish.shareId);
      case 'open':
        return this.open(caller, wish);
    }
  }

  private async mint(caller: Caller, shareId: string, link: z.infer<typeof NewLink>): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    const { state: share } = await this.store.state(shareDecider, shareId);
    if (!share) throw new Rejection('share-not-found', 'no such share');
    const code = linkCodeOf(shareId, this.secrets);
    const linkId = linkIdOf(code, this.secrets);
    const { sharerId, contentRef, productRefs } = share.act;
    const data = {
      linkId,
      shareId,
      sharerId,
      contentRef,
      productRefs,
      ...link,
      // Never for a minor, whatever the settings say (S9).
      showSharer: member.settings.showSharer && member.ageBand === '18_plus',
      minterVisitorKey: await this.visitors.keyOf({ linkId, mintedAt: context.occurredAt }, caller),
      askedBy: member.memberId,
    };
    const { position } = await this.write(linkId, { type: 'MintShareLink', data, now: context.occurredAt }, context);
    return { result: { linkId, code, url: new URL(`/s/${code}`, this.options.publicUrl).href }, position };
  }

  private async revoke(caller: Caller, shareId: string): Promise<Written> {
    const { context, member } = await this.contexts.byMember(caller);
    const linkId = linkIdOf(linkCodeOf(shareId, this.secrets), this.secrets);
    const data = { linkId, askedBy: member.memberId };
    const { position } = await this.write(linkId, { type: 'RevokeShareLink', data, now: context.occurredAt }, context);
    return { result: { linkId }, position };
  }

  private async open(caller: Caller, { code, agent, isPrefetch, referrerClass, opensApp }: Open): Promise<Written> {
    const linkId = linkIdOf(code, this.secrets);
    const { context, openerMemberId } = await this.openerOf(caller);
    const openId = deriveId('open', context.commandId);
    const { state: link } = await this.store.state(sharelinkDecider, linkId);
    const { isPreviewBot, uaFamily, osFamily, inAppBrowser } = agent;
    const data: OpenFacts = {
      openId,
      linkId,
      visitorKey: await this.visitors.keyOf({ linkId, mintedAt: link?.mintedAt ?? context.occurredAt }, caller),
      openerMemberId,
      openerStatus: openerMemberId === undefined ? 'unknown' : 'member',
      isPreviewBot,
      isPrefetch,
      referrerClass,
      uaFamily,
      osFamily,
      inAppBrowser,
      country: caller.country,
      opensApp,
      wereFriendsAtShare: await this.wereFriends(link, openerMemberId),
    };
    const { state, events, position } = await this.openBy(data, link, caller.sessionId, context);
    const opened = events.find((event) => event.type === 'ShareLinkOpened');
    if (state && opened?.data.isSelfOpen === false) await this.hint(state.minted.shareId, agent, context);
    return { result: { openId, shareId: state?.minted.shareId, contentRef: state?.minted.contentRef }, position };
  }

  /** A member's open is evidence of what led them on too, in the same commit. */
  private async openBy(
    data: OpenFacts,
    link: SharelinkState,
    sessionId: string | undefined,
    context: IdentifiedContext,
  ) {
    const { linkId, openId, openerMemberId } = data;
    const command = { type: 'OpenShareLink', data, now: context.occurredAt } as const;
    const linkPart = { decider: sharelinkDecider, id: linkId, commands: [command], context };
    const isPerson = !data.isPreviewBot && !data.isPrefetch;
    if (!link || !isPerson || openerMemberId === undefined) return this.store.transact(linkPart);
    const { shareId, contentRef } = link.minted;
    const opened = { openerId: openerMemberId, contentId: contentRef.contentId, shareId, ref: openId };
    const open = { ...opened, kind: 'share_link_open', sessionId, share: link.minted } as const;
    const openPart = this.opens.part(open, context);
    return openPart ? (await this.store.transactMany([linkPart, openPart]))[0] : this.store.transact(linkPart);
  }

  /** Anybody; a member when the app says so. */
  private async openerOf(caller: Caller): Promise<{ context: IdentifiedContext; openerMemberId: string | undefined }> {
    if (caller.memberId !== undefined) {
      const { context, member } = await this.contexts.byMember(caller);
      return { context, openerMemberId: member.memberId };
    }
    const actor = { kind: 'anonymous', id: 'visitor' } as const;
    const named = { ...caller, commandId: caller.commandId ?? randomUUID() };
    return { context: this.contexts.context(named, actor), openerMemberId: undefined };
  }

  /**
   * Friends now, and since before the link was minted. A friendship that ended in between reads as none: the pair's
   * state keeps only what is.
   */
  private async wereFriends(link: SharelinkState, openerMemberId: string | undefined): Promise<boolean | undefined> {
    if (!link || openerMemberId === undefined || openerMemberId === link.minted.sharerId) return undefined;
    const { friendship } = await this.lookups.pair(link.minted.sharerId, openerMemberId);
    return friendship !== undefined && toMs(friendship.formedAt) <= toMs(link.mintedAt);
  }

  /** A crawler or a built-in browser that is one place's own tells where an unspecific share went (S5). */
  private async hint(shareId: string, { destination }: UserAgentFacts, context: IdentifiedContext): Promise<void> {
    if (destination === undefined) return;
    const data = { shareId, destination, channelEvidence: 'inferred' } as const;
    const command = { type: 'ReclassifyShare', data, now: context.occurredAt } as const;
    await this.store.transact({ decider: shareDecider, id: shareId, commands: [command], context });
  }

  private write(linkId: string, command: SharelinkCommand, context: IdentifiedContext) {
    return this.store.transact({ decider: sharelinkDecider, id: linkId, commands: [command], context });
  }
}
