// Whatever fails becomes one kind of answer, and says no more than it should.
import { describe, expect, it } from '@jest/globals';
import { NotFoundException } from '@nestjs/common';
import { z } from 'zod';
import { asProblem, Problem, render } from '../../src/http/problem/problem.js';
import { invalid, pointerOf } from '../../src/http/problem/validation.js';
import { Rejection } from '../../src/kernel/rejection.js';

const nothing = () => undefined;
function rendered(error: unknown) {
  const problem = asProblem(error, nothing);
  return problem && render(problem, 'r1');
}

describe('a problem', () => {
  it('carries code, status and the request it belongs to', () => {
    expect(rendered(new Problem('queue-full', 'wait', { retryAfterSec: 0.2 }))).toEqual({
      status: 503,
      headers: { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': '1' },
      body: {
        type: 'urn:homing:problem:queue-full',
        title: 'Service Unavailable',
        status: 503,
        code: 'queue-full',
        detail: 'wait',
        requestId: 'r1',
      },
    });
  });

  it('of the business carries the figures a client can act on', () => {
    const error = new Rejection('request-limit-reached', 'too many', { limit: 20, retryAfterSec: 3_600 });
    expect(rendered(error)).toMatchObject({ status: 429, headers: { 'retry-after': '3600' }, body: { limit: 20 } });
  });

  it('never lets a refusal overwrite what a problem is made of', () => {
    const error = new Rejection('no-open-request', 'none', { status: 1, code: 'x' });
    expect(rendered(error)).toMatchObject({ status: 409, body: { status: 409, code: 'no-open-request' } });
  });

  it("of no known kind is nobody's to tell", () => {
    expect(asProblem(new Error('secret detail'), nothing)).toBeUndefined();
    expect(asProblem(new Rejection('never-heard-of', 'x'), nothing)).toBeUndefined();
    expect(asProblem(undefined, nothing)).toBeUndefined();
  });

  it('comes from Fastify and Nest too', () => {
    expect(asProblem(Object.assign(new Error('large'), { code: 'FST_ERR_CTP_BODY_TOO_LARGE' }), nothing)?.code).toBe(
      'body-too-large',
    );
    expect(asProblem(new NotFoundException(), nothing)?.code).toBe('not-found');
    const aborted = Object.assign(new Error('aborted'), { code: 'ECONNRESET', statusCode: 400 });
    expect(asProblem(aborted, nothing)?.code).toBe('malformed-http');
    // A store that went away is no fault of the client's.
    expect(asProblem(Object.assign(new Error('read'), { code: 'ECONNRESET' }), nothing)).toBeUndefined();
  });

  it('asks for a key when there is none', () => {
    expect(rendered(new Problem('missing-key', 'send one'))?.headers).toHaveProperty('www-authenticate');
  });
});

describe('validation', () => {
  const schema = z.strictObject({ a: z.strictObject({ 'b/c~d': z.int() }) });
  const issuesOf = (value: unknown) => schema.safeParse(value).error?.issues ?? [];

  it('points at the place (RFC 6901)', () => {
    expect(pointerOf(['a', 0, 'b/c~d'])).toBe('/a/0/b~1c~0d');
    expect(invalid(issuesOf({ a: { 'b/c~d': 'x' } }))).toMatchObject({
      code: 'invalid-body',
      options: { errors: [{ pointer: '/a/b~1c~0d' }] },
    });
  });

  it('of several shapes tells what keeps a value from the nearest', () => {
    const shapes = z.union([
      z.strictObject({ to: z.literal('all') }),
      z.strictObject({ to: z.enum(['dm', 'group']), ids: z.array(z.string().or(z.int())).min(1) }),
    ]);
    const errorsOf = (value: unknown) =>
      invalid(shapes.safeParse(value).error?.issues ?? []).options.errors?.map(({ pointer }) => pointer);
    expect(errorsOf({ to: 'dm' })).toEqual(['/ids']);
    expect(errorsOf({ to: 'dm', ids: ['a', true] })).toEqual(['/ids/1']);
    expect(errorsOf({ to: 'all', ids: [] })).toEqual(['/ids']);
    expect(errorsOf({ to: 'moon' })).toEqual(['/to']);
    expect(invalid(shapes.safeParse({ to: 'all', x: 1 }).error?.issues ?? []).code).toBe('unknown-field');
  });

  it('tells unknown fields from wrong ones', () => {
    expect(invalid(issuesOf({ a: { 'b/c~d': 1, e: 2, f: 3 } }))).toMatchObject({
      code: 'unknown-field',
      options: { errors: [{ pointer: '/a/e' }, { pointer: '/a/f' }] },
    });
    expect(invalid(issuesOf({ a: { 'b/c~d': 'x', e: 2 } })).code).toBe('invalid-body');
    expect(invalid(issuesOf(7), 'query').code).toBe('invalid-query');
    expect(invalid(issuesOf(7), 'param').code).toBe('invalid-path');
  });
});
