// Problem details (RFC 9457): what a failed request answers, whatever failed.
import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { Rejection } from '../../kernel/rejection.js';
import { statusOf } from './status-table.js';

/** One thing wrong with the request, at a JSON pointer into it (RFC 6901). */
export interface ProblemPart {
  readonly pointer: string;
  readonly detail: string;
}

export interface ProblemOptions {
  /** Sent as Retry-After, whole seconds. */
  readonly retryAfterSec?: number;
  readonly errors?: readonly ProblemPart[];
  readonly extra?: Readonly<Record<string, string | number | boolean>>;
}

/** Thrown where a request fails for a reason that is not the business's. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }
}

/** Names what a fault of another part means to a client; undefined: an internal error. Given by the composition root. */
export type FaultTranslation = (error: unknown) => Problem | undefined;
export const FAULT_TRANSLATION = Symbol('FAULT_TRANSLATION');

/** Failures that Fastify finds before any code of ours runs. */
const fastifyCodes: Readonly<Record<string, string>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed-json',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-header',
  FST_ERR_BAD_URL: 'invalid-path',
};
const httpCodes: Readonly<Record<number, string>> = {
  400: 'invalid-body',
  404: 'not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  429: 'rate-limited',
  503: 'closing',
};

/** Any thrown thing as a problem; undefined: nobody foresaw it. */
export function asProblem(error: unknown, translate: FaultTranslation): Problem | undefined {
  if (error instanceof Problem) return error;
  if (error instanceof Rejection) {
    if (statusOf[error.code] === undefined) return undefined;
    const { retryAfterSec } = error.extra;
    const retry = typeof retryAfterSec === 'number' ? { retryAfterSec } : {};
    return new Problem(error.code, error.detail, { ...retry, extra: error.extra });
  }
  if (isHungUp(error)) return new Problem('malformed-http', 'the connection ended before the body did');
  const code = fastifyCodes[(error as { code?: string } | undefined)?.code ?? ''];
  if (code !== undefined) return new Problem(code, (error as Error).message);
  if (error instanceof HttpException) {
    const known = httpCodes[error.getStatus()];
    return known === undefined ? undefined : new Problem(known, error.message);
  }
  return translate(error);
}

/** The client went away while it was still sending. */
function isHungUp(error: unknown): boolean {
  const { code, statusCode } = (error ?? {}) as { readonly code?: string; readonly statusCode?: number };
  return code === 'ECONNRESET' && statusCode === 400;
}

export interface RenderedProblem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** `type` is a URN of the code: it names the problem and is no promise of a page. */
export function render({ code, detail, options }: Problem, requestId: string): RenderedProblem {
  const status = statusOf[code] ?? 500;
  const { retryAfterSec, errors, extra } = options;
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(retryAfterSec === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterSec))) }),
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="homing"' } : {}),
    },
    body: {
      ...extra,
      type: `urn:homing:problem:${code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      code,
      detail,
      requestId,
      ...(errors === undefined ? {} : { errors }),
    },
  };
}
