// The timers as a part of a process: the worker that acts on what is due, and, where an importer moves the clock, the way
// to tell it so.
import type { Logger } from 'pino';
import type { TimerHand } from '../commands/clock/clock.controller.js';
import type { Config } from '../config.js';
import { Problem } from '../http/problem/problem.js';
import { DueTimers, TimersBehind } from '../jobs/due-timers.js';
import { jobsModule } from '../jobs/jobs.module.js';
import { TimerClient } from '../jobs/timer-client.js';
import type { Clock } from '../kernel/clock.js';
import { Progress } from '../stores/documents/progress.js';
import { DocumentReader } from '../stores/documents/reader.js';
import type { Engines, Opened } from './engines.js';
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
  { projector, clock: kind }: Config,
  { log, logId, redis }: Engines,
  { store, clock }: WriteSide,
  { logger }: { readonly logger: Logger },
): MountedPart {
  const reader = new DocumentReader(redis.client, projector.shards, logId);
  const progress = new Progress(reader);
  const part = 'timers';
  const dueTimers = new DueTimers({
    log,
    store,
    reader,
    progress,
    catchUpMsMax,
    failed: (error, stream) => logger.error({ err: error, part, stream }, 'a timer could not be acted on'),
  });
  const failed = (error: unknown) => {
    if (error instanceof TimersBehind) logger.debug({ part }, error.message);
    else logger.warn({ err: error, part }, 'timers are taken again in a moment');
  };
  return {
    module: jobsModule({
      connect: (overrides) => redis.connect(overrides),
      dueTimers,
      clock,
      everyMs: everyMs[kind],
      failed,
    }),
  };
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
