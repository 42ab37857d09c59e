// Where the events stand that this process wrote lately, by stream and id, so that a writer without an expected revision
// may repeat itself. It gives candidates only: whoever asks looks at what stands there. Flat tables of numbers, because
// this is filled for every event ever written and must cost next to nothing. Empty after a restart, as EventStoreDB's.

/** Events remembered: between this many and twice as many (24 bytes each). */
export const recentIdsMax = 65_536;

class Table {
  private readonly tags: Uint32Array;
  /** 0: free. No event stands at position 0. */
  private readonly positions: Float64Array;
  private readonly mask: number;
  private count = 0;

  constructor(private readonly entriesMax: number) {
    const slots = 2 ** Math.ceil(Math.log2(entriesMax * 2));
    this.tags = new Uint32Array(slots);
    this.positions = new Float64Array(slots);
    this.mask = slots - 1;
  }

  get isFull(): boolean {
    return this.count >= this.entriesMax;
  }

  add(tag: number, position: number): void {
    let slot = tag & this.mask;
    while (this.positions[slot] !== 0) slot = (slot + 1) & this.mask;
    this.tags[slot] = tag;
    this.positions[slot] = position;
    this.count += 1;
  }

  /** Entries of one tag stand in the order they came: the last one is the newest. */
  find(tag: number, isIt: (position: number) => boolean): number | undefined {
    let newest: number | undefined;
    for (let slot = tag & this.mask; this.positions[slot] !== 0; slot = (slot + 1) & this.mask) {
      const position = this.positions[slot] as number;
      if (this.tags[slot] === tag && isIt(position)) newest = position;
    }
    return newest;
  }
}

export class RecentIds {
  private younger: Table;
  private older: Table;

  constructor(private readonly idsMax = recentIdsMax) {
    this.younger = new Table(idsMax);
    this.older = new Table(idsMax);
  }

  add(tag: number, position: number): void {
    if (this.younger.isFull) {
      this.older = this.younger;
      this.younger = new Table(this.idsMax);
    }
    this.younger.add(tag, position);
  }

  /** The newest position with this tag for which `isIt` holds. */
  find(tag: number, isIt: (position: number) => boolean): number | undefined {
    return this.younger.find(tag, isIt) ?? this.older.find(tag, isIt);
  }
}

/** The tag of an event: 32 bits of its stream's name and its id (16 bytes at `at`). */
export function recentTag(streamHash: number, bytes: Buffer, at: number): number {
  const low = Math.imul(bytes.readUInt32LE(at) ^ streamHash, 0x9e3779b1);
  const high = Math.imul(bytes.readUInt32LE(at + 8) ^ (low >>> 15), 0x85ebca6b);
  return (low ^ high ^ (high >>> 13)) >>> 0;
}

export function streamNameHash(stream: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  return hash;
}
