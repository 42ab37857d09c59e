// Keys, scopes and tokens: what opens what.
import { describe, expect, it } from '@jest/globals';
import { hashSecret, isScope, makeToken, parseToken, type Scope, sameHash } from '../../src/http/access/api-key.js';
import { MemberTokens, memberTokenSecMax } from '../../src/http/access/member-token.js';
import { allows, type RouteScope } from '../../src/http/access/scopes.js';

describe('an API key', () => {
  it('is made of an id and a secret, and known by a hash', () => {
    const token = makeToken();
    const { id, secret } = parseToken(token) ?? { id: '', secret: '' };
    expect(token).toBe(`hk_${id}_${secret}`);
    expect(sameHash(hashSecret(secret), hashSecret(secret))).toBe(true);
    expect(sameHash(hashSecret(secret), hashSecret(`${secret}x`))).toBe(false);
    expect(sameHash(hashSecret(secret), '')).toBe(false);
    expect(makeToken()).not.toBe(token);
  });

  it('is not anything else', () => {
    for (const text of ['', 'hk_', 'hk_a_short', 'xx_a_0123456789012345678901', `hk_a_${'x'.repeat(200)}`]) {
      expect(parseToken(text)).toBeUndefined();
    }
  });

  it('has scopes of known names', () => {
    expect(['app', 'analyst', 'import', 'admin', 'brand:shoes'].every(isScope)).toBe(true);
    expect(['', 'root', 'brand:', 'brand:a b', 'App'].some(isScope)).toBe(false);
  });
});

describe('a scope', () => {
  const cases: [held: Scope, wanted: RouteScope, brandId: string | undefined, opens: boolean][] = [
    ['app', 'app', undefined, true],
    ['app', 'admin', undefined, false],
    ['app', 'brand', 'shoes', false],
    ['import', 'app', undefined, true],
    ['import', 'brand', 'shoes', true],
    ['import', 'admin', undefined, false],
    ['import', 'analyst', undefined, false],
    ['admin', 'app', undefined, false],
    ['brand:shoes', 'brand', 'shoes', true],
    ['brand:shoes', 'brand', 'hats', false],
    ['brand:shoes', 'brand', undefined, false],
    ['brand:shoes', 'any-brand', undefined, true],
    ['app', 'any-brand', undefined, false],
  ];
  it.each(cases)('%s for %s of %s: %s', (held, wanted, brandId, opens) => {
    expect(allows([held], [wanted], brandId)).toBe(opens);
  });
});

describe("a member's token", () => {
  let nowMs = 1_800_000_000_000;
  const tokens = new MemberTokens(Buffer.alloc(32, 1), () => nowMs);
  const anna = { keyId: 'k1', memberId: 'anna' };

  it('says who it is, until it ends', async () => {
    const { token, expiresAt } = await tokens.issue(anna, 60);
    expect(await tokens.verify(token)).toEqual(anna);
    expect(Date.parse(expiresAt)).toBe(nowMs + 60_000);
    nowMs += 61_000;
    await expect(tokens.verify(token)).rejects.toMatchObject({ code: 'expired-token' });
  });

  it('lives no longer than it may', async () => {
    const { expiresAt } = await tokens.issue(anna, 10 * memberTokenSecMax);
    expect(Date.parse(expiresAt)).toBeLessThanOrEqual(nowMs + memberTokenSecMax * 1_000);
  });

  it('cannot be made by others, changed, or signed with nothing', async () => {
    const { token } = await tokens.issue(anna, 60);
    const others = new MemberTokens(Buffer.alloc(32, 2), () => nowMs);
    await expect(others.verify(token)).rejects.toMatchObject({ code: 'wrong-key' });
    const [head, , signature] = token.split('.');
    const bert = Buffer.from(JSON.stringify({ ...anna, sub: 'bert' })).toString('base64url');
    await expect(tokens.verify(`${head}.${bert}.${signature}`)).rejects.toMatchObject({ code: 'wrong-key' });
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    await expect(tokens.verify(`${none}.${token.split('.')[1]}.`)).rejects.toMatchObject({ code: 'wrong-key' });
    await expect(tokens.verify('nonsense')).rejects.toMatchObject({ code: 'wrong-key' });
  });
});
