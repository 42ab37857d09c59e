// How soon a write is seen: commands over HTTP at a steady rate to a service in a process of its own; some of them are
// followed by a read at their position, of the friend feed, and of a metric that ClickHouse answers.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf, type ServiceChild, startChild, stopped } from '../e2e/service-child.js';
import { type BenchOptions, median } from './suite.js';

const perSecond = 300;
const people = 40;
/** One command in so many is followed by a read of the feed, and one by a read of the metric. */
const feedOneIn = 5;
const metricOneIn = 30;
const rounds = 5;

class Caller {
  constructor(readonly service: ServiceChild) {}

  async write(path: string, member: string | undefined, body?: object): Promise<string> {
    const headers = {
      authorization: `Bearer ${keyOf(this.service, 'app')}`,
      ...(member === undefined ? {} : { 'homing-member': member }),
      ...(body ? { 'content-type': 'application/json' } : {}),
    };
    const response = await fetch(this.service.url + path, {
      method: 'POST',
      headers,
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return ((await response.json()) as { position: string }).position;
  }

  /** Milliseconds until a read at the position is not stale. */
  async seen(path: string, position: string, key: string, member?: string): Promise<number> {
    const began = performance.now();
    for (;;) {
      const headers = {
        authorization: `Bearer ${key}`,
        'homing-position': position,
        ...(member ? { 'homing-member': member } : {}),
      };
      const response = await fetch(this.service.url + path, { headers });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      if (!((await response.json()) as { stale: boolean }).stale) return performance.now() - began;
    }
  }
}

const name = (index: number): string => `p${index % people}`;

/** Everybody is a friend of the first. */
async function settle(caller: Caller): Promise<void> {
  for (let index = 0; index < people; index += 1) {
    const card = { handle: name(index), displayName: name(index), ageBand: '18_plus', country: 'AT' };
    await caller.write('/v1/members', undefined, { memberId: name(index), ...card });
  }
  for (let index = 1; index < people; index += 1) {
    await caller.write('/v1/friend-requests', name(index), { toMemberId: name(0), origin: 'search' });
    await caller.write(`/v1/friend-requests/${name(index)}/accept`, name(0));
  }
}

interface Round {
  readonly feed: readonly number[];
  readonly metric: readonly number[];
}

/** The medians over some rounds, one after the other, of each round's quantiles. */
export async function benchLatency(directory: string, options: BenchOptions): Promise<void> {
  const service = await startChild({ HOMING_DATA_DIR: join(directory, 'latency'), HOMING_LOG_LEVEL: 'fatal' });
  const caller = new Caller(service);
  await settle(caller);
  await untilAnswered(service);
  const told: Round[] = [];
  await load(caller, options.quick ? 3 : 10, options);
  for (let round = 0; round < rounds; round += 1) told.push(await load(caller, options.quick ? 3 : 12, options));
  for (const [lane, of] of [
    ['seen after: friend feed', 'feed'],
    ['seen after: ClickHouse', 'metric'],
  ] as const) {
    for (const quantile of [0.5, 0.99]) {
      const subject = `p${quantile * 100} at ${perSecond} commands/s`;
      const value = Number(median(told.map((round) => at(round[of], quantile))).toPrecision(4));
      options.print(JSON.stringify({ lane, subject, unit: 'ms', value, against: null, ratio: null }));
    }
  }
  await stopped(service);
}

/** A service that has just begun makes its facts first. */
async function untilAnswered(service: ServiceChild): Promise<void> {
  const headers = { authorization: `Bearer ${keyOf(service, 'analyst')}` };
  while (!(await fetch(service.url + metricPath(), { headers })).ok) await sleep(200);
}

function metricPath(): string {
  const [day, tomorrow] = [0, 86_400_000].map((ms) => new Date(Date.now() + ms).toISOString().slice(0, 10));
  return `/v1/metrics/shares?from=${day}&to=${tomorrow}`;
}

let published = 0;

async function load(caller: Caller, seconds: number, options: BenchOptions): Promise<Round> {
  const { service } = caller;
  const [app, analyst, path] = [keyOf(service, 'app'), keyOf(service, 'analyst'), metricPath()];
  const [feed, metric]: [number[], number[]] = [[], []];
  const inFlight: Promise<void>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const earlyMs = began + (sent * 1_000) / perSecond - performance.now();
    if (earlyMs > 0) await sleep(earlyMs);
    published += 1;
    const contentRef = { kind: 'photo', contentId: `c${published}`, creatorId: name(sent) };
    inFlight.push(
      caller.write('/v1/moments', name(sent), { contentRef }).then(async (position) => {
        if (sent % feedOneIn === 0) feed.push(await caller.seen('/v1/feed?limit=1', position, app, name(sent)));
        if (sent % metricOneIn === 1) metric.push(await caller.seen(path, position, analyst));
      }),
    );
  }
  await Promise.all(inFlight);
  options.note(`${Math.round((perSecond * seconds * 1_000) / (performance.now() - began))} commands/s were taken`);
  return { feed, metric };
}

function at(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
}
