// Ids that are derived, so that doing a thing twice names the same thing: no randomness, no clock.
import { createHash, createHmac } from 'node:crypto';

/** A UUID (version 8, RFC 9562: custom) from the first 128 bits of a digest. */
function uuidFrom(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The same parts always give the same UUID; the parts are length-prefixed, so ('ab','c') differs from ('a','bc'). */
export function deriveId(...parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return uuidFrom(hash.digest());
}

/** HMAC-SHA-256 as base64url; for hashes that nobody without the key may compute (request hashes, visitor keys, brand-scoped ids). */
export function keyedHash(key: string | Buffer, ...parts: readonly string[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest('base64url');
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** A keyed hash as 22 letters and digits (131 bits): for public codes that mean nothing and cannot be guessed. */
export function keyedCode(key: string | Buffer, ...parts: readonly string[]): string {
  let number = BigInt(`0x${Buffer.from(keyedHash(key, ...parts), 'base64url').toString('hex')}`);
  let code = '';
  while (code.length < 22) {
    code += base62[Number(number % 62n)];
    number /= 62n;
  }
  return code;
}

/** The unordered pair as one id: the friendship stream and the direct conversation are named by it. */
export function pairId(a: string, b: string): string {
  return a < b ? `${a}_${b}` : `${b}_${a}`;
}

/** A direct conversation is one per pair of members, for ever. */
export function directConversationId(a: string, b: string): string {
  return deriveId('direct-conversation', pairId(a, b));
}

/** A brand conversation is one per (member, brand), for ever. */
export function brandConversationId(memberId: string, brandId: string): string {
  return deriveId('brand-conversation', memberId, brandId);
}

/** What each character may be at each of the 36 places of a UUID: 1 a hex digit in lower case, 2 a dash. */
const uuidPlaces = Array.from('xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx', (place) => (place === '-' ? 2 : 1));
const uuidCharacters = new Uint8Array(128);
for (const digit of '0123456789abcdef') uuidCharacters[digit.charCodeAt(0)] = 1;
uuidCharacters['-'.charCodeAt(0)] = 2;

/** In lower case. Asked of every event that is written, so by the letter: a third of what a pattern costs. */
export function isUuid(text: string): boolean {
  if (text.length !== 36) return false;
  for (let at = 0; at < 36; at += 1) {
    if (uuidCharacters[text.charCodeAt(at)] !== uuidPlaces[at]) return false;
  }
  return true;
}
