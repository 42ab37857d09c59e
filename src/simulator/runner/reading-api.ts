// Asks as an analyst or an app would, and waits until the answer has seen everything that was sent.
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

/** The service answered a question with an error, or never caught up. */
export class ReadingError extends Error {}

export interface ReadingApiOptions {
  readonly client: HttpClient;
  /** A key with scopes `analyst`, `admin` and `import` (which may do what an app may). */
  readonly key: string;
  readonly timing: Timing;
  /** The newest position that this run was told: every answer must have passed it. */
  readonly position?: string | undefined;
  /** Every answer must be complete up to there: nothing in the log is left uncounted then. ISO */
  readonly completeUpTo: string;
}

const catchUpMsMax = 120_000;
const askAgainMs = 250;

export class ReadingApi {
  constructor(private readonly options: ReadingApiOptions) {}

  metric(name: string, query: Readonly<Record<string, string>>): Promise<MetricAnswer> {
    return this.#askComplete(`/v1/metrics/${name}`, query);
  }
  brandMetric(brandId: string, name: string, query: Readonly<Record<string, string>>): Promise<MetricAnswer> {
    return this.#askComplete(`/v1/brands/${brandId}/metrics/${name}`, query);
  }

  /** What the app of a member asks; asked again until it is as far as it must come. */
  asMember<Answer extends { readonly stale?: boolean }>(
    memberId: string,
    path: string,
    query: Readonly<Record<string, string>> = {},
    isReady: (answer: Answer) => boolean = () => true,
  ): Promise<Answer> {
    return this.#ask<Answer>(path, query, { 'homing-member': memberId }, (answer) => !answer.stale && isReady(answer));
  }

  #askComplete(path: string, query: Readonly<Record<string, string>>): Promise<MetricAnswer> {
    const { completeUpTo } = this.options;
    return this.#ask<MetricAnswer>(path, query, {}, (answer) => !answer.stale && answer.completeUpTo >= completeUpTo);
  }

  /** Asks again until the answer has caught up. */
  async #ask<Answer>(
    path: string,
    query: Readonly<Record<string, string>>,
    who: Readonly<Record<string, string>>,
    isFresh: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const { client, key, timing, position } = this.options;
    const params = new URLSearchParams(query);
    if (position !== undefined) params.set('minPosition', position);
    const headers = { authorization: `Bearer ${key}`, ...who };
    const startedAt = timing.now();
    for (;;) {
      const { status, body } = await client.send({ method: 'GET', path: `${path}?${params.toString()}`, headers });
      if (status !== 200) {
        throw new ReadingError(`GET ${path}: status ${status}, ${JSON.stringify(body).slice(0, 300)}`);
      }
      if (isFresh(body as Answer)) return body as Answer;
      if (timing.now() - startedAt > catchUpMsMax) {
        throw new ReadingError(`GET ${path}: not caught up after ${catchUpMsMax} ms`);
      }
      await timing.sleep(askAgainMs);
    }
  }
}
