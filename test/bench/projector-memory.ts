// Memory of the whole service while it makes every read model from a log that was there before: it must not grow with
// the log. The engines' own processes are theirs; what is measured is the process that reads, folds and writes.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from '../../src/config.js';
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { keyOf, type ServiceChild, sources, startChild, stopped } from '../e2e/service-child.js';
import { MemoryWatch } from '../memory-watch.js';
import { codecOf, copies, fillLog, type PlainEvent } from './demo-events.js';
import type { BenchOptions } from './suite.js';

export const memoryLane = 'memory while everything is rebuilt';
const askEveryMs = 2_000;
const waitMsMax = 3_600_000;

interface Reading {
  readonly mebibytes: number;
  readonly eventsPerSecond: number;
}

export async function benchMemory(
  directory: string,
  events: readonly PlainEvent[],
  options: BenchOptions,
): Promise<void> {
  if (process.platform !== 'linux') return options.note('RssAnon is told by Linux alone');
  const sizes = options.quick ? [20_000, 100_000] : [500_000, 5_000_000];
  const readings: Reading[] = [];
  for (const count of sizes) {
    const home = join(directory, `memory-${count}`);
    options.note(`filling a log with ${count} events`);
    await fill(home, copies(events, count));
    const reading = await rebuilt(home, count);
    options.note(`${count} events: ${reading.mebibytes} MiB, ${reading.eventsPerSecond} events/s`);
    readings.push(reading);
    rmSync(home, { recursive: true, force: true });
  }
  const [few, many] = readings.map(({ mebibytes }) => mebibytes) as [number, number];
  const figure = { lane: memoryLane, subject: `${sizes[1]} events`, unit: 'MiB RssAnon, peak', value: many };
  const against = { against: `${sizes[0]} events`, ratio: Number((many / few).toPrecision(4)) };
  options.print(JSON.stringify({ ...figure, ...against }));
}

async function fill(home: string, events: Iterable<PlainEvent>): Promise<void> {
  mkdirSync(home, { recursive: true });
  const { masterKey, eventLog } = readConfig({ HOMING_DATA_DIR: home });
  const log = await EmbeddedEventLog.open(eventLog.directory, { durable: false });
  await fillLog(log, codecOf(log, masterKey), events);
  await log.close();
}

/** What `npm start` gives Node. */
function startFlags(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } };
  return scripts.start.split(' ').filter((word) => word.startsWith('--'));
}

/** With the clock of an import no timer falls due: the log stays as long as it is. */
async function rebuilt(home: string, count: number): Promise<Reading> {
  const environment = { HOMING_DATA_DIR: home, HOMING_CLOCK: 'import', HOMING_LOG_LEVEL: 'fatal' };
  const service = await startChild(environment, [...startFlags(), ...sources]);
  const memory = new MemoryWatch(service.process.pid as number);
  const began = performance.now();
  try {
    while (!(await isCaughtUp(service))) {
      if (performance.now() - began > waitMsMax) throw new Error('the read models did not come to the head');
      await sleep(askEveryMs);
    }
  } finally {
    memory.stop();
    await stopped(service);
  }
  const seconds = (performance.now() - began) / 1_000;
  return { mebibytes: Math.round(memory.take() / 2 ** 20), eventsPerSecond: Math.round(count / seconds) };
}

/** Every read model has a build that is read, and all of them have come to the end of the log. */
async function isCaughtUp(service: ServiceChild): Promise<boolean> {
  const headers = { authorization: `Bearer ${keyOf(service, 'admin')}` };
  const response = await fetch(`${service.url}/v1/projections`, { headers });
  if (!response.ok) return false;
  const { parts, items } = (await response.json()) as {
    parts: readonly string[];
    items: readonly { projection: string; state: string; lagEvents: number }[];
  };
  const current = items.filter(({ state, lagEvents }) => state === 'active' && lagEvents === 0);
  return parts.every((part) => current.some(({ projection }) => projection === part));
}
