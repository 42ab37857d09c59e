// Metrics over HTTP on a running service: a write is counted by whoever waits for its position, keys open what they should,
// and bad questions get clear answers.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { activitySpecs } from '../../src/metrics/activity/specs.js';
import { brandSpecs } from '../../src/metrics/brand/specs.js';
import { sharingSpecs } from '../../src/metrics/sharing/specs.js';
import { keys, RunningService } from '../e2e/running-service.js';

let service: RunningService;
let last = '';
const today = new Date().toISOString().slice(0, 10);
const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
const range = `from=${today}&to=${tomorrow}`;

async function write(method: string, path: string, member: string, body: unknown): Promise<Record<string, string>> {
  const answer = await service.send(method, path, { member, body });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  last = String(answer.body['position']);
  return answer.body as Record<string, string>;
}
const ask = (path: string, key: string | undefined = keys.analyst, headers: Record<string, string> = {}) =>
  service.send('GET', path, { key, headers });

const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'carla' };

beforeAll(async () => {
  service = await RunningService.start({ HOMING_TIME_ZONE: 'UTC', HOMING_CLICKHOUSE_CHUNK_MS: '20' });
  const conversationId = await service.talkBetween('ann', 'bob');
  const shared = await write('POST', '/v1/shares', 'ann', { contentRef, surface: 'feed' });
  const link = await write('POST', `/v1/shares/${shared['shareId']}/link`, 'ann', { destinationHint: 'whatsapp' });
  await write('POST', `/v1/shares/${shared['shareId']}/complete`, 'ann', {
    destinationClass: 'off_platform',
    destination: 'whatsapp',
    channelEvidence: 'declared',
    linkId: link['linkId'],
  });
  const opened = await fetch(`${service.url}/s/${link['code']}`, {
    redirect: 'manual',
    headers: {
      'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1',
    },
  });
  expect(opened.status).toBeLessThan(400);
  const told = await write('POST', '/v1/shares', 'ann', { contentRef, surface: 'feed' });
  await write('POST', `/v1/shares/${told['shareId']}/complete`, 'ann', {
    destinationClass: 'in_app',
    destination: 'dm',
    conversationIds: [conversationId],
  });
  await write('POST', `/v1/conversations/${conversationId}/messages`, 'bob', { body: 'what was that?' });
});
afterAll(() => service.stop());

