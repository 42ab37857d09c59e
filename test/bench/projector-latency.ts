// How soon a write is seen: commands over HTTP at a steady rate to a service in a process of its own; some of them are
// followed by a read at their position, of the friend feed, and of a metric that ClickHouse answers.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BenchOptions } from './suite.js';

const perSecond = 300;
const people = 40;
/** One command in so many is followed by a read of the feed, and one by a read of the metric. */
const feedOneIn = 5;
const metricOneIn = 30;

interface Running {
  readonly process: ChildProcess;
  readonly url: string;
  readonly app: string;
  readonly analyst: string;
}

async function startService(directory: string): Promise<Running> {
  const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(
    process.execPath,
    ['--no-warnings', '--import', here('../register.mjs'), here('../../src/main.ts')],
    {
      env: { ...process.env, HOMING_DATA_DIR: directory, PORT: '0', HOMING_LOG_LEVEL: 'fatal' },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let text = '';
  return await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the service ended with ${String(code)}`)));
    child.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      const [url, app, analyst] = [/API\s+(\S+)\/v1/, /\bapp\s+(hk_\S+)/, /\banalyst\s+(hk_\S+)/].map(
        (one) => one.exec(text)?.[1],
      );
      if (url && app && analyst) resolve({ process: child, url, app, analyst });
    });
  });
}

class Caller {
  constructor(private readonly service: Running) {}

  async write(path: string, member: string | undefined, body?: object): Promise<string> {
    const headers = {
      authorization: `Bearer ${this.service.app}`,
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

export async function benchLatency(directory: string, options: BenchOptions): Promise<void> {
  const seconds = options.quick ? 10 : 60;
  const service = await startService(join(directory, 'latency'));
  const caller = new Caller(service);
  await settle(caller);
  const day = new Date().toISOString().slice(0, 10);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const [feed, metric]: [number[], number[]] = [[], []];
  const inFlight: Promise<void>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const earlyMs = began + (sent * 1_000) / perSecond - performance.now();
    if (earlyMs > 0) await sleep(earlyMs);
    const contentRef = { kind: 'photo', contentId: `c${sent}`, creatorId: name(sent) };
    inFlight.push(
      caller.write('/v1/moments', name(sent), { contentRef }).then(async (position) => {
        if (sent % feedOneIn === 0) feed.push(await caller.seen('/v1/feed?limit=1', position, service.app, name(sent)));
        if (sent % metricOneIn !== 1) return;
        metric.push(await caller.seen(`/v1/metrics/shares?from=${day}&to=${tomorrow}`, position, service.analyst));
      }),
    );
  }
  await Promise.all(inFlight);
  options.note(`${Math.round((perSecond * seconds * 1_000) / (performance.now() - began))} commands/s were taken`);
  for (const [lane, values] of [
    ['seen after: friend feed', feed],
    ['seen after: ClickHouse', metric],
  ] as const) {
    for (const quantile of [0.5, 0.99]) {
      const subject = `p${quantile * 100} at ${perSecond} commands/s`;
      const value = Number(at(values, quantile).toPrecision(4));
      options.print(JSON.stringify({ lane, subject, unit: 'ms', value, against: null, ratio: null }));
    }
  }
  service.process.kill('SIGTERM');
  await new Promise((resolve) => service.process.once('close', resolve));
}

function at(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
}
