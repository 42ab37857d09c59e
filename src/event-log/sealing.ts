// AES-256-GCM as one printable text, and the keys derived from the master key, one per purpose.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';

const ivBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;

/** What the text is bound to: it opens only with the same parts in the same order. */
function bind(parts: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(parts), 'utf8');
}

/** `base64url(iv | tag | ciphertext)`. */
export function seal(key: Buffer, plain: Buffer, boundTo: readonly string[]): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  cipher.setAAD(bind(boundTo));
  const body = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

/** Undefined when the text was not sealed with this key and these parts, or was changed since. */
export function open(key: Buffer, sealed: string, boundTo: readonly string[]): Buffer | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.byteLength < ivBytes + tagBytes) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes));
  decipher.setAAD(bind(boundTo));
  decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** HKDF-SHA-256: so that what one purpose leaks tells nothing about another's key. */
export function deriveKey(master: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `homing/${purpose}`, keyBytes));
}

/** Names a master key without telling anything of it: 8 hex digits of a hash of a derived key. */
export function masterKeyId(master: Buffer): string {
  return createHash('sha256').update(deriveKey(master, 'key-id')).digest('hex').slice(0, 8);
}
