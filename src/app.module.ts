// The composition root: the only file that knows every part. It says what a process of each role consists of.
import type { DynamicModule } from '@nestjs/common';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import type { Registry } from 'prom-client';
import { type CommandsOptions, commandsModule } from './commands/commands.module.js';
import { EventLogError, LogFull, LogUnavailable } from './event-log/event-log.js';
import { SubjectErased } from './event-log/keyring.js';
import { StreamContended } from './event-log/transact.js';
import { AccessGuard } from './http/access/access.guard.js';
import { HEALTH_CHECKS, type HealthCheck, HealthController } from './http/operation/health.controller.js';
import { PrometheusController, REGISTRY } from './http/operation/prometheus.controller.js';
import { ProblemFilter } from './http/problem/problem.filter.js';
import { FAULT_TRANSLATION, Problem } from './http/problem/problem.js';
import { ZodValidationPipe } from './http/problem/validation.js';
import { LOG_ID, PositionInterceptor } from './http/request/written.js';
import { isRedisAway } from './stores/redis/away.js';

/** Seconds that a client is asked to wait before it sends the same again. */
const retryAfterSec = 1;

export interface AppOptions {
  readonly logId: string;
  readonly registry: Registry;
  readonly healthChecks: readonly HealthCheck[];
  /** Absent: this process has no API (roles projector and worker). */
  readonly commands?: CommandsOptions;
  /** Further parts of the API, in the order of the routes' precedence. */
  readonly parts: readonly DynamicModule[];
}

/** What a fault of the event log, or of the Redis that the read models are in, means to whoever sent the request. */
export function translateFault(error: unknown): Problem | undefined {
  if (error instanceof SubjectErased) return new Problem('member-not-available', 'no such member');
  if (error instanceof LogFull) return new Problem('log-full', 'the event log has no room left', { retryAfterSec });
  if (error instanceof StreamContended) return new Problem('stream-contended', error.message, { retryAfterSec });
  if (error instanceof LogUnavailable) {
    const code = /queue/.test(error.message) ? 'queue-full' : 'log-unavailable';
    return new Problem(code, 'the event log does not take it now: send it again', { retryAfterSec });
  }
  if (error instanceof EventLogError && error.code === 'append-too-large') {
    return new Problem('body-too-large', error.message);
  }
  if (isRedisAway(error))
    return new Problem('store-unavailable', 'the read models do not answer now', { retryAfterSec });
  return undefined;
}

@Module({})
export class AppModule {}

export function appModule({ logId, registry, healthChecks, commands, parts }: AppOptions): DynamicModule {
  return {
    module: AppModule,
    imports: [DiscoveryModule, ...(commands ? [commandsModule(commands)] : []), ...parts],
    controllers: [HealthController, PrometheusController],
    providers: [
      { provide: LOG_ID, useValue: logId },
      { provide: REGISTRY, useValue: registry },
      { provide: HEALTH_CHECKS, useValue: healthChecks },
      { provide: FAULT_TRANSLATION, useValue: translateFault },
      { provide: APP_GUARD, useClass: AccessGuard },
      { provide: APP_PIPE, useClass: ZodValidationPipe },
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_INTERCEPTOR, useClass: PositionInterceptor },
    ],
  };
}
