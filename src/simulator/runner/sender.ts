// Sends an agenda to a service: many requests at once, in order where they touch the same things. The service's clock
// follows the lowest time still under way (Homing-Now); each request says when it happened itself (Homing-Occurred-At).
import { toMs } from '../../kernel/clock.js';
import type { DeliveredObservation, Json, SimulatedCommand } from '../script.js';
import { placeholders } from '../sequence.js';
import { type AgendaItem, resultKeepers } from './agenda.js';
import type { Answer, HttpClient, Request, Timing } from './http-client.js';
import { Lanes } from './lanes.js';

/** The service said no to something it should have taken. */
export class RefusedError extends Error {}

export interface SenderOptions {
  readonly client: HttpClient;
  /** A key with scope `import`. */
  readonly importKey: string;
  readonly timing: Timing;
  readonly requestsMax?: number;
  readonly onProgress?: (sent: number, total: number) => void;
  readonly isStopped?: () => boolean;
}
export interface Sent {
  /** False: stopped before the end; what was sent is kept. */
  readonly complete: boolean;
  readonly commands: number;
  readonly observations: { accepted: number; duplicates: number };
  /** The newest position any answer carried. */
  readonly position: string | undefined;
}

const requestsMaxDefault = 48;
/** Taken in but not finished: at most so many, and so much simulated time apart (the API allows 24 h). */
const windowItemsMax = 1_500;
const windowSpanMs = 6 * 3_600_000;

export class Sender {
  readonly #options: SenderOptions;
  readonly #agenda: readonly AgendaItem[];
  readonly #keepers: ReadonlyMap<string, AgendaItem>;
  readonly #lanes = new Lanes<AgendaItem>();
  readonly #finished: Uint8Array;
  readonly #results = new Map<string, string>();
  /** Items that are sent again only because their answer is needed. */
  readonly #asking = new Map<AgendaItem, Promise<void>>();
  #low: number;
  #next: number;
  #active = 0;
  #failure: unknown;
  #wake: () => void = () => {};
  #position: string | undefined;
  readonly #counts = { commands: 0, accepted: 0, duplicates: 0 };

  /** @param from place in the agenda; everything before it has been carried out in an earlier run */
  constructor(agenda: readonly AgendaItem[], from: number, options: SenderOptions) {
    this.#options = options;
    this.#agenda = agenda;
    this.#keepers = resultKeepers(agenda);
    this.#finished = new Uint8Array(agenda.length);
    this.#low = from;
    this.#next = from;
  }

  /** @throws RefusedError, ServiceAwayError */
  async run(): Promise<Sent> {
    const { isStopped = () => false, requestsMax = requestsMaxDefault } = this.#options;
    while (this.#failure === undefined && this.#low < this.#agenda.length && !isStopped()) {
      this.#fill();
      while (this.#active < requestsMax) {
        const item = this.#lanes.take();
        if (!item) break;
        void this.#send(item);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    while (this.#active > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure;
    const { commands, ...observations } = this.#counts;
    return { complete: this.#low === this.#agenda.length, commands, observations, position: this.#position };
  }

  #fill(): void {
    const oldest = this.#agenda[this.#low];
    if (!oldest) return;
    const latest = toMs(oldest.at) + windowSpanMs;
    while (this.#next < this.#agenda.length && this.#lanes.size < windowItemsMax) {
      const item = this.#agenda[this.#next] as AgendaItem;
      if (toMs(item.at) > latest) return;
      this.#lanes.add(item);
      this.#next += 1;
    }
  }

  async #send(item: AgendaItem): Promise<void> {
    this.#active += 1;
    try {
      await this.#carryOut(item);
      this.#done(item);
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#active -= 1;
      this.#wake();
    }
  }

  async #carryOut(item: AgendaItem): Promise<void> {
    const { client } = this.#options;
    if (!item.command) {
      this.#takeVerdicts(item, await client.send(this.#batchRequest(item)));
      return;
    }
    for (const name of placeholders(item.command)) if (!this.#results.has(name)) await this.#askAgain(name);
    this.#takeAnswer(item.command, await client.send(this.#commandRequest(item, item.command)));
  }

  /** A result of an earlier run: the item that told it is sent again and tells the same. */
  async #askAgain(name: string): Promise<void> {
    const keeper = this.#keepers.get(name);
    if (!keeper) throw new RefusedError(`no request of this world tells ${name}`);
    const asking = this.#asking.get(keeper) ?? this.#carryOut(keeper);
    this.#asking.set(keeper, asking);
    await asking;
    this.#asking.delete(keeper);
  }

