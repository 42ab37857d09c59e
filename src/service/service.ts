// One process of Homing in its role: started, told where it listens, and stopped so that nothing acknowledged is lost.
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { appModule } from '../app.module.js';
import type { KeyToMake } from '../commands/keys/api-key.store.js';
import type { Config } from '../config.js';
import type { LogEvent } from '../event-log/event-log.js';
import { dashboardPath, serveDashboard } from '../http/operation/dashboard.js';
import { makeLogger, NestLogger } from '../http/operation/log.js';
import { makeRegistry } from '../http/operation/prometheus.controller.js';
import { makeAdapter, prepareServer, type ServerOptions } from '../http/server.js';
import { queriesModule } from '../queries/queries.module.js';
import { Progress } from '../stores/documents/progress.js';
import { DocumentReader } from '../stores/documents/reader.js';
import { impatient, type RedisClient } from '../stores/redis/redis-endpoint.js';
import { type Engines, Opened, openEngines } from './engines.js';
import { factsProjector, metrics } from './facts.js';
import { engineHealth, measureObservations } from './figures.js';
import { friendCounts } from './friend-counts.js';
import { saltShelf } from './link-salts.js';
import { localOperations, operationsModule } from './operations/operations.module.js';
import { documentProjector, type MountedPart } from './projections.js';
import { timerHand, timersHealth, timerWorker } from './timers.js';
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

function appQueries(
  config: Config,
  { log, logId, redis }: Engines,
  { codec }: WriteSide,
  progress: Progress,
): DynamicModule {
  const { shards } = config.projector;
  const { readWaitMsMax } = config.http;
  const threads = { log, decode: (event: LogEvent) => codec.decode(event, { reveal: true }) };
  const { masterKey } = config;
  return queriesModule({ redis: redis.reader, shards, logId, readWaitMsMax, masterKey, threads, progress });
}

/** A process of every role answers health and figures; the API and the projector are there by role. */
function partsOf(config: Config, engines: Engines, writeSide: WriteSide, watched: Watched): MountedPart[] {
  const parts: MountedPart[] = [];
  const progress = new Progress(new DocumentReader(engines.redis.reader, config.projector.shards, engines.logId));
  if (hasApi(config)) {
    parts.push(
      { module: appQueries(config, engines, writeSide, progress) },
      { module: metrics(config, engines, writeSide) },
    );
    parts.push({ module: operationsModule(localOperations(config, engines, writeSide)) });
  }
  if (config.role === 'all' || config.role === 'projector') {
    parts.push(documentProjector(config, engines, writeSide, { ...watched, progress }));
    parts.push(factsProjector(config, engines, writeSide, watched));
  }
  if (config.role === 'all' || config.role === 'worker') parts.push(timerWorker(config, engines, writeSide, watched));
  return parts;
}

function hasApi({ role }: Config): boolean {
  return role === 'all' || role === 'api';
}

/** Every request waits for its count, so the count waits for no Redis. */
async function rateRedis({ redis }: Engines): Promise<RedisClient> {
  const client = redis.connect(impatient);
  // It comes back by itself; until then nobody is held up by a limit.
  await client.connect().catch(() => undefined);
  return client;
}

interface Watched {
  readonly logger: Logger;
  readonly registry: Registry;
}

async function listen(config: Config, engines: Engines, writeSide: WriteSide, watched: Watched, opened: Opened) {
  const { logger, registry } = watched;
  const { batchItemsMax, publicUrl, appUrl, host, port } = config.http;
  const links = { publicUrl: publicUrl ?? '', appUrl };
  const timers = timerHand(config, engines, writeSide.clock, logger, opened);
  const parts = partsOf(config, engines, writeSide, watched);
  const documents = new DocumentReader(engines.redis.reader, config.projector.shards, engines.logId);
  const counts = friendCounts(documents, () => engines.log.head(), logger);
  let isClosing = false;
  const server: ServerOptions = {
    ...config.http,
    ...writeSide,
    ...watched,
    isClosing: () => isClosing,
    ...(config.redis.url === undefined ? {} : { sharedRedis: await rateRedis(engines) }),
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    appModule({
      logId: engines.logId,
      registry,
      healthChecks: [
        ...engineHealth(engines),
        ...parts.flatMap(({ health }) => health ?? []),
        timersHealth(config, documents),
      ],
      ...(hasApi(config)
        ? {
            commands: {
              ...writeSide,
              batchItemsMax,
              analyticsByDefault: config.analyticsByDefault,
              links,
              timers,
              friendCounts: counts,
              saltShelf: saltShelf(engines, logger),
            },
          }
        : {}),
      parts: parts.map(({ module }) => module),
    }),
    makeAdapter(server),
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  opened.add('http', () => {
    isClosing = true;
    return app.close();
  });
  await prepareServer(app, server);
  const fastify = app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
  const hasDashboard = hasApi(config) && (await serveDashboard(fastify));
  await app.listen(port, host);
  const url = (await app.getUrl()).replace('[::1]', '127.0.0.1');
  // Where nothing else is said, people reach it where it listens; that is known only now.
  if (links.publicUrl === '') links.publicUrl = url;
  return { url, dashboardUrl: hasDashboard ? `${url}${dashboardPath}` : undefined };
}

/** @throws whatever keeps an engine from opening; what was opened until then is closed again. */
export async function startService(config: Config, options: ServiceOptions = {}): Promise<Service> {
  const logger = makeLogger(config.logLevel);
  const opened = new Opened();
  const failed = (name: string, error: unknown) => logger.error({ err: error, part: name }, 'did not close cleanly');
  try {
    const engines = await openEngines(config, logger, opened);
    const writeSide = await openWriteSide(config, engines, logger, opened);
    const madeKeys = hasApi(config) ? await ensureKeys(writeSide.keys, options.keys) : [];
    const registry = makeRegistry();
    measureObservations(registry, writeSide);
    const place = await listen(config, engines, writeSide, { logger, registry }, opened);
    let closing: Promise<void> | undefined;
    const close = () => {
      closing ??= opened.close(failed);
      return closing;
    };
    return { ...place, madeKeys, engines, writeSide, close };
  } catch (error) {
    await opened.close(failed);
    throw error;
  }
}
