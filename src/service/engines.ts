// The engines of one process, opened in the order in which they are needed and closed the other way round.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Config } from '../config.js';
import { AcknowledgedLog } from '../event-log/acknowledged-log.js';
import { EmbeddedEventLog } from '../event-log/embedded/embedded-event-log.js';
import type { EventLog } from '../event-log/event-log.js';
import { EventStoreDbEventLog } from '../event-log/eventstoredb/eventstoredb-event-log.js';
import { type ClickHouseStore, openClickHouse } from '../stores/clickhouse/open-clickhouse.js';
import { openRedis, type RedisStore } from '../stores/redis/open-redis.js';
import type { Report } from '../stores/report.js';

/** How long a start waits for a log server that is not there yet. */
const logServerMsMax = 60_000;
const logServerEveryMs = 1_000;

export interface Engines {
  readonly log: AcknowledgedLog;
  readonly logId: string;
  /** Where another thread finds the log: held by this process, which has its files, or at a server's address. */
  readonly logPlace: EmbeddedEventLog | string;
  /** Other processes append to this log too. */
  readonly isLogShared: boolean;
  readonly redis: RedisStore;
  /** Absent in the role that neither counts nor asks: the worker. */
  readonly clickhouse: ClickHouseStore | undefined;
}

/** What was opened, to be closed in reverse. */
export class Opened {
  private readonly closers: { readonly name: string; readonly close: () => Promise<void> }[] = [];

  add(name: string, close: () => Promise<void>): void {
    this.closers.push({ name, close });
  }

  /** One that fails to close does not keep the others open. */
  async close(failed: (name: string, error: unknown) => void): Promise<void> {
    for (const { name, close } of this.closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        failed(name, error);
      }
    }
  }
}

export function reportTo(logger: Logger, part: string): Report {
  return (level, message) => logger[level]({ part }, message);
}

async function identityOf(log: EventLog, logger: Logger): Promise<string> {
  const until = Date.now() + logServerMsMax;
  for (;;) {
    try {
      return await log.id();
    } catch (error) {
      const { retryable } = error as { retryable?: boolean };
      if (retryable !== true || Date.now() > until) throw error;
      logger.warn({ part: 'event-log' }, `waiting for the event log: ${(error as Error).message}`);
      await sleep(logServerEveryMs);
    }
  }
}

/** The worker alone never looks at the facts. */
function hasFacts({ role }: Config): boolean {
  return role !== 'worker';
}

export async function openEngines(config: Config, logger: Logger, opened: Opened): Promise<Engines> {
  const { url, directory, appendQueueBytesMax } = config.eventLog;
  const logPlace = url ?? (await EmbeddedEventLog.open(directory, { queueBytesMax: appendQueueBytesMax }));
  const isLogShared = typeof logPlace === 'string';
  const log = new AcknowledgedLog(isLogShared ? EventStoreDbEventLog.open(logPlace) : logPlace);
  opened.add('event log', () => log.close());
  const logId = await identityOf(log, logger);
  const openingRedis = openRedis({ ...config.redis, report: reportTo(logger, 'redis') }).then((store) => {
    opened.add('redis', () => store.close());
    return store;
  });
  const openingClickHouse = hasFacts(config)
    ? openClickHouse({ ...config.clickhouse, report: reportTo(logger, 'clickhouse') }).then((store) => {
        opened.add('clickhouse', () => store.close());
        return store;
      })
    : undefined;
  // Both have ended, well or badly, before anything is closed again.
  await Promise.allSettled([openingRedis, openingClickHouse]);
  const [redis, clickhouse] = [await openingRedis, await openingClickHouse];
  return { log, logId, logPlace, isLogShared, redis, clickhouse };
}
