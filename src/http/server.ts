// The HTTP side of a service put together: what runs before any route, in which order, and the limits of a request.
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../kernel/clock.js';
import type { RedisClient } from '../stores/redis/redis-endpoint.js';
import type { KeyDirectory } from './access/api-key.js';
import { identify } from './access/identity.js';
import type { MemberTokens } from './access/member-token.js';
import { serveApiDescription } from './operation/openapi.js';
import { measureRequests } from './operation/prometheus.controller.js';
import { answerBadBytes, answerBadPath } from './problem/early-errors.js';
import { Problem } from './problem/problem.js';
import { advanceClock } from './request/caller.js';
import { acceptJson } from './request/json-body.js';
import { limitRate, type RateLimits } from './request/rate-limit.js';

/** A request that has not come in whole by then is ended. */
const requestMsMax = 30_000;
const keepAliveMs = 65_000;
const pathCharactersMax = 256;

export interface ServerOptions extends RateLimits {
  readonly bodyBytesMax: number;
  readonly trustedProxies: readonly string[];
  readonly keys: KeyDirectory;
  readonly tokens: MemberTokens;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly logger: Logger;
  /** True once the service is told to stop: requests that come then are sent away. */
  readonly isClosing: () => boolean;
  /** Counts rate limits for all processes; absent: each counts its own. */
  readonly sharedRedis?: RedisClient;
}

const requestIdPattern = /^[\x21-\x7e]{1,64}$/;

export function makeAdapter({ bodyBytesMax, trustedProxies }: ServerOptions): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: bodyBytesMax,
    // A hook of ours answers then, as every problem is answered.
    return503OnClosing: false,
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    requestTimeout: requestMsMax,
    keepAliveTimeout: keepAliveMs,
    routerOptions: { maxParamLength: pathCharactersMax },
    frameworkErrors: answerBadPath,
    clientErrorHandler: answerBadBytes,
    genReqId: ({ headers }: { readonly headers: IncomingHttpHeaders }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : randomUUID();
    },
  });
}

/** Before `app.init()`: hooks run in the order in which they are added here. */
export async function prepareServer(app: NestFastifyApplication, options: ServerOptions): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const { keys, tokens, clock, registry, logger, isClosing } = options;
  acceptJson(fastify);
  fastify.decorateRequest('identity', undefined);
  fastify.decorateRequest('clock');
  fastify.addHook('onRequest', async (request, reply) => {
    request.clock = clock;
    request.identity = await identify(request, keys, tokens);
    reply.header('x-request-id', request.id);
    if (!isClosing()) return;
    reply.header('connection', 'close');
    throw new Problem('closing', 'the service is stopping: send it again', { retryAfterSec: 1 });
  });
  measureRequests(fastify, registry);
  await limitRate(fastify, options, options.sharedRedis);
  fastify.addHook('preHandler', async (request) => advanceClock(request));
  fastify.addHook('onResponse', async (request, reply) => {
    const level = reply.statusCode >= 500 ? 'warn' : 'debug';
    logger[level]({ req: request, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered');
  });
  app.useSecurityHeaders({ contentSecurityPolicy: { directives: { 'upgrade-insecure-requests': null } } });
  serveApiDescription(app);
}
