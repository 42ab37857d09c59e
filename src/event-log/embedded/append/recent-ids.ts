// The ids of the events this process wrote lately, so that a writer without an expected revision may repeat itself.
// Bounded: two generations, the older one is dropped when the younger is full. Empty after a restart, as EventStoreDB's.

/** Ids remembered: between this many and twice as many (about 100 bytes each). */
export const recentIdsMax = 65_536;

export interface RecentEvent {
  readonly revision: number;
  readonly position: number;
}

function keyOf(stream: string, id: string): string {
  return id + stream;
}

export class RecentIds {
  private younger = new Map<string, RecentEvent>();
  private older = new Map<string, RecentEvent>();

  constructor(private readonly idsMax = recentIdsMax) {}

  get(stream: string, id: string): RecentEvent | undefined {
    const key = keyOf(stream, id);
    return this.younger.get(key) ?? this.older.get(key);
  }

  add(stream: string, id: string, event: RecentEvent): void {
    if (this.younger.size >= this.idsMax) {
      this.older = this.younger;
      this.younger = new Map();
    }
    this.younger.set(keyOf(stream, id), { revision: event.revision, position: event.position });
  }

  delete(stream: string, id: string): void {
    const key = keyOf(stream, id);
    this.younger.delete(key);
    this.older.delete(key);
  }
}
