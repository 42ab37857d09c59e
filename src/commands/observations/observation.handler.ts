// A batch of observations: each gets a verdict of its own, and a bad one never sinks the others.
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { IdentifiedObservation } from '../../domain/observation/observation.commands.js';
import type { ObservationEvent } from '../../domain/observation/observation.events.js';
import type { CommandContext } from '../../event-log/transact.js';
import { type Caller, present } from '../../http/request/caller.js';
import type { Written } from '../../http/request/written.js';
import type { Actor, DataOf } from '../../kernel/message.js';
import { CommandContexts } from '../command-context.js';
import { Lookups } from '../lookups.js';
import { ShareOpens } from '../sharing/share-opens.js';
import { isRefused, type Observation, type Refused, readObservation } from './cloud-event.js';
import { ObservationWriter } from './observation-writer.js';

export class ObservationBatch extends Command<Written> {
  constructor(
    readonly caller: Caller,
    readonly items: readonly unknown[],
  ) {
    super();
  }
}

/** Opens of one batch that are written together. */
const opensAtOnceMax = 50;

interface Verdict {
  readonly id: string | null;
  readonly status: 'accepted' | 'duplicate' | 'rejected';
  readonly code?: Refused['code'];
  readonly detail?: string;
}

function idOf(item: unknown): string | null {
  const id = (item as { id?: unknown } | null)?.id;
  return typeof id === 'string' ? id : null;
}

function actorOf({ memberId, anonId }: Observation): Actor {
  return memberId === undefined ? { kind: 'anonymous', id: anonId ?? 'unknown' } : { kind: 'member', id: memberId };
}

@CommandHandler(ObservationBatch)
export class ObservationHandler implements ICommandHandler<ObservationBatch> {
  constructor(
    private readonly writer: ObservationWriter,
    private readonly contexts: CommandContexts,
    private readonly lookups: Lookups,
    private readonly opens: ShareOpens,
  ) {}

  async execute({ caller, items }: ObservationBatch): Promise<Written> {
    const read = items.map((item) => readObservation(item, caller.now));
    const good = read.filter((one): one is Observation => !isRefused(one));
    const contexts = await this.contextsOf(caller, good);
    const { outcomes, position } = await this.writer.write(
      good.map((observation) => ({
        observation: asIdentified(observation),
        metadata: metadataOf(observation, contexts.get(personOf(observation)) as CommandContext),
      })),
    );
    await this.recordShareOpens(good, contexts);
    let next = 0;
    const verdicts = read.map((one, index): Verdict => {
      if (isRefused(one)) return { id: idOf(items[index]), status: 'rejected', ...one };
      return { id: one.clientEventId, status: outcomes[next++] as 'accepted' | 'duplicate' };
    });
    const count = (status: Verdict['status']) => verdicts.filter((verdict) => verdict.status === status).length;
    const result = {
      items: verdicts,
      accepted: count('accepted'),
      duplicates: count('duplicate'),
      rejected: count('rejected'),
    };
    return { result, position };
  }

  /**
   * Views through a share are evidence of what led their viewers on. Of duplicates too: a batch whose views were written
   * and their opens not is sent again, and what is known adds nothing.
   */
  private async recordShareOpens(
    observations: readonly Observation[],
    contexts: ReadonlyMap<string, CommandContext>,
  ): Promise<void> {
    const opens = observations.flatMap((observation) => {
      const open = shareOpenOf(observation);
      const context = contexts.get(personOf(observation)) as CommandContext;
      return open ? [{ open, context: { ...metadataOf(observation, context), causationId: observation.eventId } }] : [];
    });
    for (let from = 0; from < opens.length; from += opensAtOnceMax) {
      const some = opens.slice(from, from + opensAtOnceMax);
      await Promise.all(some.map(({ open, context }) => this.opens.record(open, context)));
    }
  }

  /** One context per person or device of the batch, with consent as it stands now. */
  private async contextsOf(
    caller: Caller,
    observations: readonly Observation[],
  ): Promise<ReadonlyMap<string, CommandContext>> {
    const people = new Map(observations.map((observation) => [personOf(observation), observation]));
    // No command id: the batch is no command, each item is known again by its own id.
    const { commandId: _, ...rest } = caller;
    const contexts = [...people].map(async ([person, observation]) => {
      const { memberId } = observation;
      const member = memberId === undefined ? undefined : await this.lookups.member(memberId);
      const at = present<Caller>({ ...rest, country: caller.country ?? member?.country });
      const consent = memberId === undefined ? undefined : this.contexts.consentOf(member);
      const { commandId: __, ...context } = this.contexts.context(at, actorOf(observation), consent);
      return [person, context] as const;
    });
    return new Map(await Promise.all(contexts));
  }
}

function shareOpenOf({ memberId, eventId, event: { type, data } }: Observation) {
  if (type !== 'ContentViewed' || memberId === undefined) return undefined;
  const { contentRef, viaShareId, sessionId } = data as DataOf<ObservationEvent, 'ContentViewed'>;
  if (viaShareId === undefined) return undefined;
  const opened = { openerId: memberId, contentId: contentRef.contentId, shareId: viaShareId, ref: eventId };
  return { ...opened, kind: 'in_app_share_open', sessionId } as const;
}

/** Members and devices may have the same id. */
function personOf({ memberId, anonId }: Observation): string {
  return memberId === undefined ? `device ${anonId}` : `member ${memberId}`;
}

function asIdentified({ eventId, event, occurredAt }: Observation): IdentifiedObservation {
  return { ...event, id: eventId, occurredAt } as IdentifiedObservation;
}

function metadataOf(
  { clientEventId, occurredAt, clampedFrom, event }: Observation,
  context: CommandContext,
): CommandContext {
  const own = { ...context, ...deviceOf(event), occurredAt, clientEventId };
  return clampedFrom === undefined ? own : { ...own, clampedFrom };
}

/** What a session says of its device goes before what the batch's headers say. */
function deviceOf({ type, data }: Observation['event']): Pick<CommandContext, 'platform' | 'appVersion' | 'country'> {
  if (type !== 'SessionStarted') return {};
  const { platform, appVersion, country } = data as DataOf<ObservationEvent, 'SessionStarted'>;
  return present<Pick<CommandContext, 'platform' | 'appVersion' | 'country'>>({ platform, appVersion, country });
}
