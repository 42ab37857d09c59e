// Bodies: JSON and nothing else, no deeper than it has to be. An empty one is no body, whatever its content type says.
import type { FastifyInstance } from 'fastify';
import { Problem } from '../problem/problem.js';

/** Nested objects and arrays in a body. */
export const depthMax = 16;

const contentTypes = [
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/merge-patch+json',
];

function checkShape(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > depthMax) throw new Problem('too-deep', `the body nests deeper than ${depthMax}`);
  if (Array.isArray(value)) {
    for (const item of value) checkShape(item, depth + 1);
    return;
  }
  for (const [name, part] of Object.entries(value)) {
    if (name === '__proto__') throw new Problem('unknown-field', 'there is no such field: __proto__');
    checkShape(part, depth + 1);
  }
}

/** @throws Problem `malformed-json`, `too-deep` or `unknown-field` */
export function parseBody(text: string): unknown {
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem('malformed-json', positionOf(text, error as SyntaxError));
  }
  checkShape(value, 1);
  return value;
}

/** Where it broke as far as the parser tells, without what stood there: a body may hold somebody's message. */
function positionOf(text: string, { message }: SyntaxError): string {
  if (message.includes('end of JSON input')) return `the body is not JSON: it ends after ${text.length} characters`;
  const at = /position (\d+)/.exec(message)?.[1];
  return at === undefined ? 'the body is not JSON' : `the body is not JSON: it breaks at character ${at}`;
}

export function acceptJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(contentTypes, { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseBody(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
}
