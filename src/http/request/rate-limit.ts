// So many requests per key, per member's token, or per address without a key. Counted in Redis where processes share
// one, else in this process. Importers are not held up.
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RedisClient } from '../../stores/redis/redis-endpoint.js';
import { identityOf } from '../access/identity.js';
import { Problem } from '../problem/problem.js';

export interface RateLimits {
  readonly rateKeyPerSecondMax: number;
  readonly rateMemberPerMinuteMax: number;
  readonly rateAddressPerMinuteMax: number;
}

/** Counters that are kept at a time when they are kept in this process. */
const countersMax = 20_000;
const secondMs = 1_000;
const minuteMs = 60_000;
/** What machines ask about the service's own health and never stop asking. */
const exempt = new Set(['/health/live', '/health/ready', '/metrics']);

function kindOf(request: FastifyRequest): 'key' | 'member' | 'address' {
  const identity = identityOf(request);
  if (!identity) return 'address';
  return identity.memberId === undefined ? 'key' : 'member';
}

function counterOf(request: FastifyRequest): string {
  const identity = identityOf(request);
  if (!identity) return `address:${request.ip}`;
  return identity.memberId === undefined ? `key:${identity.key.id}` : `member:${identity.memberId}`;
}

export async function limitRate(fastify: FastifyInstance, limits: RateLimits, redis?: RedisClient): Promise<void> {
  const maxOf = {
    key: limits.rateKeyPerSecondMax,
    member: limits.rateMemberPerMinuteMax,
    address: limits.rateAddressPerMinuteMax,
  };
  await fastify.register(rateLimit, {
    global: true,
    cache: countersMax,
    keyGenerator: counterOf,
    max: (request) => maxOf[kindOf(request)],
    timeWindow: (request) => (kindOf(request) === 'key' ? secondMs : minuteMs),
    allowList: (request) =>
      exempt.has(request.routeOptions.url ?? '') || identityOf(request)?.key.scopes.includes('import') === true,
    // A Redis that is away must not take the API along.
    skipOnError: true,
    ...(redis === undefined ? {} : { redis, nameSpace: 'homing-rate:' }),
    errorResponseBuilder: (_request, { after, ttl }) =>
      new Problem('rate-limited', `too many requests, try again in ${after}`, { retryAfterSec: ttl / secondMs }),
  });
}
