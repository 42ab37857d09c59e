// One process of Homing in its role: started, told where it listens, and stopped so that nothing acknowledged is lost.
import { type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { Gauge, type Registry } from 'prom-client';
import { appModule } from '../app.module.js';
import type { KeyToMake } from '../commands/keys/api-key.store.js';
import type { Config } from '../config.js';
import { dashboardPath, serveDashboard } from '../http/operation/dashboard.js';
import type { HealthCheck } from '../http/operation/health.controller.js';
import { makeLogger, NestLogger } from '../http/operation/log.js';
import { makeRegistry } from '../http/operation/prometheus.controller.js';
import { makeAdapter, prepareServer, type ServerOptions } from '../http/server.js';
import { queriesModule } from '../queries/queries.module.js';
import { type Engines, Opened, openEngines } from './engines.js';
import { ensureKeys, type MadeKey, openWriteSide, type WriteSide } from './write-side.js';

export interface ServiceOptions {
  /** Keys that exist from the start; absent: an empty log gets first keys, told in `madeKeys`. */
  readonly keys?: readonly KeyToMake[];
}

export interface Service {
  /** `http://host:port`, without a slash. */
  readonly url: string;
  readonly dashboardUrl: string | undefined;
  /** Shown once: they cannot be read back. */
  readonly madeKeys: readonly MadeKey[];
  readonly engines: Engines;
  readonly writeSide: WriteSide;
  /** Stops taking requests, lets those in flight finish, closes the engines. Again: the same stop. */
  close(): Promise<void>;
}

function healthOf({ log, redis }: Engines): HealthCheck[] {
  return [
    {
      name: 'event-log',
      check: async () => {
        await log.head();
        return { status: 'up' };
      },
    },
    {
      name: 'redis',
      check: async () => {
        await redis.client.ping();
        return { status: redis.durable ? 'up' : 'degraded', detail: redis.kind };
      },
    },
  ];
}

function measureObservations(registry: Registry, { observations }: WriteSide): void {
  new Gauge({
    name: 'homing_observation_queue_bytes',
    help: 'Observations that wait to be written.',
    registers: [registry],
    collect() {
      this.set(observations.queuedBytes);
    },
  });
  new Gauge({
    name: 'homing_observation_ids_remembered',
    help: 'Ids by which duplicate observations are known: at least 48 h of them, or so many.',
    registers: [registry],
    async collect() {
      this.set(await observations.rememberedIds());
    },
  });
}

function partsOf(config: Config, { log, logId, redis }: Engines, { codec }: WriteSide): DynamicModule[] {
  const { shards } = config.projector;
  const { readWaitMsMax } = config.http;
  const threads = { log, decode: (event: Parameters<typeof codec.decode>[0]) => codec.decode(event, { reveal: true }) };
  const { client } = redis;
  return [queriesModule({ redis: client, shards, logId, readWaitMsMax, masterKey: config.masterKey, threads })];
}

/** @throws whatever keeps an engine from opening; what was opened until then is closed again. */
export async function startService(config: Config, options: ServiceOptions = {}): Promise<Service> {
  const logger = makeLogger(config.logLevel);
  const opened = new Opened();
  const failed = (name: string, error: unknown) => logger.error({ err: error, part: name }, 'did not close cleanly');
  try {
    const engines = await openEngines(config, logger, opened);
    const writeSide = await openWriteSide(config, engines, logger, opened);
    const hasApi = config.role === 'all' || config.role === 'api';
    const madeKeys = hasApi ? await ensureKeys(writeSide.keys, options.keys) : [];
    const registry = makeRegistry();
    measureObservations(registry, writeSide);
    const { batchItemsMax, publicUrl, host, port } = config.http;
    const links = { publicUrl: publicUrl ?? `http://${host}:${port}` };
    const server: ServerOptions = {
      ...config.http,
      ...writeSide,
      registry,
      logger,
      ...(config.redis.url === undefined ? {} : { sharedRedis: engines.redis.client }),
    };
    const app = await NestFactory.create<NestFastifyApplication>(
      appModule({
        logId: engines.logId,
        registry,
        healthChecks: healthOf(engines),
        ...(hasApi ? { commands: { ...writeSide, batchItemsMax, links } } : {}),
        parts: hasApi ? partsOf(config, engines, writeSide) : [],
      }),
      makeAdapter(server),
      { logger: new NestLogger(logger), bodyParser: false, return503OnClosing: true, abortOnError: false },
    );
    opened.add('http', () => app.close());
    await prepareServer(app, server);
    const hasDashboard =
      hasApi && (await serveDashboard(app.getHttpAdapter().getInstance() as unknown as FastifyInstance));
    await app.listen(config.http.port, config.http.host);
    const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
    let closing: Promise<void> | undefined;
    return {
      url,
      dashboardUrl: hasDashboard ? `${url}${dashboardPath}` : undefined,
      madeKeys,
      engines,
      writeSide,
      close: () => {
        closing ??= opened.close(failed);
        return closing;
      },
    };
  } catch (error) {
    await opened.close(failed);
    throw error;
  }
}
