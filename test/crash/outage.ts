// The stores fail while the service goes on writing: Redis stands still, Redis is killed, ClickHouse dies again and again.
// No write is refused for long, the service's memory stays bounded, it catches up by itself, verify finds no difference,
// and the log holds every write that was acknowledged, once.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeHidden } from '../../src/event-log/codec.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { decodePositionToken } from '../../src/kernel/position-token.js';
import { HttpOperations } from '../../src/service/operations/http-operations.js';
import { keyOf, type ServiceChild, startChild, stopped } from '../e2e/service-child.js';
import { MemoryWatch } from '../memory-watch.js';
import { childOf, OwnRedis } from './outage-stores.js';
import { SteadyWriter } from './outage-writer.js';
import type { CrashSuite } from './suite.js';

const mib = 1_024 * 1_024;
/** What an outage may add to the peak before it: buffers of bounded size, and garbage that is not collected yet. */
const growthMax = 128 * mib;
const caughtUpMsMax = 120_000;
const engineKillEveryMs = 250;
const askEveryMs = 250;

interface Stores {
  readonly redis: OwnRedis;
  readonly servicePid: number;
}
type Outage = (stores: Stores, ms: number) => Promise<void>;

const outages: Readonly<Record<string, Outage>> = {
  'Redis stands still': async ({ redis }, ms) => {
    redis.signal('SIGSTOP');
    await sleep(ms);
    redis.signal('SIGCONT');
  },
  'Redis is killed': async ({ redis }, ms) => {
    await redis.end('SIGKILL');
    await sleep(ms);
    redis.begin();
  },
  'ClickHouse dies again and again': async ({ servicePid }, ms) => {
    const until = performance.now() + ms;
    let kills = 0;
    while (performance.now() < until) {
      const engine = childOf(servicePid, 'engine.main');
      if (engine !== undefined) {
        process.kill(engine, 'SIGKILL');
        kills += 1;
      }
      await sleep(engineKillEveryMs);
    }
    if (kills === 0) throw new Error('there was no engine to kill');
  },
};

/** Until every read model has passed the position, whatever is written meanwhile. */
async function caughtUp(operations: HttpOperations, position: string): Promise<void> {
  const target = decodePositionToken(position)?.position ?? 0n;
  const until = performance.now() + caughtUpMsMax;
  for (;;) {
    // A store that is only coming back gives no status.
    const rows = await operations.status().catch(() => []);
    const active = rows.filter(({ state }) => state === 'active');
    if (active.length > 0 && active.length === rows.length && active.every((row) => BigInt(row.position) >= target))
      return;
    if (performance.now() > until) {
      throw new Error(`not at ${target} ${caughtUpMsMax} ms after the outage: ${JSON.stringify(rows)}`);
    }
    await sleep(askEveryMs);
  }
}

/** Keys and rows that were compared. @throws Error on a difference */
async function verified(operations: HttpOperations): Promise<number> {
  let compared = 0;
  for (const part of await operations.parts()) {
    for (const report of await operations.verify(part)) {
      if (report.differences + report.parked.length > 0) throw new Error(JSON.stringify(report).slice(0, 3_000));
      compared += report.compared;
    }
  }
  return compared;
}

/** @throws Error unless the log holds each of them once and no others */
async function holdsAll(directory: string, { messages, observations }: SteadyWriter): Promise<void> {
  const log = await EmbeddedEventLog.open(join(directory, 'log'));
  const found: string[] = [];
  for await (const page of log.readAll()) {
    for (const { type, data, metadata } of page.map(decodeHidden)) {
      if (type === 'MessageSent') found.push((data as { messageId: string }).messageId);
      if (type === 'ContentViewed') found.push(metadata.clientEventId ?? '');
    }
  }
  await log.close();
  const there = new Set(found);
  const wanted = [...messages, ...observations];
  const lost = wanted.filter((id) => !there.has(id));
  if (lost.length > 0)
    throw new Error(`${lost.length} acknowledged writes are not in the log: ${lost.slice(0, 5).join()}`);
  if (found.length !== wanted.length) throw new Error(`${wanted.length} writes, and ${found.length} events of them`);
}

export const crashOutage: CrashSuite = async ({ seconds, report }) => {
  const directory = mkdtempSync(join(tmpdir(), 'homing-outage-'));
  const redis = await OwnRedis.start(join(directory, 'redis'));
  let service: ServiceChild | undefined;
  let memory: MemoryWatch | undefined;
  try {
    service = await startChild({
      HOMING_DATA_DIR: directory,
      HOMING_REDIS: redis.url,
      HOMING_LOG_LEVEL: 'silent',
      HOMING_CLICKHOUSE_CHUNK_MS: '100',
    });
    const servicePid = service.process.pid as number;
    const operations = new HttpOperations(service.url, keyOf(service, 'admin'));
    const writer = await SteadyWriter.begin(service.url, keyOf(service, 'app'));
    memory = new MemoryWatch(servicePid);
    for (const [name, outage] of Object.entries(outages)) {
      await sleep(seconds * 1_000);
      writer.take();
      const before = memory.take();
      await outage({ redis, servicePid }, seconds * 1_000);
      const back = performance.now();
      const during = memory.take();
      await caughtUp(operations, writer.position);
      const { acknowledged, refused, slowestMs } = writer.take();
      const after = memory.take();
      const inMib = (bytes: number) => `${(bytes / mib).toFixed(0)} MiB`;
      report(
        `${name} for ${seconds} s: ${acknowledged} writes acknowledged (${refused} told to come again, the slowest after ${slowestMs.toFixed(0)} ms); ` +
          `peak RssAnon ${inMib(before)} before, ${inMib(during)} meanwhile, ${inMib(after)} while it caught up in ${((performance.now() - back) / 1_000).toFixed(1)} s`,
      );
      if (Math.max(during, after) > before + growthMax)
        throw new Error(`${name}: the service's memory grew without bound`);
    }
    await writer.stop();
    await caughtUp(operations, writer.position);
    const keysAndRows = await verified(operations);
    await stopped(service);
    await holdsAll(directory, writer);
    const writes = writer.messages.size + writer.observations.size;
    return { outages: Object.keys(outages).length, 'acknowledged writes': writes, 'keys and rows': keysAndRows };
  } finally {
    memory?.stop();
    service?.process.kill('SIGKILL');
    await redis.end('SIGKILL');
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  }
};
