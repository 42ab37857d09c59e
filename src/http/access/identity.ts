// Who is calling, found before anything else looks at the request: rate limits count by it, the guard judges it.
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem/problem.js';
import type { ApiKey, KeyDirectory } from './api-key.js';
import type { MemberTokens } from './member-token.js';

export interface Identity {
  readonly key: ApiKey;
  /** The only member this caller may act for: it holds that member's token, not a key. */
  readonly memberId?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined: no key was sent. A problem: one was, and it is not good; it matters only where a key is needed. */
    identity: Identity | Problem | undefined;
  }
}

const bearer = /^Bearer +(\S+)$/i;

/** Never throws: an open route answers whatever stands in the header. */
export async function identify(
  request: FastifyRequest,
  keys: KeyDirectory,
  tokens: MemberTokens,
): Promise<Identity | Problem | undefined> {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const token = bearer.exec(header)?.[1];
  if (token === undefined) return new Problem('wrong-key', 'send the key as "Authorization: Bearer <key>"');
  if (token.startsWith('hk_')) {
    const key = keys.find(token);
    return key ? { key } : new Problem('wrong-key', 'the key is not known');
  }
  try {
    const { keyId, memberId } = await tokens.verify(token);
    const key = keys.get(keyId);
    return key ? { key, memberId } : new Problem('wrong-key', 'the key is not known');
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

export function identityOf(request: FastifyRequest): Identity | undefined {
  return request.identity instanceof Problem ? undefined : request.identity;
}
