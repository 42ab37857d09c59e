// The configuration says everything that is wrong at once, repeats no secret, and makes a master key exactly once.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeVariables } from '../../src/config/variables.js';
import { ConfigError, readConfig } from '../../src/config.js';
import { intentExpiresAfterMs } from '../../src/domain/intent/intent.events.js';
import { usualDelays } from '../usual-settings.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'homing-config-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig({ HOMING_DATA_DIR: dir, ...environment });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

const key = Buffer.alloc(32, 7);

describe('defaults', () => {
  it('need nothing from the environment but a directory', () => {
    const config = readConfig({ HOMING_DATA_DIR: dir });
    expect(config.http.port).toBe(3000);
    expect(config.http.host).toBe('127.0.0.1');
    expect(config.role).toBe('all');
    expect(config.eventLog.url).toBeUndefined();
    expect(config.eventLog.directory).toBe(join(dir, 'log'));
    expect(config.projector.shards).toBe(1);
  });

  it('are frozen all the way down', () => {
    const config = readConfig({ HOMING_DATA_DIR: dir });
    expect(Object.isFrozen(config)).toBe(true);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  });

  it('take an empty text as absent, as compose files pass it', () => {
    expect(readConfig({ HOMING_DATA_DIR: dir, HOMING_REDIS: '', PORT: '' }).redis.url).toBeUndefined();
  });
});

describe('the delays of abandonment', () => {
  it('are a day after a look, an hour after a cart or a checkout, unless the deployment says otherwise', () => {
    expect(readConfig({ HOMING_DATA_DIR: dir }).abandonedAfterMs).toEqual(usualDelays);
    const minutes = { HOMING_ABANDONED_BROWSE_MINUTES: '10', HOMING_ABANDONED_CHECKOUT_MINUTES: '43199' };
    expect(readConfig({ HOMING_DATA_DIR: dir, ...minutes }).abandonedAfterMs).toEqual({
      browse: 600_000,
      cart: 3_600_000,
      checkout: intentExpiresAfterMs - 60_000,
    });
  });
  it('are told of all at once when they are none, or reach the end of the intent', () => {
    const problems = problemsOf({
      HOMING_ABANDONED_BROWSE_MINUTES: '0',
      HOMING_ABANDONED_CART_MINUTES: '1h',
      HOMING_ABANDONED_CHECKOUT_MINUTES: String(intentExpiresAfterMs / 60_000),
    });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'HOMING_ABANDONED_BROWSE_MINUTES',
      'HOMING_ABANDONED_CART_MINUTES',
      'HOMING_ABANDONED_CHECKOUT_MINUTES',
    ]);
  });
});

describe('HOMING_REDIS', () => {
  it.each([
    'redis://localhost',
    'rediss://:secret@redis.internal:6380/0',
    'redis-cluster://user:secret@a:7000,b:7001,[::1]:7002',
  ])('may be %s', (url) => {
    expect(readConfig({ HOMING_DATA_DIR: dir, HOMING_REDIS: url }).redis.url).toBe(url);
  });
  it.each(['redis-cluster://a:7000,b:port', 'cluster://a:7000'])('may not be %s', (url) => {
    expect(problemsOf({ HOMING_REDIS: url })).toHaveLength(1);
  });
});

describe('bad variables', () => {
  it('are all reported at once, each by its name', () => {
    const problems = problemsOf({
      PORT: '99999',
      HOMING_ROLE: 'boss',
      HOMING_REDIS: 'http://example.org',
      HOMING_TIME_ZONE: 'Mars/Olympus',
      HOMING_BATCH_ITEMS_MAX: '1e3',
      HOMING_CLICKHUSE: 'http://example.org',
      HOMING_EVENT_LOG: 'esdb://localhost:2113?tls=false',
    });
    expect(new Set(problems.map((problem) => problem.split(':')[0]))).toEqual(
      new Set([
        'HOMING_BATCH_ITEMS_MAX',
        'HOMING_CLICKHUSE',
        'HOMING_MASTER_KEY',
        'HOMING_REDIS',
        'HOMING_ROLE',
        'HOMING_TIME_ZONE',
        'PORT',
      ]),
    );
  });

  it('are never repeated with their value, which may be a secret', () => {
    const problems = problemsOf({ HOMING_MASTER_KEY: 'hunter2', HOMING_CLICKHOUSE: 'ftp://user:hunter2@example.org' });
    expect(problems).toHaveLength(2);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

describe('the master key', () => {
  it('is made once, kept with mode 0600 and found again', () => {
    const first = readConfig({ HOMING_DATA_DIR: dir });
    const second = readConfig({ HOMING_DATA_DIR: dir });
    expect(first.masterKeyMade).toBe(true);
    expect(second.masterKeyMade).toBe(false);
    expect(first.masterKey.byteLength).toBe(32);
    expect(second.masterKey.equals(first.masterKey)).toBe(true);
    expect(statSync(join(dir, 'master.key')).mode & 0o777).toBe(0o600);
  });

  it.each(['base64', 'base64url', 'hex'] as const)('may be given as %s', (encoding) => {
    expect(readConfig({ HOMING_DATA_DIR: dir, HOMING_MASTER_KEY: key.toString(encoding) }).masterKey.equals(key)).toBe(
      true,
    );
  });

  it('may be given as a file', () => {
    const path = join(dir, 'secret');
    writeFileSync(path, `${key.toString('base64')}\n`);
    expect(readConfig({ HOMING_DATA_DIR: dir, HOMING_MASTER_KEY_FILE: path }).masterKey.equals(key)).toBe(true);
    expect(problemsOf({ HOMING_MASTER_KEY_FILE: join(dir, 'nothing') })).toEqual([expect.stringContaining('ENOENT')]);
  });

  it('is not replaced when the directory already holds a log: its texts could never be read again', () => {
    mkdirSync(join(dir, 'log'));
    writeFileSync(join(dir, 'log', 'data.mdb'), 'x');
    expect(problemsOf({})).toEqual([expect.stringContaining('master.key is missing')]);
  });

  it('is refused when the kept file is damaged, and the file is left alone', () => {
    writeFileSync(join(dir, 'master.key'), 'short');
    expect(problemsOf({})).toHaveLength(1);
    expect(readFileSync(join(dir, 'master.key'), 'utf8')).toBe('short');
  });
});

describe('the documentation', () => {
  it('names every variable once with its meaning', () => {
    const described = describeVariables();
    expect(described.length).toBeGreaterThan(25);
    for (const variable of described) expect(variable.about).not.toBe('');
  });

  it('gives every limit a unit', () => {
    const limits = describeVariables().filter(({ name }) => /_MAX$|_MS$|_DEFAULT$|_SHARDS$/.test(name));
    for (const limit of limits) expect([limit.name, limit.unit]).not.toEqual([limit.name, '']);
  });

  it('describes nothing that does nothing: every value is read by somebody', () => {
    const readers = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.startsWith('config'))
      .map((path) => readFileSync(join('src', path), 'utf8'))
      .join('\n');
    const unread = leaves(readConfig({ HOMING_DATA_DIR: dir })).filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(readers),
    );
    expect(unread).toEqual([]);
  });
});

/** Names of the values of a configuration, whatever group they are in. */
function leaves(group: object): string[] {
  return Object.entries(group).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)
      ? leaves(value)
      : [name],
  );
}
