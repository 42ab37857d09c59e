// What every handler needs to know of the request beside its body: who, since when, in what words, at what time.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { addMs, type Clock, dayMs, toIso, toMs } from '../../kernel/clock.js';
import { deriveId } from '../../kernel/ids.js';
import type { ApiKey } from '../access/api-key.js';
import { identityOf } from '../access/identity.js';
import { Problem } from '../problem/problem.js';
import { type Circumstances, circumstancesOf } from './circumstances.js';
import { headerOf } from './header.js';
import { ImportClock } from './service-clock.js';

/** How far ahead of `Homing-Now` a request of an importer may have happened. */
export const occurredAheadMsMax = dayMs;

export interface Agent {
  readonly agentId: string;
  readonly bot: boolean;
}

export interface Caller extends Circumstances {
  /** Absent on an open route. */
  readonly key?: ApiKey;
  readonly memberId?: string;
  readonly agent?: Agent;
  readonly requestId: string;
  /** When it happens: the clock's time, or what an importer says. ISO. */
  readonly now: string;
  readonly isImport: boolean;
  /** Names this command within (key, actor, route, target); absent when the client sent no Idempotency-Key. */
  readonly commandId?: string;
  /** The body as it came, for the request hash. */
  readonly body: unknown;
  readonly ifRevision?: number;
  readonly clientAddress: string;
  readonly userAgent?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The service's clock, put there when the request comes in. */
    clock: Clock;
  }
}

const printable = /^[\x21-\x7e]{1,128}$/;
const id = /^[A-Za-z0-9][A-Za-z0-9.~-]{0,63}$/;

function instant(request: FastifyRequest, name: string): number | undefined {
  const text = headerOf(request, name, /^\d{4}-\d\d-\d\dT[0-9:.]{5,18}Z$/);
  if (text === undefined) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Problem('invalid-header', `${name} is not an instant (ISO 8601, UTC)`);
  return ms;
}

/** Moves an import clock by the request's `Homing-Now`. Called once per request, before anything decides. */
export function advanceClock(request: FastifyRequest): void {
  const nowMs = instant(request, 'homing-now');
  const occurredMs = instant(request, 'homing-occurred-at');
  if (nowMs === undefined && occurredMs === undefined) return;
  if (!identityOf(request)?.key.scopes.includes('import')) {
    throw new Problem('missing-scope', 'Homing-Now and Homing-Occurred-At need a key with scope import');
  }
  if (!(request.clock instanceof ImportClock)) {
    throw new Problem('import-clock-off', 'this service runs by the system clock (HOMING_CLOCK=system)');
  }
  if (nowMs !== undefined) request.clock.advance(nowMs);
}

function timeOf(request: FastifyRequest): string {
  const { clock } = request;
  if (!(clock instanceof ImportClock)) return toIso(clock.now());
  if (!clock.isSet) throw new Problem('clock-not-set', 'say what time it is: Homing-Now, or POST /v1/clock');
  const now = toIso(instant(request, 'homing-now') ?? clock.now());
  const occurredMs = instant(request, 'homing-occurred-at');
  if (occurredMs === undefined) return now;
  if (occurredMs > toMs(addMs(now, occurredAheadMsMax))) {
    throw new Problem('occurred-at-too-far', 'Homing-Occurred-At is more than 24 h ahead of Homing-Now');
  }
  return toIso(occurredMs);
}

function agentOf(request: FastifyRequest): Agent | undefined {
  const text = headerOf(request, 'homing-agent', /^[A-Za-z0-9][A-Za-z0-9.~-]{0,63};(human|bot)$/);
  if (text === undefined) return undefined;
  const [agentId = '', kind] = text.split(';');
  return { agentId, bot: kind === 'bot' };
}

/** An importer's X-Forwarded-For is believed; anybody else's as far as the trusted proxies go (Fastify's `ip`). */
function addressOf(request: FastifyRequest, isImport: boolean): string {
  const forwarded = request.headers['x-forwarded-for'];
  const first = typeof forwarded === 'string' ? forwarded.split(',')[0]?.trim() : undefined;
  return isImport && first ? first : request.ip;
}

function revisionOf(request: FastifyRequest): number | undefined {
  const text = headerOf(request, 'if-match', /^(W\/)?"?\d{1,15}"?$/);
  return text === undefined ? undefined : Number(/\d+/.exec(text)?.[0]);
}

function commandIdOf(request: FastifyRequest, keyId: string, actor: string): string | undefined {
  // An empty one would look like a safe retry and be none.
  if (request.headers['idempotency-key'] === '') throw new Problem('invalid-header', 'idempotency-key is empty');
  const key = headerOf(request, 'idempotency-key', printable);
  if (key === undefined) return undefined;
  const target = Object.values((request.params ?? {}) as Record<string, string>);
  return deriveId('command', keyId, actor, `${request.method} ${request.routeOptions.url ?? ''}`, ...target, key);
}

/** Leaves out what is undefined, so that an absent thing is absent. */
export function present<Shape extends object>(shape: { [Name in keyof Shape]: Shape[Name] | undefined }): Shape {
  const made: Partial<Shape> = {};
  for (const name of Object.keys(shape) as (keyof Shape)[]) {
    const value = shape[name];
    if (value !== undefined) made[name] = value;
  }
  return made as Shape;
}

export function callerOf(request: FastifyRequest): Caller {
  const identity = identityOf(request);
  const memberId = identity?.memberId ?? headerOf(request, 'homing-member', id);
  const agent = agentOf(request);
  const isImport = request.clock instanceof ImportClock && identity?.key.scopes.includes('import') === true;
  return present<Caller>({
    key: identity?.key,
    memberId: identity ? memberId : undefined,
    agent,
    requestId: request.id,
    now: timeOf(request),
    isImport,
    commandId: commandIdOf(request, identity?.key.id ?? 'open', memberId ?? agent?.agentId ?? ''),
    body: request.body,
    ifRevision: revisionOf(request),
    clientAddress: addressOf(request, isImport),
    userAgent: request.headers['user-agent']?.slice(0, 512),
    ...circumstancesOf(request),
  });
}

/** Who calls, and in which circumstances. */
export const By = createParamDecorator(
  (_: unknown, context: ExecutionContext): Caller => callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
