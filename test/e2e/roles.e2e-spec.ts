// Every role a process of its own, on one log, one Redis and one ClickHouse: what the API takes is folded and counted by
// the projectors, timers are the worker's, and a projector that is killed is missed by nobody for long.
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../stores/eventually.js';
import { Deployment, runHoming } from './deployment.js';
import { type Answer, send } from './running-service.js';
import type { ServiceChild } from './service-child.js';

const shards = 4;
/** A read waits so long for its position, and says `stale` when that was not enough. */
const readWaitMsMax = 10_000;
const now = '2026-03-02T10:00:00.000Z';
const expiredBy = '2026-07-01T00:00:00.000Z';
const range = 'from=2026-03-02&to=2026-03-03';
/** Some of them belong to each of the shards. */
const people = Array.from({ length: 12 }, (_, index) => `person-${index}`);

let deployment: Deployment;
let api: ServiceChild;
let projectors: readonly ServiceChild[];
const keys: Record<string, string> = {};

beforeAll(async () => {
  deployment = await Deployment.open({
    HOMING_CLOCK: 'import',
    HOMING_PROJECTION_SHARDS: String(shards),
    HOMING_READ_WAIT_MS_MAX: String(readWaitMsMax),
    HOMING_CLICKHOUSE_CHUNK_MS: '50',
  });
  const [first, ...others] = await Promise.all([
    deployment.start('api'),
    deployment.start('projector'),
    deployment.start('projector'),
    deployment.start('worker'),
  ]);
  api = first;
  projectors = others.slice(0, 2);
  for (const [, scope = '', key = ''] of api.printed.matchAll(/^ +(\w+) +(hk_\S+)$/gm)) keys[scope] = key;
  for (const memberId of people) {
    await write('/v1/members', {
      memberId,
      handle: memberId,
      displayName: memberId,
      ageBand: '18_plus',
      country: 'AT',
    });
  }
}, 120_000);
afterAll(() => deployment.close());

function ask(path: string, key: string | undefined, member?: string, position?: string): Promise<Answer> {
  const headers = position === undefined ? {} : { 'homing-position': position };
  return send(api.url, 'GET', path, { key, headers, ...(member === undefined ? {} : { member }) });
}

/** Gives back the answer of a write, with its position. */
async function write(path: string, body: unknown, member?: string): Promise<Record<string, string>> {
  const who = member === undefined ? {} : { member };
  const answer = await send(api.url, 'POST', path, {
    key: keys['import'],
    headers: { 'homing-now': now },
    body,
    ...who,
  });
  if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, string>;
}

/** Each publishes something; gives the position of the last. */
async function publish(round: string): Promise<string> {
  let position = '';
  for (const [index, member] of people.entries()) {
    const moment = { contentRef: { kind: 'text', contentId: `${round}-${index}`, creatorId: member } };
    position = (await write('/v1/moments', moment, member))['position'] ?? '';
  }
  return position;
}

/** What each person sees of a round, once everything up to the position is in the feeds. */
async function seen(round: string, position: string): Promise<readonly string[][]> {
  const feeds = await Promise.all(people.map((member) => ask('/v1/feed', keys['import'], member, position)));
  return feeds.map(({ body }) => {
    expect(body['stale']).toBe(false);
    const items = body['items'] as readonly { moment: { contentRef: { contentId: string } } }[];
    const contents = items.map(({ moment }) => moment.contentRef.contentId);
    return contents.filter((content) => content.startsWith(round)).toSorted();
  });
}

/** How many shards each holder of leases has, the least first. */
async function held(): Promise<readonly number[]> {
  const names = Array.from({ length: shards }, (_, shard) => `projector-lease:{documents-${shard}-of-${shards}}`);
  const holders = (await Promise.all(names.map((name) => deployment.redis.client.get(name)))).filter(Boolean);
  const counts = new Map<unknown, number>();
  for (const holder of holders) counts.set(holder, (counts.get(holder) ?? 0) + 1);
  return [...counts.values()].toSorted((a, b) => a - b);
}

/** Friends stand in a ring: who comes `step` after this one. */
const neighbour = (index: number, step: number) => (index + step + people.length) % people.length;
/** What each is to see of a round: one's own, and that of both friends. */
const ofFriends = (round: string) =>
  people.map((_, index) => [-1, 0, 1].map((step) => `${round}-${neighbour(index, step)}`).toSorted());

describe('one api, two projectors and a worker', () => {
  it('share the shards, and the api reads what the projectors have made of its own writes', async () => {
    for (const [index, member] of people.entries()) {
      const friend = people[neighbour(index, 1)] as string;
      await write('/v1/friend-requests', { toMemberId: friend }, member);
      await write(`/v1/friend-requests/${member}/accept`, undefined, friend);
    }
    expect(await seen('first', await publish('first'))).toEqual(ofFriends('first'));
    await eventually(async () => (await held()).join() === `${shards / 2},${shards / 2}`);
  });

  it('count in ClickHouse what the api was told, for whoever waits for its position', async () => {
    const contentRef = { kind: 'video', contentId: 'clip', creatorId: 'person-0' };
    const shared = await write('/v1/shares', { contentRef, surface: 'feed' }, 'person-1');
    const done = { destinationClass: 'off_platform', destination: 'whatsapp', channelEvidence: 'declared' };
    const { position } = await write(`/v1/shares/${shared['shareId']}/complete`, done, 'person-1');
    const { body } = await ask(`/v1/metrics/shares?${range}`, keys['analyst'], undefined, position);
    expect(body).toMatchObject({ stale: false, total: { offPlatform: 1 } });
  });

  it('leave what falls due to the worker', async () => {
    await write('/v1/members', {
      memberId: 'late',
      handle: 'late',
      displayName: 'L',
      ageBand: '18_plus',
      country: 'AT',
    });
    const { position } = await write('/v1/friend-requests', { toMemberId: 'person-0' }, 'late');
    const requests = async (after?: string) =>
      (await ask('/v1/friend-requests?direction=out', keys['import'], 'late', after)).body['items'];
    expect(await requests(position)).toMatchObject([{ member: { memberId: 'person-0' } }]);
    const settled = await write('/v1/clock', { now: expiredBy, waitForTimers: true });
    // The request, and nothing else of this history: the share was completed.
    expect(settled).toMatchObject({ timers: 1 });
    await eventually(async () => ((await requests()) as readonly unknown[]).length === 0);
  });

  it('go on when a projector with its shards and the facts is killed', async () => {
    await publish('before');
    projectors[0]?.process.kill('SIGKILL');
    const began = performance.now();
    const position = await publish('after');
    await eventually(async () => isDeepStrictEqual(await seen('after', position), ofFriends('after')), 60_000);
    const facts = () => ask(`/v1/metrics/activity?${range}`, keys['analyst'], undefined, position);
    await eventually(async () => (await facts()).body['stale'] === false, 60_000);
    console.info(`a projector was replaced in ${Math.round(performance.now() - began)} ms`);
    await eventually(async () => (await held()).join() === `${shards}`);
  }, 120_000);

  it('leave nothing that verify would find', async () => {
    const { code, output } = await runHoming(['verify', '--url', api.url, '--key', keys['admin'] ?? '']);
    expect(output).not.toContain('differences');
    expect(code).toBe(0);
    expect(output.match(/equals the log/g)?.length).toBeGreaterThan(shards * 7);
  }, 120_000);
});
