// Asks the metrics API as any analyst would, and waits until it has seen everything that was sent.
import type { HttpClient, Timing } from './http-client.js';

/** A cell of an answer: figures, or the notice that too few people are in it. */
export interface Cell {
  readonly suppressed: boolean;
  readonly numerator?: number;
  readonly denominator?: number;
  readonly mature?: boolean;
  /** Dimensions and figures of their own (`inApp`, `declared`, `medianSec`, `kind`, `currency`, …). */
  readonly [field: string]: unknown;
}
export interface MetricAnswer {
  readonly completeUpTo: string;
  readonly rows: readonly Cell[];
  readonly total: Cell;
  readonly stale?: boolean;
}

/** The service answered a question of the metrics API with an error, or never caught up. */
export class MetricsError extends Error {}

export interface MetricsApiOptions {
  readonly client: HttpClient;
  /** A key with scopes `analyst` and `admin`. */
  readonly key: string;
  readonly timing: Timing;
  /** The newest position that this run was told: every answer must have passed it. */
  readonly position?: string | undefined;
  /** Every answer must be complete up to there: nothing in the log is left uncounted then. ISO */
  readonly completeUpTo: string;
}

const catchUpMsMax = 120_000;
const askAgainMs = 250;

export class MetricsApi {
  constructor(private readonly options: MetricsApiOptions) {}

  metric(name: string, query: Readonly<Record<string, string>>): Promise<MetricAnswer> {
    return this.#ask(`/v1/metrics/${name}`, query);
  }
  brandMetric(brandId: string, name: string, query: Readonly<Record<string, string>>): Promise<MetricAnswer> {
    return this.#ask(`/v1/brands/${brandId}/metrics/${name}`, query);
  }

  /** Asks again while the answer is stale or incomplete. */
  async #ask(path: string, query: Readonly<Record<string, string>>): Promise<MetricAnswer> {
    const { client, key, timing, position, completeUpTo } = this.options;
    const params = new URLSearchParams(query);
    if (position !== undefined) params.set('minPosition', position);
    const startedAt = timing.now();
    for (;;) {
      const headers = { authorization: `Bearer ${key}` };
      const { status, body } = await client.send({ method: 'GET', path: `${path}?${params.toString()}`, headers });
      if (status !== 200)
        throw new MetricsError(`GET ${path}: status ${status}, ${JSON.stringify(body).slice(0, 300)}`);
      const answer = body as MetricAnswer;
      if (answer.stale !== true && answer.completeUpTo >= completeUpTo) return answer;
      if (timing.now() - startedAt > catchUpMsMax) {
        throw new MetricsError(`GET ${path}: after ${catchUpMsMax} ms complete up to ${answer.completeUpTo} only`);
      }
      await timing.sleep(askAgainMs);
    }
  }
}
