// From a request to the metadata block of the events it leads to: who acts, under which consent, at what time, and the
// id and hash by which the stream will know the command again.
import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { consentSnapshot, type MemberState, type RegisteredMember } from '../domain/member/member.decider.js';
import type { CommandContext } from '../event-log/transact.js';
import { Problem } from '../http/problem/problem.js';
import { type Agent, type Caller, present } from '../http/request/caller.js';
import { keyedHash } from '../kernel/ids.js';
import type { Actor, ConsentSnapshot } from '../kernel/message.js';
import { Lookups } from './lookups.js';

/** Keys that commands derive things with; each comes from the master key and serves one purpose. */
export interface CommandSecrets {
  readonly requestHash: Buffer;
  /** Makes the public codes of share links. */
  readonly shareCode: Buffer;
  /** Is in the per-link salts of visitor keys, beside what is destroyed of them. */
  readonly visitor: Buffer;
}
export const COMMAND_SECRETS = Symbol('COMMAND_SECRETS');

/** Whether members count in product analytics until they withdraw; otherwise once they have agreed. */
export const ANALYTICS_BY_DEFAULT = Symbol('ANALYTICS_BY_DEFAULT');

/** A command always has an id here; ids of what it creates derive from it. */
export type IdentifiedContext = CommandContext & { readonly commandId: string };

/** The same value gives the same text, whatever the order of its keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

@Injectable()
export class CommandContexts {
  constructor(
    private readonly lookups: Lookups,
    @Inject(COMMAND_SECRETS) private readonly secrets: CommandSecrets,
    @Inject(ANALYTICS_BY_DEFAULT) private readonly analyticsByDefault: boolean,
  ) {}

  /** What a person has agreed to by now. */
  consentOf(member: MemberState): ConsentSnapshot {
    return consentSnapshot(member, this.analyticsByDefault);
  }

  /** A registered member acts. @throws Rejection member-not-available */
  async byMember(caller: Caller): Promise<{ context: IdentifiedContext; member: RegisteredMember }> {
    if (caller.memberId === undefined) throw new Problem('member-required', 'name who acts in Homing-Member');
    const member = await this.lookups.registeredMember(caller.memberId);
    const actor: Actor = { kind: 'member', id: member.memberId };
    const at = { country: caller.country ?? member.country };
    return { context: this.context({ ...caller, ...at }, actor, this.consentOf(member)), member };
  }

  /** Somebody (or a bot) speaks for a brand. @throws Problem agent-required */
  byAgent(caller: Caller): { context: IdentifiedContext; agent: Agent } {
    const { agent } = caller;
    if (!agent) throw new Problem('agent-required', 'say who answers: Homing-Agent: <id>;human or <id>;bot');
    return { context: this.context(caller, { kind: agent.bot ? 'bot' : 'brand_agent', id: agent.agentId }), agent };
  }

  /** The deployment itself, through one of its keys. */
  byKey(caller: Caller): IdentifiedContext {
    return this.context(caller, { kind: 'system', id: `key:${caller.key?.id ?? 'none'}` });
  }

  /** Any actor; for those who are not registered (yet), or not known. */
  context(caller: Caller, actor: Actor, consent?: ConsentSnapshot): IdentifiedContext {
    const { now, requestId, platform, appVersion, country, locale, surface, tzOffsetMin, experimentArms } = caller;
    return present<IdentifiedContext>({
      actor,
      occurredAt: now,
      receivedAt: now,
      correlationId: caller.sessionId ?? requestId,
      commandId: caller.commandId ?? randomUUID(),
      requestHash: this.requestHash(caller),
      source: sourceOf(caller, actor),
      platform,
      appVersion,
      country,
      locale,
      surface,
      tzOffsetMin,
      experimentArms,
      consent,
    });
  }

  /** Without an Idempotency-Key nothing can be repeated, and nothing needs to be recognised. */
  private requestHash({ commandId, body, agent }: Caller): string | undefined {
    if (commandId === undefined) return undefined;
    return keyedHash(this.secrets.requestHash, canonicalJson(body ?? null), agent?.agentId ?? '');
  }
}

function sourceOf({ isImport }: Caller, { kind }: Actor): CommandContext['source'] {
  if (isImport) return 'import';
  return kind === 'member' || kind === 'anonymous' ? 'client' : 'partner';
}
