// A service on engines of its own in a temporary directory, and a client that speaks to it as an app would.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../src/config.js';
import { isBookkeeping } from '../../src/projector/clickhouse/chunk/chunk-stream.js';
import { type Service, startService } from '../../src/service/service.js';
import { eventually } from '../stores/eventually.js';

/** Known beforehand, so that a restarted service is spoken to with the same keys. */
export const keys = {
  app: 'hk_app_app-secret-app-secret-app-secret',
  analyst: 'hk_analyst_analyst-secret-analyst-secret',
  import: 'hk_import_import-secret-import-secret',
  admin: 'hk_admin_admin-secret-admin-secret',
  brand: 'hk_brand_brand-secret-brand-secret',
};
const givenKeys = [
  { name: 'app', scopes: ['app'] as const, token: keys.app },
  { name: 'analyst', scopes: ['analyst'] as const, token: keys.analyst },
  { name: 'import', scopes: ['import'] as const, token: keys.import },
  { name: 'admin', scopes: ['admin'] as const, token: keys.admin },
  { name: 'brand', scopes: ['brand:shoes'] as const, token: keys.brand },
];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly key?: string | undefined;
  readonly member?: string;
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
}

/** A request that stays without an answer is told by its name, before the test's own time is up. */
const answerMsMax = 45_000;

export async function send(url: string, method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const key = 'key' in sent ? sent.key : keys.app;
  const payload = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body));
  const response = await fetch(`${url}${path}`, {
    method,
    redirect: 'manual',
    signal: AbortSignal.timeout(answerMsMax),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(sent.member === undefined ? {} : { 'homing-member': sent.member }),
      ...(sent.idempotencyKey === undefined ? {} : { 'idempotency-key': sent.idempotencyKey }),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    },
    ...(payload === undefined ? {} : { body: payload }),
  }).catch((error: unknown) => {
    throw new Error(`${method} ${path}: no answer`, { cause: error });
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : { text } };
}

export class RunningService {
  private constructor(
    readonly directory: string,
    private readonly environment: Readonly<Record<string, string>>,
    private service: Service,
  ) {}

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<RunningService> {
    const directory = mkdtempSync(join(tmpdir(), 'homing-e2e-'));
    return new RunningService(directory, environment, await RunningService.open(directory, environment));
  }

  private static open(directory: string, environment: Readonly<Record<string, string>>): Promise<Service> {
    const config = readConfig({
      HOMING_DATA_DIR: directory,
      PORT: '0',
      HOMING_LOG_LEVEL: 'fatal',
      HOMING_RATE_ADDRESS_PER_MINUTE_MAX: '100000',
      ...environment,
    });
    return startService(config, { keys: givenKeys });
  }

  get url(): string {
    return this.service.url;
  }
  get parts(): Service {
    return this.service;
  }

  send(method: string, path: string, sent?: Sent): Promise<Answer> {
    return send(this.url, method, path, sent);
  }

  /** As an operator would: stopped cleanly and started on the same data. */
  async restart(environment: Readonly<Record<string, string>> = this.environment): Promise<void> {
    await this.service.close();
    this.service = await RunningService.open(this.directory, environment);
  }

  async stop(): Promise<void> {
    await this.service.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** How many events of the domain the log holds; the projector's plans come whenever it has caught up. */
  async countEvents(): Promise<number> {
    let count = 0;
    for await (const page of this.service.engines.log.readAll()) {
      count += page.filter(({ stream }) => !isBookkeeping(stream)).length;
    }
    return count;
  }

  /** Asks for figures as a client should: again while the service says that it is not ready, or not there yet. */
  async settled(path: string, key: string): Promise<Answer> {
    const answer = await eventually(async () => {
      const one = await this.send('GET', path, { key });
      return one.status === 503 || one.body['stale'] === true ? undefined : one;
    }, answerMsMax);
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer;
  }

  async register(...memberIds: string[]): Promise<void> {
    for (const memberId of memberIds) {
      const registration = { memberId, handle: memberId, displayName: memberId, ageBand: '18_plus', country: 'AT' };
      const { status, body } = await this.send('POST', '/v1/members', { body: registration });
      if (status !== 201) throw new Error(`${memberId}: ${JSON.stringify(body)}`);
    }
  }

  async befriend(a: string, b: string): Promise<void> {
    const asked = await this.counted('/v1/friend-requests', { member: a, body: { toMemberId: b } });
    if (asked.status >= 300) throw new Error(JSON.stringify(asked.body));
    const { status, body } = await this.counted(`/v1/friend-requests/${a}/accept`, { member: b });
    if (status !== 200) throw new Error(JSON.stringify(body));
  }

  /** Friends are counted by a read model; a service that has only just started may not have it yet. */
  private counted(path: string, sent: Sent): Promise<Answer> {
    return eventually(async () => {
      const answer = await this.send('POST', path, sent);
      return answer.body['code'] === 'friend-limits-unknown' ? undefined : answer;
    }, answerMsMax);
  }

  /** Friends with a conversation; gives back its id. */
  async talkBetween(a: string, b: string): Promise<string> {
    await this.register(a, b);
    await this.befriend(a, b);
    const body = { kind: 'direct', memberId: b, origin: 'profile' };
    return String((await this.send('POST', '/v1/conversations', { member: a, body })).body['conversationId']);
  }
}
