// A sorted set in memory, ordered as Redis orders it: by score, then by the bytes of the member.
import type { Scored } from '../../kernel/projection.js';

function isBefore(a: Scored, b: Scored): boolean {
  return a.score < b.score || (a.score === b.score && a.member < b.member);
}

export class SortedMembers {
  private readonly scores = new Map<string, number>();
  private readonly sorted: Scored[] = [];

  constructor(members: Iterable<Scored> = []) {
    for (const { member, score } of members) this.add(member, score);
  }

  get size(): number {
    return this.sorted.length;
  }

  /** Ascending. The array is the set's own: it must not be kept over a change. */
  range(): readonly Scored[] {
    return this.sorted;
  }

  add(member: string, score: number): void {
    if (this.scores.get(member) === score) return;
    this.remove(member);
    const entry = { member, score };
    this.sorted.splice(this.placeOf(entry), 0, entry);
    this.scores.set(member, score);
  }

  remove(member: string): void {
    const score = this.scores.get(member);
    if (score === undefined) return;
    this.sorted.splice(this.placeOf({ member, score }), 1);
    this.scores.delete(member);
  }

  /** Keeps the `max` highest. */
  trim(max: number): void {
    const surplus = this.sorted.length - max;
    if (surplus <= 0) return;
    for (const { member } of this.sorted.splice(0, surplus)) this.scores.delete(member);
  }

  private placeOf(entry: Scored): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.sorted[middle] as Scored, entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
