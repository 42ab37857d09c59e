// Sends an agenda to a service: many requests at once, in order where they touch the same things. The service's clock
// follows the lowest time still under way (Homing-Now); each request says when it happened itself (Homing-Occurred-At).
import { toMs } from '../../kernel/clock.js';
import type { DeliveredObservation, Json, SimulatedCommand } from '../script.js';
import { type AgendaItem, lastUses } from './agenda.js';
import type { Answer, HttpClient, Request, Timing } from './http-client.js';
import { Lanes } from './lanes.js';
import type { Progress } from './progress.js';

/** The service said no to something it should have taken. */
export class RefusedError extends Error {}

export interface SenderOptions {
  readonly client: HttpClient;
  /** A key with scope `import`. */
  readonly importKey: string;
  readonly timing: Timing;
  readonly requestsMax?: number;
  readonly onProgress?: (sent: number, total: number) => void;
  /** Called when the low mark moves, at most every `saveEveryMs`. */
  readonly save?: (progress: Progress) => Promise<void>;
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
const saveEveryMs = 250;

export class Sender {
  readonly #options: SenderOptions;
  readonly #agenda: readonly AgendaItem[];
  readonly #uses: ReadonlyMap<string, number>;
  readonly #lanes = new Lanes<AgendaItem>();
  readonly #finished: Uint8Array;
  readonly #results: Map<string, string>;
  #low: number;
  #next: number;
  #active = 0;
  #failure: unknown;
  #wake: () => void = () => {};
  #savedAt = 0;
  #saving: Promise<void> = Promise.resolve();
  #position: string | undefined;
  readonly #counts = { commands: 0, accepted: 0, duplicates: 0 };

  constructor(agenda: readonly AgendaItem[], from: Progress, options: SenderOptions) {
    this.#options = options;
    this.#agenda = agenda;
    this.#uses = lastUses(agenda);
    this.#finished = new Uint8Array(agenda.length);
    this.#results = new Map(Object.entries(from.results));
    this.#low = from.low;
    this.#next = from.low;
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
    await this.#save(true);
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
      const request = item.command ? this.#commandRequest(item, item.command) : this.#batchRequest(item);
      const answer = await this.#options.client.send(request);
      if (item.command) this.#takeAnswer(item.command, answer);
      else this.#takeVerdicts(item, answer);
      this.#done(item);
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#active -= 1;
      this.#wake();
    }
  }

  #done(item: AgendaItem): void {
    this.#lanes.finish(item);
    this.#finished[item.place] = 1;
    const before = this.#low;
    while (this.#finished[this.#low] === 1) this.#low += 1;
    if (this.#low === before) return;
    this.#options.onProgress?.(this.#low, this.#agenda.length);
    void this.#save(false);
  }

  #save(last: boolean): Promise<void> {
    const { save, timing } = this.#options;
    const now = timing.now();
    if (!save || (!last && now - this.#savedAt < saveEveryMs)) return this.#saving;
    this.#savedAt = now;
    const results = Object.fromEntries(
      [...this.#results].filter(([name]) => (this.#uses.get(name) ?? -1) >= this.#low),
    );
    const progress = { low: this.#low, results };
    this.#saving = this.#saving.then(() => save(progress));
    this.#saving.catch((error: unknown) => {
      this.#failure ??= error;
      this.#wake();
    });
    return this.#saving;
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
    return text.replaceAll(/\{\{([^}]+)\}\}/g, (_, name: string) => {
      const value = this.#results.get(name);
      if (value === undefined)
        throw new RefusedError(`nothing is known of ${name}, which an earlier request should have told`);
      return value;
    });
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
