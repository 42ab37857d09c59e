// The embedded Redis: started, adopted, replaced, ended; and what stands in for it where there is no redis-server.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Queue, Worker } from 'bullmq';
import { DirectoryHeld } from '../../src/stores/directory-hold.js';
import { firstMessage, forkModule } from '../../src/stores/forked-module.js';
import { identityOf, isSameProcess, untilEnded } from '../../src/stores/process-identity.js';
import { openRedis, type RedisStore, type RedisStoreOptions } from '../../src/stores/redis/open-redis.js';
import { eventually } from './eventually.js';

/** The child needs it to find the server. */
const path = process.env['PATH'] ?? '';
const hasServer = spawnSync('redis-server', ['--version']).error === undefined;
if (!hasServer) process.stdout.write('no redis-server on PATH: the tests of the private server are skipped\n');
if (!hasServer && process.env['CI']) throw new Error('CI must have a redis-server');
const withServer = hasServer ? describe : describe.skip;

let directory: string;
let opened: RedisStore[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'homing-redis-'));
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function open(options: Partial<RedisStoreOptions> = {}): Promise<RedisStore> {
  const store = await openRedis({ url: undefined, directory, ...options });
  opened.push(store);
  return store;
}

/** A batch of a projection in one script: guarded by the checkpoint, rows, a change feed entry, the new checkpoint. */
const guardedBatch = `
-- KEYS: checkpoint, document, index, feed · ARGV: expected, next, value
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return redis.error_reply('MOVED_ON checkpoint') end
redis.call('HSET', KEYS[2], 'value', ARGV[3])
redis.call('ZADD', KEYS[3], 1, 'a', 2, 'b')
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 1000, '*', 'change', ARGV[3])
redis.call('SET', KEYS[1], ARGV[2])
return cjson.encode({ batch = ARGV[2] })`;

async function runsProjectionsAndQueues(store: RedisStore): Promise<void> {
  const keys = ['{0}:checkpoint', '{0}:document', '{0}:index', '{0}:feed'];
  expect(await store.client.eval(guardedBatch, 4, ...keys, '', '1', 'first')).toBe('{"batch":"1"}');
  await expect(store.client.eval(guardedBatch, 4, ...keys, '', '1', 'again')).rejects.toThrow('MOVED_ON');
  const replies = await store.client
    .pipeline()
    .hgetall('{0}:document')
    .zrevrange('{0}:index', 0, -1)
    .xlen('{0}:feed')
    .exec();
  expect(replies).toEqual([
    [null, { value: 'first' }],
    [null, ['b', 'a']],
    [null, 1],
  ]);
  const reader = store.connect({ maxRetriesPerRequest: null });
  const [first] = await store.client.xrange('{0}:feed', '-', '+');
  const waiting = reader.xread('BLOCK', 10_000, 'STREAMS', '{0}:feed', first?.[0] ?? '');
  await store.client.eval(guardedBatch, 4, ...keys, '1', '2', 'second');
  expect(JSON.stringify(await waiting)).toContain('second');

  const queue = new Queue('probe', { connection: { ...store.endpoint } });
  const done: unknown[] = [];
  const worker = new Worker('probe', async (job) => void done.push(job.data), {
    connection: { ...store.endpoint, maxRetriesPerRequest: null },
  });
  try {
    await queue.add('now', { n: 1 }, { jobId: 'one' });
    await queue.add('now', { n: 1 }, { jobId: 'one' });
    await queue.add('later', { n: 2 }, { delay: 50 });
    await eventually(() => done.length === 2);
    expect(done).toEqual([{ n: 1 }, { n: 2 }]);
  } finally {
    await worker.close();
    await queue.close();
  }
}

