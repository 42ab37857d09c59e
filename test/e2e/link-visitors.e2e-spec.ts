// Who comes through a link, by the service as a whole: known again for 28 days, then without any way back to who came before,
// by the clock of the domain and over restarts.
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { decodeHidden } from '../../src/event-log/codec.js';
import { addMs, dayMs, minuteMs } from '../../src/kernel/clock.js';
import { keys, RunningService } from './running-service.js';

const mintedAt = '2026-03-02T10:00:00.000Z';
const contentRef = { kind: 'video', contentId: 'clip-1', creatorId: 'cleo' };
const phone = { 'user-agent': 'Mozilla/5.0 (Linux; Android 14) Chrome/124.0', 'x-forwarded-for': '203.0.113.7' };

let service: RunningService;
let path: string;

async function at(now: string, method: string, to: string, member?: string, body?: unknown) {
  const who = member === undefined ? {} : { member };
  const answer = await service.send(method, to, {
    key: keys.import,
    ...who,
    headers: { 'homing-now': now, ...phone, ...(member ? { 'x-forwarded-for': '198.51.100.1' } : {}) },
    body,
  });
  if (answer.status >= 300) throw new Error(`${to}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

interface Opened {
  readonly visitorKey: string;
  readonly firstForVisitor: boolean;
  readonly isRepeat: boolean;
}
async function visitAt(now: string): Promise<Opened> {
  await at(now, 'GET', path);
  let opened: Opened | undefined;
  for await (const page of service.parts.engines.log.readAll()) {
    for (const event of page) if (event.type === 'ShareLinkOpened') opened = decodeHidden(event).data as Opened;
  }
  return opened as Opened;
}

async function daysKept(): Promise<string[]> {
  const { redis, logId } = service.parts.engines;
  return Object.keys(await redis.client.hgetall(`link-salts:${logId}`)).filter((field) => /^\d/.test(field));
}

/** The Redis in memory keeps nothing over a restart; then there is none. */
async function restart(): Promise<void> {
  if (service.parts.engines.redis.durable) await service.restart();
}

beforeAll(async () => {
  service = await RunningService.start({ HOMING_CLOCK: 'import' });
  const ann = { memberId: 'ann', handle: 'ann', displayName: 'ann', ageBand: '18_plus', country: 'AT' };
  await at(mintedAt, 'POST', '/v1/members', undefined, ann);
  const { shareId } = await at(mintedAt, 'POST', '/v1/shares', 'ann', { contentRef, surface: 'feed' });
  const link = { destinationHint: 'copy_link' };
  const { url } = await at(mintedAt, 'POST', `/v1/shares/${String(shareId)}/link`, 'ann', link);
  path = new URL(String(url)).pathname;
});
afterAll(() => service.stop());

it('a visitor is known again for 28 days and then is somebody new, of whom only the day of the visit is known', async () => {
  const first = await visitAt(addMs(mintedAt, minuteMs));
  expect(first.firstForVisitor).toBe(true);
  await restart();
  const again = await visitAt(addMs(mintedAt, 28 * dayMs - 1));
  expect(again).toMatchObject({ visitorKey: first.visitorKey, firstForVisitor: false });

  const destruction = '2026-03-31T00:00:00.000Z';
  expect(await daysKept()).toContain('2026-03-02');
  await at(destruction, 'POST', '/v1/clock', undefined, { now: destruction, waitForTimers: true });
  expect(await daysKept()).not.toContain('2026-03-02');

  const later = await visitAt(addMs(destruction, minuteMs));
  expect(later).toMatchObject({ firstForVisitor: true, isRepeat: false });
  expect(later.visitorKey).not.toBe(first.visitorKey);
  await restart();
  const soonAfter = await visitAt(addMs(destruction, 10 * minuteMs));
  expect(soonAfter).toMatchObject({ visitorKey: later.visitorKey, isRepeat: true });
  const nextDay = await visitAt(addMs(destruction, dayMs));
  expect([first.visitorKey, later.visitorKey]).not.toContain(nextDay.visitorKey);
  expect(await daysKept()).not.toContain('2026-03-02');
});
