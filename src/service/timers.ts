// The timers as a part of a process: the worker that acts on what is due, and, where an importer moves the clock, the way
// to tell it so.
import type { Logger } from 'pino';
import { timers } from '../../projections/timers.document.js';
import type { TimerHand } from '../commands/clock/clock.controller.js';
import type { Config } from '../config.js';
import type { Health, HealthCheck } from '../http/operation/health.controller.js';
import { Problem } from '../http/problem/problem.js';
import { DueTimers, TimersBehind, TimersOfOtherSettings } from '../jobs/due-timers.js';
import { jobsModule } from '../jobs/jobs.module.js';
import { TimerClient } from '../jobs/timer-client.js';
import type { Clock } from '../kernel/clock.js';
import { decodeMarker, ownKeys } from '../kernel/document-keys.js';
import { Progress } from '../stores/documents/progress.js';
import { DocumentReader, DocumentsNotReady } from '../stores/documents/reader.js';
import type { Engines, Opened } from './engines.js';
import { saltDestruction } from './link-salts.js';
import type { MountedPart } from './projections.js';
import type { WriteSide } from './write-side.js';

/** How long a round of the hand waits for the projection; what is due then stays due. */
const catchUpMsMax = 10_000;
/** How long an importer waits for everything due to be done. */
const settleMsMax = 120_000;
/** How often the hand looks by itself; an importer's month passes in minutes. */
const everyMs = { system: 1_000, import: 250 } as const;
/** How often a worker in another process is told that an importer has moved the clock. */
const tellEveryMs = 1_000;

export function timerWorker(
  { projector, clock: kind, abandonedAfterMs }: Config,
  engines: Engines,
  { store, clock, intentDecider }: WriteSide,
  { logger }: { readonly logger: Logger },
): MountedPart {
  const { log, logId, redis } = engines;
  const reader = new DocumentReader(redis.client, projector.shards, logId);
  const progress = new Progress(reader);
  const part = 'timers';
  const dueTimers = new DueTimers({
    log,
    store,
    intentDecider,
    settings: timers(abandonedAfterMs).settings,
    reader,
    progress,
    catchUpMsMax,
    failed: (error, stream) => logger.error({ err: error, part, stream }, 'a timer could not be acted on'),
  });
  let told = '';
  const failed = (error: unknown) => {
    if (error instanceof TimersBehind) logger.debug({ part }, error.message);
    else if (error instanceof TimersOfOtherSettings) {
      // Health says so for as long as it lasts.
      if (error.message !== told) logger.warn({ part }, error.message);
      told = error.message;
    } else logger.warn({ err: error, part }, 'timers are taken again in a moment');
  };
  return {
    module: jobsModule({
      connect: (overrides) => redis.connect(overrides),
      dueTimers,
      forget: saltDestruction(engines, logger),
      clock,
      everyMs: everyMs[kind],
      failed,
    }),
  };
}

/**
 * Degraded while the timers were folded by other delays than this process decides by: they are being built anew, or
 * another process of the deployment is configured otherwise.
 */
export function timersHealth(
  { abandonedAfterMs }: Pick<Config, 'abandonedAfterMs'>,
  reader: DocumentReader,
): HealthCheck {
  const { name: projection, settings: ours } = timers(abandonedAfterMs);
  const settingsOf = async (shard: number) => {
    const name = { projection, shard, shards: reader.shards };
    const { replies } = await reader.readShard(name, (pipeline, key) => pipeline.get(key(ownKeys.marker)));
    return decodeMarker(replies[0])?.settings;
  };
  const check = async (): Promise<Health> => {
    try {
      for (let shard = 0; shard < reader.shards; shard += 1) {
        const theirs = await settingsOf(shard);
        if (theirs !== ours) return { status: 'degraded', detail: `here ${ours}, folded: ${theirs ?? 'none'}` };
      }
    } catch (error) {
      // What is being built for the first time is the projector's to tell.
      if (!(error instanceof DocumentsNotReady)) throw error;
    }
    return { status: 'up' };
  };
  return { name: 'timers', check };
}

/** For the API of a service that runs by the importer's clock; its connections are made when they are needed. */
export function timerHand(
  { role }: Config,
  { redis }: Engines,
  clock: Clock,
  logger: Logger,
  opened: Opened,
): TimerHand {
  let client: TimerClient | undefined;
  let closed = false;
  const connected = (): TimerClient => {
    client ??= new TimerClient(
      (overrides) => redis.connect(overrides),
      (error) => logger.warn({ err: error, part: 'timers' }, 'the queue of timers'),
    );
    return client;
  };
  let toldMs = clock.now();
  const tell = setInterval(() => {
    const nowMs = clock.now();
    if (role === 'all' || closed || nowMs === toldMs) return;
    toldMs = nowMs;
    connected()
      .tell(nowMs)
      .catch((error: unknown) => logger.warn({ err: error, part: 'timers' }, 'the queue of timers'));
  }, tellEveryMs);
  tell.unref();
  opened.add('queue of timers', async () => {
    closed = true;
    clearInterval(tell);
    await client?.close();
  });
  const settle = async (nowMs: number): Promise<number> => {
    try {
      return await connected().settle(nowMs, settleMsMax);
    } catch (error) {
      logger.warn({ err: error, part: 'timers' }, 'what is due was not done in time');
      throw new Problem('store-unavailable', 'what is due is not done yet: ask again', { retryAfterSec: 1 });
    }
  };
  return { settle };
}
