// Says for most streams that are not in a run that they are not, without reading it: about 1 % of its answers are a vain
// "perhaps". Its size is a power of two, so that it can be folded when fewer streams came than were expected.
import type { StreamKey } from './stream-key.js';

const bitsPerStream = 10;
const probes = 6;
const bytesMin = 8;

export class BloomFilter {
  constructor(readonly bytes: Buffer) {}

  static for(streams: number): BloomFilter {
    return new BloomFilter(Buffer.alloc(bytesFor(streams)));
  }

  add(key: StreamKey): void {
    const mask = this.bytes.length * 8 - 1;
    let probe = key.high;
    for (let i = 0; i < probes; i++) {
      const bit = probe & mask;
      this.bytes[bit >>> 3] = (this.bytes[bit >>> 3] as number) | (1 << (bit & 7));
      probe = (probe + (key.low | 1)) | 0;
    }
  }

  mayHave(key: StreamKey): boolean {
    const mask = this.bytes.length * 8 - 1;
    let probe = key.high;
    for (let i = 0; i < probes; i++) {
      const bit = probe & mask;
      if (((this.bytes[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
      probe = (probe + (key.low | 1)) | 0;
    }
    return true;
  }

  /** The same filter in the size that so many streams need. */
  foldedFor(streams: number): BloomFilter {
    let bytes = this.bytes;
    while (bytes.length > bytesFor(streams)) {
      const half = Buffer.from(bytes.subarray(0, bytes.length / 2));
      for (let i = 0; i < half.length; i++) half[i] = (half[i] as number) | (bytes[half.length + i] as number);
      bytes = half;
    }
    return new BloomFilter(bytes);
  }
}

function bytesFor(streams: number): number {
  return Math.max(bytesMin, 2 ** Math.ceil(Math.log2((streams * bitsPerStream) / 8)));
}