withServer('a private redis-server', () => {
  it('runs projections and queues', async () => {
    const store = await open();
    expect([store.kind, store.durable, store.adopted]).toEqual(['redis-server', true, false]);
    await runsProjectionsAndQueues(store);
  });

  it('listens on loopback behind a password that only its owner can read', async () => {
    const store = await open();
    expect(store.endpoint.host).toBe('127.0.0.1');
    const settings = await store.client.config('GET', 'bind');
    expect(settings).toEqual(['bind', '127.0.0.1']);
    expect(statSync(join(directory, 'redis.conf')).mode & 0o777).toBe(0o600);
    expect(readFileSync(`/proc/${store.pid()}/cmdline`, 'utf8')).not.toContain(store.endpoint.password ?? '?');
    await expect(openRedis({ url: `redis://127.0.0.1:${store.endpoint.port}`, directory })).rejects.toThrow(/NOAUTH/);
  });

  it('is open to other processes by its address, and closing a guest leaves it running', async () => {
    const store = await open();
    const guest = await openRedis({ url: store.url, directory });
    expect([guest.kind, guest.durable]).toEqual(['external', true]);
    await guest.client.set('from', 'guest');
    await guest.close();
    expect(await store.client.get('from')).toBe('guest');
  });

  it('keeps its data over a clean stop, and leaves no process behind', async () => {
    const first = await openRedis({ url: undefined, directory });
    await first.client.set('kept', 'yes');
    const server = identityOf(first.pid() ?? 0);
    await first.close();
    expect(isSameProcess(server)).toBe(false);
    const second = await open();
    expect(second.adopted).toBe(false);
    expect(await second.client.get('kept')).toBe('yes');
  });

  it('is started again when it is killed, and clients find it where it was', async () => {
    const store = await open();
    await store.client.set('kept', 'yes');
    const before = store.pid() ?? 0;
    await eventually(async () => (await store.client.info('persistence')).includes('aof_pending_bio_fsync:0'));
    process.kill(before, 'SIGKILL');
    await eventually(() => store.pid() !== before);
    expect(await eventually(() => store.client.get('kept'))).toBe('yes');
  });

  it('refuses a second owner and names the first', async () => {
    await open();
    const second = openRedis({ url: undefined, directory });
    await expect(second).rejects.toThrow(DirectoryHeld);
    await expect(second).rejects.toThrow(`held by process ${process.pid}`);
  });

  it('is adopted, still warm, after the service was killed', async () => {
    const service = forkModule(import.meta.url, 'open-redis.main', {
      args: [directory, '30'],
      environment: { PATH: path },
    });
    const { redisPid } = await firstMessage<{ redisPid: number }>(service, 30_000);
    const server = identityOf(redisPid);
    const ended = new Promise((resolve) => service.child.once('exit', resolve));
    service.child.kill('SIGKILL');
    await ended;
    expect(isSameProcess(server)).toBe(true);

    const store = await open();
    expect(store.adopted).toBe(true);
    expect(store.pid()).toBe(redisPid);
    expect(await store.client.get('written-by')).toBe(String(service.child.pid));
    process.kill(redisPid, 'SIGKILL');
    await eventually(() => store.pid() !== redisPid);
    expect(await eventually(() => store.client.get('written-by'))).toBe(String(service.child.pid));
  });

  it('is replaced when it holds the directory but no longer answers', async () => {
    const service = forkModule(import.meta.url, 'open-redis.main', {
      args: [directory, '30'],
      environment: { PATH: path },
    });
    const { redisPid } = await firstMessage<{ redisPid: number }>(service, 30_000);
    const server = identityOf(redisPid);
    process.kill(redisPid, 'SIGSTOP');
    const ended = new Promise((resolve) => service.child.once('exit', resolve));
    service.child.kill('SIGKILL');
    await ended;
    const store = await open();
    expect(store.adopted).toBe(false);
    expect(isSameProcess(server)).toBe(false);
    expect(await store.client.get('written-by')).toBe(String(service.child.pid));
  });

  it('does not take a stranger for its own who has moved in on its old port', async () => {
    const first = await openRedis({ url: undefined, directory });
    const { port } = first.endpoint;
    await first.client.set('kept', 'yes');
    await first.close();
    const home = mkdtempSync(join(tmpdir(), 'homing-stranger-'));
    const stranger = spawn('redis-server', [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      home,
      '--save',
      '',
    ]);
    try {
      await eventually(async () => {
        const guest = await openRedis({ url: `redis://127.0.0.1:${port}`, directory, readyMsMax: 200 });
        await guest.close();
        return true;
      });
      const store = await open();
      expect(store.adopted).toBe(false);
      expect(store.endpoint.port).not.toBe(port);
      expect(await store.client.get('kept')).toBe('yes');
    } finally {
      stranger.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('ends by itself when nobody comes back', async () => {
    const service = forkModule(import.meta.url, 'open-redis.main', {
      args: [directory, '1'],
      environment: { PATH: path },
    });
    const { redisPid } = await firstMessage<{ redisPid: number }>(service, 30_000);
    const server = identityOf(redisPid);
    service.child.kill('SIGKILL');
    expect(await untilEnded(server, 20_000)).toBe(true);
  });

  it('says why when it cannot come up', async () => {
    await expect(open({ directory: '/dev/null/redis' })).rejects.toThrow(/ENOTDIR/);
  });
});

describe('without a redis-server', () => {
  it('a JavaScript Redis stands in, says that it is slow and in memory, and runs projections and queues', async () => {
    const said: string[] = [];
    const store = await open({
      binary: 'no-such-redis-server',
      report: (level, message) => void said.push(`${level}: ${message}`),
    });
    expect([store.kind, store.durable, store.adopted]).toEqual(['javascript', false, false]);
    expect(said).toEqual([expect.stringMatching(/^warn: there is no no-such-redis-server on PATH.*in memory/)]);
    await runsProjectionsAndQueues(store);
  });

  it('it comes back empty on the same address when it dies', async () => {
    const store = await open({ binary: 'no-such-redis-server' });
    await store.client.set('kept', 'no');
    const before = store.pid() ?? 0;
    process.kill(before, 'SIGKILL');
    await eventually(() => store.pid() !== before);
    expect(await eventually(async () => [await store.client.get('kept')])).toEqual([null]);
  });
});

describe('a named Redis', () => {
  it('that cannot be reached is an error that says so', async () => {
    await expect(openRedis({ url: 'redis://127.0.0.1:1', directory, readyMsMax: 500 })).rejects.toThrow(
      /cannot be reached.*ECONNREFUSED/,
    );
  });
});
