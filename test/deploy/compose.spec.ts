// docker-compose.yml cannot be run where this is built, so its structure is held to what can be known without running it.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { describeVariables } from '../../src/config/variables.js';
import { readConfig } from '../../src/config.js';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args: Record<string, string> };
  readonly environment?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string; readonly retries: number };
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const text = readFileSync('docker-compose.yml', 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const engines = ['eventstore', 'redis', 'clickhouse'];
const roles = ['api', 'projector', 'worker'];

/** As Compose fills a value in: `${NAME:?why}` must be given, `${NAME:-default}` may be. */
function filled(value: string): string {
  const given: Record<string, string> = {
    HOMING_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'),
    REDIS_PASSWORD: 'a1b2',
    CLICKHOUSE_PASSWORD: 'c3d4',
  };
  return value.replace(/\$\{(\w+)(?::([?-])([^}]*))?\}/g, (_, name: string, kind?: string, rest?: string) => {
    const found = given[name] ?? (kind === '-' ? rest : undefined);
    if (found === undefined) throw new Error(`${name} is not given`);
    return found;
  });
}

describe('docker-compose.yml', () => {
  it('has the three engines and the service in its three roles', () => {
    expect(Object.keys(compose.services)).toEqual([...engines, ...roles]);
  });

  it.each(services)('%s is pinned to a full version and has a health check', (name, service) => {
    expect(service.image).toMatch(/^[a-z/-]+:\d+\.\d+\.\d+[\w.-]*$/);
    expect(service.healthcheck?.test[0]).toMatch(/^CMD(-SHELL)?$/);
    expect(service.healthcheck?.retries).toBeGreaterThan(0);
    expect(service.stop_grace_period).toMatch(/^\d+s$/);
    if (engines.includes(name)) expect(service.build).toBeUndefined();
  });

  it.each(roles)('%s waits until every engine is healthy', (role) => {
    const waits = compose.services[role]?.depends_on ?? {};
    expect(Object.keys(waits)).toEqual(engines);
    expect(Object.values(waits).map(({ condition }) => condition)).toEqual(engines.map(() => 'service_healthy'));
  });

  it.each(roles)('%s has an environment that the configuration takes', (role) => {
    const environment = compose.services[role]?.environment ?? {};
    const known = new Set(describeVariables().map(({ name }) => name));
    for (const name of Object.keys(environment)) expect([name, known.has(name)]).toEqual([name, true]);
    const config = readConfig(
      Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filled(value)])),
    );
    expect(config.role).toBe(role);
    expect(config.http.host).toBe('0.0.0.0');
    expect(
      [config.eventLog.url, config.redis.url, config.clickhouse.url].map((url) => new URL(url ?? '').hostname),
    ).toEqual(engines);
  });

  it('hands every password to the engine that asks for it', () => {
    const { redis, clickhouse, api } = compose.services;
    expect(redis?.command?.at(-1)).toContain('REDIS_PASSWORD');
    expect(api?.environment?.['HOMING_REDIS']).toContain('REDIS_PASSWORD');
    expect(clickhouse?.environment?.['CLICKHOUSE_PASSWORD']).toContain('CLICKHOUSE_PASSWORD');
    expect(api?.environment?.['HOMING_CLICKHOUSE']).toContain('CLICKHOUSE_PASSWORD');
    // A password with a default is a password that everybody knows.
    expect(text).not.toMatch(/(PASSWORD|MASTER_KEY):-/);
  });

  it('keeps the engines on a network without a way out, and publishes only the API, on loopback', () => {
    expect(compose.networks['engines']?.internal).toBe(true);
    for (const engine of engines) expect(compose.services[engine]?.networks).toEqual(['engines']);
    const published = services.filter(([, service]) => service.ports !== undefined);
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([['api', ['127.0.0.1:3000:3000']]]);
  });

  it('evicts nothing and forgets nothing in Redis', () => {
    const command = (compose.services['redis']?.command ?? []).join(' ');
    expect(command).toContain('--appendonly yes');
    expect(command).toContain('--maxmemory-policy noeviction');
  });

  it('mounts files that exist and volumes that are declared', () => {
    for (const [, service] of services) {
      for (const volume of service.volumes ?? []) {
        const source = volume.split(':')[0] ?? '';
        expect([source, source.startsWith('./') ? existsSync(source) : source in compose.volumes]).toEqual([
          source,
          true,
        ]);
      }
    }
  });

  it('asks only for variables that the operations page explains', () => {
    const asked = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name));
    const page = readFileSync('docs/operations.md', 'utf8');
    for (const name of asked) expect(page).toContain(name);
  });
});

describe('the image', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8');

  it('is built on a pinned Node that is supported, and runs without rights', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:24\.\d+\.\d+-\w+-slim$/);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  });

  it('copies only what exists and what the ignore file lets through', () => {
    const allowed = new Set(
      readFileSync('.dockerignore', 'utf8')
        .split('\n')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1)),
    );
    for (const [, sources] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const source of (sources ?? '').split(' ')) {
        expect([source, existsSync(source), allowed.has(source)]).toEqual([source, true, true]);
      }
    }
  });

  it('sets only variables that there are', () => {
    const known = new Set(describeVariables().map(({ name }) => name));
    for (const [, name] of dockerfile.matchAll(/\b((?:HOMING_\w+|PORT))=/g)) expect(known.has(name ?? '')).toBe(true);
  });
});
