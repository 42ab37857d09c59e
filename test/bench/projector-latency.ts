// How soon a write is seen: commands over HTTP at a steady rate, each followed until the friend feed, and until ClickHouse
// has passed its position.
import { join } from 'node:path';
import { readConfig } from '../../src/config.js';
import { decodePositionToken, encodePositionToken, type PositionToken } from '../../src/kernel/position-token.js';
import { factsOperations } from '../../src/service/facts.js';
import { startService } from '../../src/service/service.js';
import type { BenchOptions } from './suite.js';

const perSecond = 300;
const people = 40;
/** One command in so many is followed by a read of the feed at its position. */
const readOneIn = 5;

export async function benchLatency(directory: string, options: BenchOptions): Promise<void> {
  const seconds = options.quick ? 5 : 60;
  const config = readConfig({ HOMING_DATA_DIR: join(directory, 'latency'), PORT: '0', HOMING_LOG_LEVEL: 'silent' });
  const token = `hk_bench_${'x'.repeat(32)}`;
  const service = await startService(config, {
    keys: [{ id: 'bench', name: 'bench', scopes: ['app', 'import'], token } as never],
  });
  const key = service.madeKeys[0]?.token ?? token;
  const call = async (method: string, path: string, member: string | undefined, body?: object): Promise<bigint> => {
    const response = await fetch(service.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(member === undefined ? {} : { 'homing-member': member }),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const { position } = (await response.json()) as { position: string };
    return decodePositionToken(position)?.position ?? 0n;
  };
  const logId = service.engines.logId;
  const look = async (member: string, at: PositionToken) => {
    const headers = {
      authorization: `Bearer ${key}`,
      'homing-member': member,
      'homing-position': encodePositionToken(at),
    };
    const response = await fetch(`${service.url}/v1/feed?limit=1`, { headers });
    return (await response.json()) as { readonly stale: boolean; readonly items: readonly unknown[] };
  };
  const name = (index: number) => `p${index % people}`;
  for (let index = 0; index < people; index += 1) {
    const card = { handle: name(index), displayName: name(index), ageBand: '18_plus', country: 'AT' };
    await call('POST', '/v1/members', undefined, { memberId: name(index), ...card });
  }
  for (let index = 1; index < people; index += 1) {
    await call('POST', '/v1/friend-requests', name(index), { toMemberId: name(0), origin: 'search' });
    await call('POST', `/v1/friend-requests/${name(index)}/accept`, name(0));
  }
  const facts = factsOperations(config, service.engines);
  const [seen, counted]: [number[], number[]] = [[], []];
  const waiting: { readonly position: bigint; readonly at: number }[] = [];
  let running = true;
  const watchFacts = (async () => {
    while (running || waiting.length > 0) {
      const [row] = await facts.status();
      const position = BigInt(row?.position ?? '0');
      while (waiting[0] && waiting[0].position <= position)
        counted.push(performance.now() - (waiting.shift()?.at ?? 0));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const inFlight: Promise<void>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < perSecond * seconds; sent += 1) {
    const dueMs = began + (sent * 1_000) / perSecond;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await new Promise((resolve) => setTimeout(resolve, earlyMs));
    const contentRef = { kind: 'photo', contentId: `c${sent}`, creatorId: name(sent) };
    inFlight.push(
      call('POST', '/v1/moments', name(sent), { contentRef }).then(async (position) => {
        const at = performance.now();
        waiting.push({ position, at });
        if (sent % readOneIn !== 0) return;
        const feed = await look(name(sent), { logId, position });
        if (feed.stale || feed.items[0] === undefined) throw new Error('it was not seen in time');
        seen.push(performance.now() - at);
      }),
    );
  }
  await Promise.all(inFlight);
  running = false;
  await watchFacts;
  for (const [lane, values] of [
    ['seen after: friend feed', seen],
    ['seen after: ClickHouse', counted],
  ] as const) {
    if (!lane.includes(options.only) && !'seen after'.includes(options.only)) continue;
    for (const quantile of [0.5, 0.99]) {
      const value = Number(at(values, quantile).toPrecision(4));
      options.print(
        JSON.stringify({
          lane,
          subject: `p${quantile * 100} at ${perSecond} commands/s`,
          unit: 'ms',
          value,
          against: null,
          ratio: null,
        }),
      );
    }
  }
  await service.close();
}

function at(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
}
