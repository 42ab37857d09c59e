// Requests over kept-alive connections, sent again after what passes by itself (503, 429, a broken connection), with
// back-off and within a bound. Everything that is sent here is safe to repeat.
import { Agent, type IncomingHttpHeaders, request } from 'node:http';

/** Time as the sender sees it; it comes from outside because this zone has none of its own. */
export interface Timing {
  now(): number;
  sleep(ms: number): Promise<void>;
}
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown;
}
/** The service stayed away for too long. */
export class ServiceAwayError extends Error {}

export interface HttpClientOptions {
  /** `http://host:port` */
  readonly origin: string;
  readonly connectionsMax: number;
  readonly timing: Timing;
  /** How long one request is tried again before ServiceAwayError. */
  readonly retryMsMax?: number;
  /** True: give up at once (the service is known to be gone). */
  readonly isOver?: () => boolean;
}

const answerMsMax = 60_000;
const backOffMsMin = 50;
const backOffMsMax = 2_000;

export class HttpClient {
  readonly #agent: Agent;
  readonly #options: HttpClientOptions;
  readonly #host: string;
  readonly #port: string;
  #closed = false;
  /** Requests that had to be sent again, for the report. */
  repeats = 0;

  constructor(options: HttpClientOptions) {
    this.#options = options;
    const { hostname, port } = new URL(options.origin);
    this.#host = hostname;
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connectionsMax });
  }

  /**
   * Answers with whatever status the service gives, except those that pass by themselves.
   * @throws ServiceAwayError when it does not pass in time
   */
  async send(what: Request): Promise<Answer> {
    const { timing, retryMsMax = 60_000, isOver = () => false } = this.#options;
    const startedAt = timing.now();
    for (let attempt = 0; ; attempt += 1) {
      const { answer, failure = `status ${answer?.status}` } = await this.#once(what).then(
        (received) => ({ answer: received, failure: undefined }),
        (error: unknown) => ({ answer: undefined, failure: (error as Error).message }),
      );
      if (answer && answer.status !== 503 && answer.status !== 429) return answer;
      const waitMs = Math.max(answer ? retryAfterMs(answer) : 0, backOff(attempt));
      if (this.#closed || isOver() || timing.now() - startedAt + waitMs > retryMsMax) {
        throw new ServiceAwayError(`${what.method} ${what.path}: ${failure} after ${attempt + 1} attempts`);
      }
      this.repeats += 1;
      await timing.sleep(waitMs);
    }
  }

  /** Ends what is under way; nothing is tried again. */
  close(): void {
    this.#closed = true;
    this.#agent.destroy();
  }

  #once({ method, path, headers, body }: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { host: this.#host, port: this.#port, method, path, agent: this.#agent };
      const sent = request({ ...options, headers: { ...headers, ...length } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parse(text, response.headers) });
        });
      });
      sent.setTimeout(answerMsMax, () => sent.destroy(new Error(`no answer in ${answerMsMax} ms`)));
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

function parse(text: string, headers: IncomingHttpHeaders): unknown {
  return /json/.test(headers['content-type'] ?? '') && text !== '' ? (JSON.parse(text) as unknown) : text;
}
function backOff(attempt: number): number {
  return Math.min(backOffMsMax, backOffMsMin * 2 ** Math.min(attempt, 10));
}
function retryAfterMs({ headers }: Answer): number {
  const seconds = Number(headers['retry-after'] ?? 0);
  return Number.isFinite(seconds) ? Math.min(seconds * 1_000, 10_000) : 0;
}
