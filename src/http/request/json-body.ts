// Bodies: JSON in UTF-8 and nothing else, no deeper than it has to be. An empty one is no body, whatever its content type
// says. What could not be kept as it came (half a surrogate pair, bytes that are not UTF-8) is refused, not mended.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from '../problem/problem.js';

/** Nested objects and arrays in a body. */
export const depthMax = 16;

const contentTypes = [
  'application/json',
  'application/cloudevents+json',
  'application/cloudevents-batch+json',
  'application/merge-patch+json',
];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is a list whose items are judged one by one (`judgeShape`): a bad one must not sink the others. */
    itemsAlone?: boolean;
  }
}

const halfPair = /\p{Surrogate}/u;

function checkText(text: string): void {
  if (halfPair.test(text)) throw new Problem('invalid-body', 'a text has half of a surrogate pair');
  if (text.includes('\0')) throw new Problem('invalid-body', 'a text has the character U+0000');
}

/** @throws Problem `too-deep`, `unknown-field` or `invalid-body` */
export function checkShape(value: unknown, depth = 1): void {
  if (typeof value === 'string') checkText(value);
  if (typeof value !== 'object' || value === null) return;
  if (depth > depthMax) throw new Problem('too-deep', `the body nests deeper than ${depthMax}`);
  if (Array.isArray(value)) {
    for (const item of value) checkShape(item, depth + 1);
    return;
  }
  for (const [name, part] of Object.entries(value)) {
    if (name === '__proto__') throw new Problem('unknown-field', 'there is no such field: __proto__');
    checkText(name);
    checkShape(part, depth + 1);
  }
}

/** What `checkShape` finds wrong with one item of a list. */
export function judgeShape(item: unknown): Problem | undefined {
  try {
    checkShape(item, 2);
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

/** Strips a byte order mark (RFC 8259, 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decode(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Problem('malformed-json', 'the body is not UTF-8');
  }
}

/** @throws Problem `malformed-json`, and what `checkShape` throws */
export function parseBody(bytes: Buffer, { itemsAlone = false } = {}): unknown {
  const text = decode(bytes);
  if (text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Problem('malformed-json', positionOf(text, error as SyntaxError));
  }
  if (!(itemsAlone && Array.isArray(value))) checkShape(value);
  return value;
}

/** Where it broke as far as the parser tells, without what stood there: a body may hold somebody's message. */
function positionOf(text: string, { message }: SyntaxError): string {
  if (message.includes('end of JSON input')) return `the body is not JSON: it ends after ${text.length} characters`;
  const at = /position (\d+)/.exec(message)?.[1];
  return at === undefined ? 'the body is not JSON' : `the body is not JSON: it breaks at character ${at}`;
}

function bodyOf({ headers, routeOptions }: FastifyRequest, bytes: Buffer): unknown {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('unsupported-media-type', 'a body is taken without Content-Encoding only');
  }
  return parseBody(bytes, routeOptions.config);
}

export function acceptJson(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(contentTypes, { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      done(null, bodyOf(request, bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}
