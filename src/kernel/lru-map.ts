// A map that forgets what was used longest ago once its entries weigh more than it may hold.

export class LruMap<Key, Value> {
  private readonly entries = new Map<Key, { readonly value: Value; readonly weight: number }>();
  private weight = 0;

  /** @param weightMax sum of the entries' weights; an entry weighs 1 unless `set` says otherwise. */
  constructor(private readonly weightMax: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  set(key: Key, value: Value, weight = 1): void {
    this.delete(key);
    this.entries.set(key, { value, weight });
    this.weight += weight;
    for (const oldest of this.entries.keys()) {
      if (this.weight <= this.weightMax || oldest === key) break;
      this.delete(oldest);
    }
  }

  /** Its value; it is not here any more. */
  take(key: Key): Value | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.weight -= entry.weight;
    this.entries.delete(key);
    return entry.value;
  }

  delete(key: Key): void {
    this.take(key);
  }
}
