// A header of a request: absent, or of the form that it must have.
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem/problem.js';

/** @param name in lower case; an empty one is absent. @throws Problem `invalid-header` */
export function headerOf(request: FastifyRequest, name: string, pattern: RegExp): string | undefined {
  const value = request.headers[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || !pattern.test(value)) throw new Problem('invalid-header', `${name} is not valid`);
  return value;
}
