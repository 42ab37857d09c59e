// Tells whether two collections of (stream, revision, position) are the same, whatever the order they come in, with no
// memory to speak of: the sums of a hash of each.
import type { StreamHash } from '../index/stream-key.js';

export class Fingerprint {
  private count = 0;
  private first = 0;
  private second = 0;

  get events(): number {
    return this.count;
  }

  add({ high, low }: StreamHash, revision: number, position: number): void {
    let a = Math.imul(high ^ (revision % 2 ** 32), 0x9e3779b1) ^ low;
    a = Math.imul(a ^ (a >>> 15) ^ (position % 2 ** 32), 0x85ebca6b) ^ Math.floor(position / 2 ** 32);
    a = Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    const b = Math.imul(a ^ low ^ (a >>> 16), 0x27d4eb2f) ^ Math.imul(position ^ high, 0x165667b1);
    this.count += 1;
    this.first = (this.first + (a >>> 0)) % 2 ** 32;
    this.second = (this.second + (b >>> 0)) % 2 ** 32;
  }

  equals(other: Fingerprint): boolean {
    return this.count === other.count && this.first === other.first && this.second === other.second;
  }
}
