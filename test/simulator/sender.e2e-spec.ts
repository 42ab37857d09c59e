// The sender against an HTTP server that behaves badly: busy, breaking connections, slow, refusing. Whatever it does,
// everything is carried out in the order of its lanes, the announced time never passes what is under way, and a second
// run needs nothing but the server's clock.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemTiming } from '../../src/cli/demo/system-timing.js';
import { makeAgenda, resumePlace } from '../../src/simulator/runner/agenda.js';
import { HttpClient, ServiceAwayError } from '../../src/simulator/runner/http-client.js';
import { RefusedError, Sender } from '../../src/simulator/runner/sender.js';
import type { DeliveredObservation, SimulatedCommand } from '../../src/simulator/script.js';

const start = Date.parse('2026-09-01T00:00:00.000Z');
const at = (n: number) => new Date(start + n * 60_000).toISOString();

/** `n` commands over three members, each member's in order; every tenth mints a link that the next one names. */
function commandsOf(count: number): SimulatedCommand[] {
  return Array.from({ length: count }, (_, n) => {
    const lane = `m${n % 3}`;
    const base = {
      n,
      at: at(n),
      caller: 'app' as const,
      member: lane,
      method: 'POST' as const,
      writes: [lane],
      reads: [],
    };
    if (n % 10 === 0) return { ...base, path: `/mint/${n}`, body: { n }, keep: { [`code:${n}`]: 'code' } };
    if (n % 10 === 1) return { ...base, path: `/use/{{code:${n - 1}}}`, body: { n }, reads: [`m${(n - 1) % 3}`] };
    return { ...base, path: `/do/${n}`, body: { n } };
  });
}
/** They go out as one batch. */
const observations: DeliveredObservation[] = [5, 25, 45].map((n) => ({
  deliveredAt: at(n),
  source: 'app',
  id: `o${n}`,
  type: 'SessionStarted',
  time: at(n),
  data: { sessionId: `s${n}` },
}));

interface Taken {
  readonly key: string;
  readonly path: string;
  readonly now: string;
  readonly occurredAt: string;
  readonly member: string;
}

type Mood = 'well' | 'busy' | 'break' | 'break-late' | 'refuse';

/** Carries out a request once per key and answers a repeated key alike; `mood` may spoil an answer. */
class BadServer {
  readonly carriedOut: Taken[] = [];
  readonly mistakes: string[] = [];
  server: Server | undefined;
  url = '';
  readonly #attempts = new Map<string, number>();

  constructor(private readonly mood: (attempt: number, taken: Taken) => Mood = () => 'well') {}

  async open(): Promise<this> {
    this.server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return this;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for await (const _ of request);
    const header = (name: string) => String(request.headers[name] ?? '');
    const taken = {
      key: header('idempotency-key'),
      path: request.url ?? '',
      now: header('homing-now'),
      occurredAt: header('homing-occurred-at'),
      member: header('homing-member'),
    };
    if (taken.now > taken.occurredAt) this.mistakes.push(`${taken.path} happened before what is announced as over`);
    const attempt = (this.#attempts.get(taken.key) ?? 0) + 1;
    this.#attempts.set(taken.key, attempt);
    const mood = this.mood(attempt, taken);
    if (mood === 'break') return void request.socket.destroy();
    await wait(this.carriedOut.length % 7);
    if (mood === 'busy') return void response.writeHead(503, { 'retry-after': '0' }).end();
    if (mood === 'refuse') {
      response.writeHead(409, { 'content-type': 'application/problem+json' });
      return void response.end(JSON.stringify({ code: 'not-today' }));
    }
    if (!this.carriedOut.some(({ key }) => key === taken.key)) this.carriedOut.push(taken);
    if (mood === 'break-late') return void request.socket.destroy();
    const verdicts = { accepted: 1, duplicates: 0, rejected: 0, items: [] };
    const body = taken.path === '/v1/events' ? verdicts : { code: taken.path.replace('/mint/', 'code-') };
    response.writeHead(200, { 'content-type': 'application/json', 'homing-position': `p${this.carriedOut.length}` });
    response.end(JSON.stringify(body));
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }
}

let server: BadServer;
let client: HttpClient;
const clients: HttpClient[] = [];
afterEach(async () => {
  for (const one of clients.splice(0)) one.close();
  await server.close();
});

async function send(count: number, from = 0, options: { retryMsMax?: number } = {}) {
  client = new HttpClient({ origin: server.url, connectionsMax: 16, timing: systemTiming, ...options });
  clients.push(client);
  const agenda = makeAgenda(commandsOf(count), observations, 'test');
  return new Sender(agenda, from, { client, importKey: 'hk_x', timing: systemTiming, requestsMax: 12 }).run();
}

function inLaneOrder({ carriedOut }: BadServer): boolean {
  return ['m0', 'm1', 'm2'].every((lane) => {
    const times = carriedOut.filter(({ member }) => member === lane).map(({ occurredAt }) => occurredAt);
    return times.every((time, index) => index === 0 || time > (times[index - 1] as string));
  });
}

describe('Sender', () => {
  it('carries everything out once and in order through busy answers and broken connections', async () => {
    const moods: readonly Mood[] = ['busy', 'break', 'break-late', 'well'];
    server = await new BadServer((attempt, { key }) => {
      const seed = Number.parseInt(key.replaceAll(/\D/g, ''), 10);
      return attempt < 3 ? (moods[(seed + attempt) % moods.length] ?? 'well') : 'well';
    }).open();
    const sent = await send(60);
    expect(sent).toMatchObject({ complete: true, commands: 60, observations: { accepted: 1, duplicates: 0 } });
    expect(server.carriedOut).toHaveLength(61);
    expect(server.mistakes).toEqual([]);
    expect(inLaneOrder(server)).toBe(true);
    expect(server.carriedOut.find(({ path }) => path === '/use/code-10')).toBeDefined();
    expect(client.repeats).toBeGreaterThan(10);
  });

  it('goes on from the clock of the service and asks again for what an earlier run was told', async () => {
    server = await new BadServer().open();
    await send(41);
    const before = server.carriedOut.length;
    const agenda = makeAgenda(commandsOf(60), observations, 'test');
    const from = resumePlace(agenda, at(41));
    expect(agenda[from]?.command?.n).toBe(41);
    const sent = await send(60, from);
    expect(sent.complete).toBe(true);
    expect(server.carriedOut).toHaveLength(61);
    expect(server.carriedOut.slice(before).map(({ path }) => path)).toContain('/use/code-40');
    // Only what is asked again is older than what is over.
    expect(server.mistakes).toEqual(['/mint/40 happened before what is announced as over']);
  });

  it('stops at a refusal and says which request it was', async () => {
    server = await new BadServer((_, { path }) => (path === '/do/7' ? 'refuse' : 'well')).open();
    await expect(send(60)).rejects.toThrow(RefusedError);
    await expect(send(60)).rejects.toThrow(/command 7 .*not-today/);
  });

  it('gives up when the service stays away', async () => {
    server = await new BadServer(() => 'busy').open();
    await expect(send(10, 0, { retryMsMax: 300 })).rejects.toThrow(ServiceAwayError);
  });
});