describe('metrics over HTTP', () => {
  it('lists every metric with its definition', async () => {
    const { body } = await service.settled('/v1/metrics', keys.analyst);
    expect(body['timeZone']).toBe('UTC');
    const names = (body['metrics'] as { name: string; definition: string }[]).map(({ name }) => name);
    expect(names).toEqual([...sharingSpecs, ...activitySpecs, ...brandSpecs].map(({ name }) => name));
  });

  it('counts a write for whoever waits for its position', async () => {
    const { status, body } = await ask(`/v1/metrics/leakage-rate?${range}&minPosition=${last}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ stale: false, total: { numerator: 1, denominator: 2, rate: 0.5, mature: false } });
    const total = body['total'] as { interval: [number, number] };
    expect(total.interval[0]).toBeCloseTo(0.0945, 3);
    expect(Date.parse(String(body['completeUpTo']))).toBeGreaterThan(Date.now() - 60_000);
  });

  it('by day, channel, content and creator, with the position in a header', async () => {
    const position = { 'homing-position': last };
    const by = 'by=day,channel,content,creator';
    const clicks = await ask(`/v1/metrics/click-back-rate?${range}&${by}&window=1d`, keys.analyst, position);
    expect(clicks.body).toMatchObject({
      window: '1d',
      rows: [{ day: today, channel: 'whatsapp', content: 'clip-1', creator: 'carla', numerator: 1, denominator: 1 }],
    });
    const talks = await ask(`/v1/metrics/talk-back-rate?${range}&by=channel`, keys.admin, position);
    expect(talks.body).toMatchObject({ rows: [{ channel: 'dm', numerator: 1, denominator: 1 }] });
    const mix = await ask(`/v1/metrics/channel-mix?${range}`, keys.analyst, position);
    expect(mix.body).toMatchObject({
      rows: [
        { channel: 'dm', numerator: 1, denominator: 2, reclassified: 1 },
        { channel: 'whatsapp', numerator: 1, denominator: 2, reclassified: 1 },
      ],
      total: { hhi: { declared: 0.5, reclassified: 0.5 } },
    });
    const activity = await ask(`/v1/metrics/activity?${range}`, keys.analyst, position);
    expect(activity.body['rows']).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: 'share', numerator: 2, denominator: 1 })]),
    );
    const counts = await ask(`/v1/metrics/shares?${range}&channel=dm`, keys.analyst, position);
    expect(counts.body).toMatchObject({ total: { inApp: 1, offPlatform: 0 } });
  });

  it('hides what rests on too few people, and says so', async () => {
    const brand = { brandId: 'shoes', name: 'Shoes', timeZone: 'Europe/Vienna' };
    const { body } = await service.send('POST', '/v1/brands', { key: keys.admin, body: brand });
    for (const { name, kind } of brandSpecs) {
      const path = `/v1/brands/shoes/metrics/${name}?${range}&minPosition=${String(body['position'])}`;
      const answer = await ask(path, keys.brand);
      expect(answer.status).toBe(200);
      if (kind === 'reach') expect(answer.body['total']).toEqual({ suppressed: true, minimum: 50 });
      if (kind === 'response') expect(answer.body['total']).toMatchObject({ denominator: 0, medianSec: null });
    }
  });

  it.each([
    ['no key', '/v1/metrics', undefined, 401, 'missing-key'],
    ['the app’s key', '/v1/metrics/shares', keys.app, 403, 'missing-scope'],
    ['a brand’s key', `/v1/metrics/shares?${range}`, keys.brand, 403, 'missing-scope'],
    ['another brand’s key', `/v1/brands/hats/metrics/dm-cart-rate?${range}`, keys.brand, 403, 'missing-scope'],
    ['an analyst’s key', `/v1/brands/shoes/metrics/dm-cart-rate?${range}`, keys.analyst, 403, 'missing-scope'],
    ['an unknown metric', `/v1/metrics/bounce-rate?${range}`, keys.analyst, 404, 'not-found'],
    ['a brand metric asked of everybody', `/v1/metrics/dm-cart-rate?${range}`, keys.analyst, 404, 'not-found'],
    ['no range', '/v1/metrics/shares', keys.analyst, 400, 'invalid-query'],
    ['a day that is none', '/v1/metrics/shares?from=2026-02-30&to=2026-03-01', keys.analyst, 400, 'invalid-query'],
    ['an empty range', `/v1/metrics/shares?from=${today}&to=${today}`, keys.analyst, 400, 'invalid-query'],
    ['a range of years', '/v1/metrics/shares?from=2020-01-01&to=2026-01-01', keys.analyst, 400, 'invalid-query'],
    ['an unknown dimension', `/v1/metrics/shares?${range}&by=planet`, keys.analyst, 400, 'invalid-query'],
    ['a dimension twice', `/v1/metrics/shares?${range}&by=day,day`, keys.analyst, 400, 'invalid-query'],
    ['a window it has not', `/v1/metrics/click-back-rate?${range}&window=3d`, keys.analyst, 400, 'invalid-query'],
    ['an id that is none', `/v1/metrics/shares?${range}&creatorId=a'b`, keys.analyst, 400, 'invalid-query'],
    ['a filter it has not', `/v1/metrics/activity?${range}&channel=dm`, keys.analyst, 400, 'invalid-query'],
    ['a misspelt filter', `/v1/metrics/shares?${range}&chanel=dm`, keys.analyst, 400, 'unknown-field'],
    [
      'a filter for a brand',
      `/v1/brands/shoes/metrics/dm-cart-rate?${range}&channel=dm`,
      keys.brand,
      400,
      'unknown-field',
    ],
    ['a position that is none', `/v1/metrics/shares?${range}&minPosition=x`, keys.analyst, 400, 'bad-position'],
  ])('%s', async (_, path, key, status, code) => {
    const answer = await service.send('GET', path, { key });
    expect([answer.status, answer.body['code']]).toEqual([status, code]);
  });
});

describe('product analytics', () => {
  const declared = { destinationClass: 'off_platform', destination: 'x', channelEvidence: 'declared' };
  const share = async (member: string): Promise<void> => {
    const shown = { contentRef: { ...contentRef, creatorId: 'zora' }, surface: 'feed' };
    const { shareId } = await write('POST', '/v1/shares', member, shown);
    await write('POST', `/v1/shares/${shareId}/complete`, member, declared);
  };
  const agree = (granted: boolean) =>
    write('PUT', '/v1/members/me/consents/product_analytics', 'zoe', { granted, policyVersion: '1' });
  const counted = async (): Promise<unknown> => {
    const query = `${range}&creatorId=zora&minPosition=${last}`;
    const { body } = await service.settled(`/v1/metrics/shares?${query}`, keys.analyst);
    return (body['total'] as { denominator: number }).denominator;
  };

  it('loses a member’s shares when they withdraw, and gets only new ones when they agree again', async () => {
    await service.register('zoe', 'yan');
    await share('yan');
    await share('zoe');
    expect(await counted()).toBe(2);
    await agree(false);
    expect(await counted()).toBe(1);
    await share('zoe');
    expect(await counted()).toBe(1);
    await agree(true);
    expect(await counted()).toBe(1);
    await share('zoe');
    expect(await counted()).toBe(2);
  });
});
