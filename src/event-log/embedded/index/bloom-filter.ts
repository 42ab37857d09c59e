// Says for most streams that are not in a run that they are not, without reading it: about 1 % of its answers are a vain
// "perhaps".
import type { StreamKey } from './stream-key.js';

const bitsPerStream = 10;
const probes = 6;

export function bloomBytes(streams: number): number {
  return Math.max(8, Math.ceil((streams * bitsPerStream) / 8));
}

export class BloomFilter {
  constructor(readonly bytes: Buffer) {}

  add(key: StreamKey): void {
    const bits = this.bytes.length * 8;
    let probe = key.high;
    for (let i = 0; i < probes; i++) {
      const bit = probe % bits;
      this.bytes[bit >>> 3] = (this.bytes[bit >>> 3] as number) | (1 << (bit & 7));
      probe = (probe + (key.low | 1)) >>> 0;
    }
  }

  mayHave(key: StreamKey): boolean {
    const bits = this.bytes.length * 8;
    let probe = key.high;
    for (let i = 0; i < probes; i++) {
      const bit = probe % bits;
      if (((this.bytes[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
      probe = (probe + (key.low | 1)) >>> 0;
    }
    return true;
  }
}
