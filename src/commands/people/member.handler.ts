// A person's own stream: registration, profile, settings, consents.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { z } from 'zod';
import type { MemberCommand } from '../../domain/member/member.commands.js';
import { memberDecider } from '../../domain/member/member.decider.js';
import type { memberEvents, PrivacySettings } from '../../domain/member/member.events.js';
import { EventStore } from '../../event-log/transact.js';
import { type Caller, present } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import { deriveId } from '../../kernel/ids.js';
import { CommandContexts, type IdentifiedContext } from '../command-context.js';

type Registration = Omit<z.infer<typeof memberEvents.MemberRegistered>, 'memberId'> & { memberId?: string | undefined };
type Profile = Omit<z.infer<typeof memberEvents.MemberProfileChanged>, 'memberId'>;
type Consent = Omit<z.infer<typeof memberEvents.ConsentGranted>, 'memberId'> & { granted: boolean };

export type MemberWish =
  | { readonly type: 'register'; readonly registration: Registration }
  | { readonly type: 'change-profile'; readonly profile: Profile }
  | { readonly type: 'change-settings'; readonly settings: PrivacySettings }
  | { readonly type: 'set-consent'; readonly consent: Consent };

export class MemberRequest extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly wish: MemberWish,
  ) {
    super();
  }
}

/** What a new member has agreed to by the deployment's default (1.12). */
const consentOnArrival = { product_analytics: true, brand_measurement: false };

@CommandHandler(MemberRequest)
export class MemberHandler implements ICommandHandler<MemberRequest> {
  constructor(
    private readonly store: EventStore,
    private readonly contexts: CommandContexts,
  ) {}

  async execute({ caller, wish }: MemberRequest): Promise<Written> {
    if (wish.type === 'register') return this.register(caller, wish.registration);
    const { context, member } = await this.contexts.byMember(caller);
    const { memberId } = member;
    return this.write(memberId, context, caller, commandOf(wish, memberId, caller.now));
  }

  private register(caller: Caller, registration: Registration): Promise<Written> {
    const commandId = this.contexts.byKey(caller).commandId;
    const memberId = registration.memberId ?? deriveId('member', commandId);
    const actor = { kind: 'member', id: memberId } as const;
    const country = caller.country ?? registration.country;
    const context = { ...this.contexts.context({ ...caller, country }, actor, consentOnArrival), commandId };
    const data = present<Registration & { memberId: string }>({ ...registration, memberId });
    return this.write(memberId, context, caller, { type: 'RegisterMember', data, now: caller.now });
  }

  private async write(
    memberId: string,
    context: IdentifiedContext,
    { ifRevision }: Caller,
    command: MemberCommand,
  ): Promise<Written> {
    const part = { decider: memberDecider, id: memberId, commands: [command], context };
    const { position, revision } = await this.store.transact(ifRevision === undefined ? part : { ...part, ifRevision });
    return { result: { memberId, revision }, position };
  }
}

function commandOf(wish: Exclude<MemberWish, { type: 'register' }>, memberId: string, now: string): MemberCommand {
  switch (wish.type) {
    case 'change-profile':
      return { type: 'ChangeProfile', data: { memberId, ...wish.profile }, now };
    case 'change-settings':
      return { type: 'ChangePrivacySettings', data: { memberId, settings: wish.settings }, now };
    case 'set-consent': {
      const { granted, purpose, policyVersion } = wish.consent;
      return { type: granted ? 'GrantConsent' : 'WithdrawConsent', data: { memberId, purpose, policyVersion }, now };
    }
  }
}