  #done(item: AgendaItem): void {
    this.#lanes.finish(item);
    this.#finished[item.place] = 1;
    const before = this.#low;
    while (this.#finished[this.#low] === 1) this.#low += 1;
    if (this.#low === before) return;
    this.#options.onProgress?.(this.#low, this.#agenda.length);
  }

  #headers({ at, key }: AgendaItem): Record<string, string> {
    const lowest = this.#agenda[this.#low] as AgendaItem;
    return {
      authorization: `Bearer ${this.#options.importKey}`,
      'idempotency-key': key,
      'homing-now': lowest.at,
      'homing-occurred-at': at,
    };
  }

  #commandRequest(item: AgendaItem, { method, path, body, member, agent, headers }: SimulatedCommand): Request {
    return {
      method,
      path: this.#fillIn(path),
      headers: {
        ...this.#headers(item),
        ...(member ? { 'homing-member': member } : {}),
        ...(agent ? { 'homing-agent': agent } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: this.#fillIn(JSON.stringify(body)) } : {}),
    };
  }

  #batchRequest(item: AgendaItem): Request {
    return {
      method: 'POST',
      path: '/v1/events',
      headers: { ...this.#headers(item), 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify((item.batch?.items ?? []).map(cloudEvent)),
    };
  }

  /** Puts results of earlier requests where `{{name}}` stands. They are ids and codes: nothing to escape. */
  #fillIn(text: string): string {
    if (!text.includes('{{')) return text;
    return text.replaceAll(/\{\{([^}]+)\}\}/g, (_, name: string) => this.#results.get(name) ?? '');
  }

  #takeAnswer(command: SimulatedCommand, { status, headers, body }: Answer): void {
    const landed = command.method === 'GET' ? status < 400 : status < 300;
    if (!landed)
      throw new RefusedError(`command ${command.n} (${command.method} ${command.path}): ${describe(status, body)}`);
    this.#counts.commands += 1;
    const position = headers['homing-position'];
    if (typeof position === 'string') this.#position = position;
    for (const [name, field] of Object.entries(command.keep ?? {})) {
      const [key = '', index] = field.split('/');
      const found = (body as Record<string, Json>)[key];
      const value = index === undefined || !Array.isArray(found) ? found : (found as string[])[Number(index)];
      if (typeof value !== 'string') throw new RefusedError(`command ${command.n}: the answer has no ${field}`);
      this.#results.set(name, value);
    }
  }

  #takeVerdicts({ key }: AgendaItem, { status, headers, body }: Answer): void {
    if (status >= 300) throw new RefusedError(`batch ${key}: ${describe(status, body)}`);
    const verdict = body as { accepted: number; duplicates: number; rejected: number; items: { code?: string }[] };
    if (verdict.rejected > 0) {
      const code = verdict.items.find((item) => item.code)?.code ?? 'no code';
      throw new RefusedError(`batch ${key}: ${verdict.rejected} observations rejected (${code})`);
    }
    this.#counts.accepted += verdict.accepted;
    this.#counts.duplicates += verdict.duplicates;
    const position = headers['homing-position'];
    if (typeof position === 'string') this.#position = position;
  }
}

function cloudEvent({ id, source, type, time, data }: DeliveredObservation): object {
  return { specversion: '1.0', id, source, type, time, datacontenttype: 'application/json', data };
}

function describe(status: number, body: unknown): string {
  // A problem document (RFC 9457) says it best itself.
  return `status ${status}, ${JSON.stringify(body).slice(0, 500)}`;
}
