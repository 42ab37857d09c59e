// How a stream is named in the index: by a 64-bit hash that gives the order, and by its name, so that two streams with
// one hash are still two.
import { createHash } from 'node:crypto';

/** Longer names are represented by their SHA-256, so that an index entry always fits into a page. */
const nameBytesMax = 200;

export interface StreamKey extends StreamHash {
  /** 1 to 255 bytes. */
  readonly name: Buffer;
}

export interface StreamHash {
  /** Unsigned 32-bit halves. */
  readonly high: number;
  readonly low: number;
}

export function streamHash(stream: string): StreamHash {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let i = 0; i < stream.length; i++) {
    const unit = stream.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x9e3779b1);
    low = Math.imul(low ^ unit, 0x5f356495);
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  return { high: high >>> 0, low: low >>> 0 };
}

export function streamKey(stream: string): StreamKey {
  let name = Buffer.from(stream, 'utf8');
  if (name.length > nameBytesMax) {
    const digest = createHash('sha256').update(name).digest();
    name = Buffer.concat([Buffer.from([0xff]), digest]); // 0xff begins no UTF-8 text
  }
  const { high, low } = streamHash(stream);
  return { high, low, name };
}

/** Order of index entries: hash, then first revision, then name. */
export function compareEntries(a: StreamKey, aRevision: number, b: StreamKey, bRevision: number): number {
  return a.high - b.high || a.low - b.low || aRevision - bRevision || a.name.compare(b.name);
}

export function sameStream(a: StreamKey, b: StreamKey): boolean {
  return a.low === b.low && a.high === b.high && a.name.equals(b.name);
}
