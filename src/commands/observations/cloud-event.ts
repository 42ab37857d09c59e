// One observation as it comes in: a CloudEvent (1.0). Its attributes may be extended, its `data` may not.
import { z } from 'zod';
import { type ObservationEvent, observationEvents } from '../../domain/observation/observation.events.js';
import type { Problem } from '../../http/problem/problem.js';
import { pointerOf } from '../../http/problem/validation.js';
import { judgeShape } from '../../http/request/json-body.js';
import { addMs, dayMs, minuteMs, toMs } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { DataOf, DomainEvent } from '../../kernel/message.js';

/** How late an observation may come. */
export const lateMsMax = 7 * dayMs;
/** A clock that is further ahead than this is not believed. */
export const aheadMsMax = 5 * minuteMs;

const attribute = z.string().min(1).max(256);
export const CloudEvent = z
  .looseObject({
    specversion: z.literal('1.0'),
    id: z.string().min(1).max(128),
    source: attribute,
    type: z.string().max(64),
    time: z.iso.datetime(),
    subject: attribute.optional(),
    datacontenttype: z.literal('application/json').optional(),
    data: z.unknown(),
  })
  .meta({ id: 'Observation', description: `A CloudEvent of type ${Object.keys(observationEvents).join(', ')}.` });

/** An observation that may be recorded. */
export interface Observation {
  readonly clientEventId: string;
  /** The event's id, derived from what names it: the same observation again is the same event. */
  readonly eventId: string;
  readonly event: DomainEvent;
  readonly occurredAt: string;
  /** The claimed time, where it was too far ahead to be believed. */
  readonly clampedFrom?: string;
  /** Who it is about; undefined: a device without a member. */
  readonly memberId?: string;
  readonly anonId?: string;
}

export interface Refused {
  readonly code: 'invalid-event' | 'unknown-type' | 'unknown-field' | 'invalid-data' | 'too-deep' | 'too-late';
  readonly detail: string;
}

function refusal(code: 'invalid-event' | 'invalid-data', { issues }: z.ZodError): Refused {
  const [first] = issues;
  if (first?.code === 'unrecognized_keys') {
    return { code: 'unknown-field', detail: `${pointerOf([...first.path, ...first.keys])}: there is no such field` };
  }
  return { code, detail: `${pointerOf(first?.path ?? [])}: ${first?.message ?? 'not valid'}` };
}

function shapeRefusal({ code, detail }: Problem): Refused {
  return { code: code === 'too-deep' || code === 'unknown-field' ? code : 'invalid-event', detail };
}

interface Person {
  readonly memberId?: string;
  readonly viewerId?: string;
  readonly anonId?: string;
}

/** A product view that another system has a name for is known by that name: browser and server may both report it (P2). */
function eventIdOf(source: string, id: string, { type, data }: DomainEvent): string {
  const view = type === 'ProductViewed' ? (data as DataOf<ObservationEvent, 'ProductViewed'>) : undefined;
  if (view?.externalEventId === undefined) return deriveId('observation', source, id);
  return deriveId('external-observation', view.productRef.brandId, view.sourceSystem, type, view.externalEventId);
}

/** @param receivedAt ISO, by the service's clock */
export function readObservation(item: unknown, receivedAt: string): Observation | Refused {
  const misshapen = judgeShape(item);
  if (misshapen) return shapeRefusal(misshapen);
  const envelope = CloudEvent.safeParse(item);
  if (!envelope.success) return refusal('invalid-event', envelope.error);
  const { id, source, type, time } = envelope.data;
  if (!Object.hasOwn(observationEvents, type))
    return { code: 'unknown-type', detail: `no observation is named ${type}` };
  const parsed = observationEvents[type as keyof typeof observationEvents].safeParse(envelope.data.data);
  if (!parsed.success) return refusal('invalid-data', parsed.error);
  const { memberId, viewerId, anonId } = parsed.data as Person;
  const person = memberId ?? viewerId;
  if (person === undefined && anonId === undefined) {
    return { code: 'invalid-data', detail: '/memberId: a member or a device (anonId) is needed' };
  }
  const claimedMs = toMs(time);
  const receivedMs = toMs(receivedAt);
  if (receivedMs - claimedMs > lateMsMax) return { code: 'too-late', detail: 'more than 7 days late' };
  const clamped = claimedMs > receivedMs + aheadMsMax;
  return {
    clientEventId: id,
    eventId: eventIdOf(source, id, { type, data: parsed.data }),
    event: { type, data: parsed.data },
    occurredAt: clamped ? receivedAt : addMs(time, 0),
    ...(clamped ? { clampedFrom: time } : {}),
    ...(person === undefined ? {} : { memberId: person }),
    ...(anonId === undefined ? {} : { anonId }),
  };
}

export function isRefused(read: Observation | Refused): read is Refused {
  return 'code' in read;
}
