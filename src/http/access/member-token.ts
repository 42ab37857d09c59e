// A short-lived token with which a member's own device may speak for that member and nobody else (JWT, HMAC-SHA-256).
import { errors, jwtVerify, SignJWT } from 'jose';
import { Problem } from '../problem/problem.js';

const issuer = 'homing';
const audience = 'homing-member';
/** Longest life of a token. */
export const memberTokenSecMax = 3_600;

export interface MemberToken {
  /** The API key that asked for it: revoking that key ends its tokens. */
  readonly keyId: string;
  readonly memberId: string;
}

export class MemberTokens {
  /** @param secret 32 bytes, derived from the master key. @param now milliseconds since 1970, of the system's clock */
  constructor(
    private readonly secret: Buffer,
    private readonly now: () => number,
  ) {}

  async issue({ keyId, memberId }: MemberToken, lifeSec: number): Promise<{ token: string; expiresAt: string }> {
    const issuedSec = Math.floor(this.now() / 1_000);
    const expiresSec = issuedSec + Math.min(lifeSec, memberTokenSecMax);
    const token = await new SignJWT({ key: keyId })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(memberId)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(issuedSec)
      .setExpirationTime(expiresSec)
      .sign(this.secret);
    return { token, expiresAt: new Date(expiresSec * 1_000).toISOString() };
  }

  /** @throws Problem `expired-token` or `wrong-key` */
  async verify(token: string): Promise<MemberToken> {
    try {
      const currentDate = new Date(this.now());
      const { payload } = await jwtVerify(token, this.secret, {
        issuer,
        audience,
        algorithms: ['HS256'],
        currentDate,
        requiredClaims: ['sub', 'exp', 'key'],
      });
      return { keyId: String(payload['key']), memberId: String(payload.sub) };
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Problem('expired-token', 'the member token has expired');
      throw new Problem('wrong-key', 'the key is not known');
    }
  }
}
