// The salts of days on real servers: one per day whoever asks first, kept over a crash of Redis, and gone for good when
// they are destroyed, from the files on disk too.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { DaySalts } from '../../src/stores/redis/day-salts.js';
import { serversOf } from '../../src/stores/redis/redis-endpoint.js';
import { flush, hasRedisServer, kinds, openKind, type TestRedis } from '../projector/redis-kinds.js';
import { eventually } from './eventually.js';

const logId = '11111111-1111-4111-8111-111111111111';
const [monday, tuesday] = ['2026-03-02', '2026-03-03'];
const isMonday = (day: string) => day === monday;

describe.each(kinds)('salts of days, on %s', (kind) => {
  let directory: string;
  let redis: TestRedis;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'homing-salts-'));
    redis = await openKind(kind, join(directory, 'redis'));
  }, 60_000);
  afterAll(async () => {
    await redis.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** As another process has them. */
  const salts = (ofLog = logId) => new DaySalts(redis.store.connect(), { logId: ofLog, isOnDisk: redis.store.durable });
  const offer = () => randomBytes(32);

  it('are one per day and log, however many processes ask at once', async () => {
    await flush(redis.store.client);
    const [first, ...others] = await Promise.all(Array.from({ length: 10 }, () => salts().agree(monday, offer())));
    for (const other of others) expect(other).toEqual(first);
    expect(await salts().agree(tuesday, offer())).not.toEqual(first);
    expect(await salts('another-log').agree(monday, offer())).not.toEqual(first);
  });

  it('are destroyed when their day is over, and do not come back', async () => {
    await flush(redis.store.client);
    const [gone, kept] = [await salts().agree(monday, offer()), await salts().agree(tuesday, offer())];
    expect(await salts().destroy(isMonday)).toEqual([monday]);
    expect(await eventually(() => salts().destroy(isMonday))).toEqual([]);
    expect(await salts().agree(tuesday, offer())).toEqual(kept);
    expect(await salts().agree(monday, offer())).not.toEqual(gone);
  });

  const withServer = hasRedisServer ? it : it.skip;
  withServer('outlive a Redis that dies', async () => {
    await flush(redis.store.client);
    const before = await salts().agree(monday, offer());
    await redis.killOne();
    expect(await eventually(() => salts().agree(monday, offer()))).toEqual(before);
  });
});

(hasRedisServer ? describe : describe.skip)('the files of a private redis-server', () => {
  let directory: string;
  let redis: TestRedis;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'homing-salts-'));
    redis = await openKind('redis-server', join(directory, 'redis'));
  });
  afterAll(async () => {
    await redis.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const salts = () => new DaySalts(redis.store.client, { logId, isOnDisk: redis.store.durable });

  /** Any twelve of its letters: a file that is packed may hold them apart. */
  function onDisk(salt: Buffer): boolean {
    const text = salt.toString('base64url');
    const pieces = Array.from({ length: text.length - 11 }, (_, at) => text.slice(at, at + 12));
    const entries = readdirSync(join(directory, 'redis'), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
      .some((bytes) => pieces.some((piece) => bytes.includes(piece)));
  }
  /** The file is written anew beside the old one, which is removed some time after. */
  const isGone = (salt: Buffer) => eventually(() => !onDisk(salt));

  it('do not hold a salt that was destroyed', async () => {
    const [gone, kept] = [await salts().agree(monday, randomBytes(32)), await salts().agree(tuesday, randomBytes(32))];
    await eventually(() => onDisk(gone) && onDisk(kept));
    await salts().destroy(isMonday);
    await isGone(gone);
    expect(onDisk(kept)).toBe(true);
  });

  it('are cleared by the next one, when whoever removed it died before they were', async () => {
    const gone = await salts().agree(monday, randomBytes(32));
    await eventually(() => onDisk(gone));
    const [server] = serversOf(redis.store.client);
    const dying = jest.spyOn(server as Redis, 'bgrewriteaof').mockRejectedValueOnce(new Error('died'));
    await expect(salts().destroy(isMonday)).rejects.toThrow('died');
    dying.mockRestore();
    expect(onDisk(gone)).toBe(true);
    expect(await eventually(() => salts().destroy(isMonday))).toEqual([]);
    await isGone(gone);
  });
});
