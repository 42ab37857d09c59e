// API keys: `hk_<id>_<secret>`. The secret is shown once, when the key is made; what is kept is its hash.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** `brand:<id>` speaks for one brand; `import` may say what time it is, and may do what app and brands may do. */
export type Scope = 'app' | 'analyst' | 'import' | 'admin' | `brand:${string}`;

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** The keys as they are now. */
export interface KeyDirectory {
  /** Undefined: no such key, revoked, or another secret. */
  find(token: string): ApiKey | undefined;
  /** By id alone: for what was signed on behalf of the key. */
  get(id: string): ApiKey | undefined;
}
export const KEY_DIRECTORY = Symbol('KEY_DIRECTORY');

const secretBytes = 24;
const tokenPattern = /^hk_([A-Za-z0-9-]{1,32})_([A-Za-z0-9_-]{22,128})$/;
const scopePattern = /^(app|analyst|import|admin|brand:[A-Za-z0-9][A-Za-z0-9.~-]{0,63})$/;

export function isScope(text: string): text is Scope {
  return scopePattern.test(text);
}

/** 192 random bits: a plain hash keeps such a secret, a slow one is for secrets that people choose. */
export function makeToken(): string {
  return `hk_${randomBytes(6).toString('hex')}_${randomBytes(secretBytes).toString('base64url')}`;
}

export function parseToken(token: string): { readonly id: string; readonly secret: string } | undefined {
  const match = tokenPattern.exec(token);
  return match?.[1] && match[2] ? { id: match[1], secret: match[2] } : undefined;
}

/** SHA-256, hex. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function sameHash(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a, 'hex'), Buffer.from(b, 'hex')];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
