// The names of visitors: the same at one link for 28 days, in every process; another at every other link; and no way from
// one to the other once the salt is destroyed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type SaltShelf, VisitorNames } from '../../src/commands/sharing/visitor-names.js';
import { isSaltOver } from '../../src/domain/sharelink/visitor-salt.js';
import { addMs, dayMs, minuteMs, toMs } from '../../src/kernel/clock.js';
import { DaySalts } from '../../src/stores/redis/day-salts.js';
import { flush, oneKind, openKind, type TestRedis } from '../projector/redis-kinds.js';

const mintedAt = '2026-03-02T23:00:00.000Z';
const lastMoment = addMs(mintedAt, 28 * dayMs - 1);
const destruction = '2026-03-31T00:00:00.000Z';
const link = { linkId: 'link-1', mintedAt };
const eve = { clientAddress: '203.0.113.7', userAgent: 'Safari' };
const secret = Buffer.alloc(32, 5);
const secrets = { requestHash: secret, shareCode: secret, visitor: secret };

let directory: string;
let redis: TestRedis;
let shelf: DaySalts;
let now = mintedAt;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'homing-visitors-'));
  redis = await openKind(oneKind, join(directory, 'redis'));
  shelf = new DaySalts(redis.store.client, { logId: 'log', isOnDisk: redis.store.durable });
});
afterAll(async () => {
  await redis.close();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  await flush(redis.store.client);
  now = mintedAt;
});
afterEach(() => {
  jest.restoreAllMocks();
});

const aProcess = (on: SaltShelf = shelf) => new VisitorNames(on, secrets, { now: () => toMs(now) });
const daysKept = async () =>
  Object.keys(await redis.store.client.hgetall('link-salts:log')).filter((day) => /^\d/.test(day));

async function destroyAt(instant: string): Promise<void> {
  now = instant;
  await shelf.destroy((day) => isSaltOver(day, toMs(instant)));
}

describe('a visitor', () => {
  it('has one name at a link, in every process and whoever asks first, and another at every other link', async () => {
    const names = await Promise.all(Array.from({ length: 8 }, () => aProcess().keyOf(link, eve)));
    expect(new Set(names).size).toBe(1);
    const others = await Promise.all([
      aProcess().keyOf({ ...link, linkId: 'link-2' }, eve),
      aProcess().keyOf(link, { ...eve, userAgent: 'Firefox' }),
      aProcess().keyOf(link, { ...eve, clientAddress: '203.0.113.8' }),
    ]);
    expect(new Set([...names, ...others]).size).toBe(4);
  });

  it('keeps it for 28 days from the minting, over restarts', async () => {
    const before = await aProcess().keyOf(link, eve);
    now = lastMoment;
    await destroyAt(lastMoment);
    expect(await aProcess().keyOf(link, eve)).toBe(before);
  });

  it('cannot be joined to who came before, once the salt is destroyed; a process that still held it does not bring it back', async () => {
    const held = aProcess();
    const before = await held.keyOf(link, eve);
    await destroyAt(destruction);
    const later = await held.keyOf(link, eve);
    expect(later).not.toBe(before);
    expect(await aProcess().keyOf(link, eve)).toBe(later);
    expect(await daysKept()).toEqual(['2026-03-31']);
    now = addMs(destruction, dayMs);
    expect([before, later]).not.toContain(await held.keyOf(link, eve));
  });
});

describe('while Redis does not answer', () => {
  it('a visitor is known again all the same, and the name stays when nobody had another', async () => {
    let answers = false;
    const mayAnswer: SaltShelf = { agree: async (...asked) => (answers ? shelf.agree(...asked) : undefined) };
    const alone = aProcess(mayAnswer);
    const name = await alone.keyOf(link, eve);
    expect(await alone.keyOf(link, eve)).toBe(name);
    answers = true;
    const askedAgain = performance.now() + minuteMs;
    jest.spyOn(performance, 'now').mockReturnValue(askedAgain);
    expect(await alone.keyOf(link, eve)).toBe(name);
    await settled(async () => (await daysKept()).length === 1);
    expect(await aProcess().keyOf(link, eve)).toBe(name);
  });

  it('nothing is lost of what a process knows: a Redis that was emptied has it back', async () => {
    const knows = aProcess();
    const name = await knows.keyOf(link, eve);
    await flush(redis.store.client);
    const askedAgain = performance.now() + minuteMs;
    jest.spyOn(performance, 'now').mockReturnValue(askedAgain);
    expect(await knows.keyOf(link, eve)).toBe(name);
    await settled(async () => (await daysKept()).length === 1);
    expect(await aProcess().keyOf(link, eve)).toBe(name);
  });
});

/** What is asked for beside a visit is under way when the visit is answered. */
async function settled(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}
