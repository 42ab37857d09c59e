import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RecentIds } from '../../../src/event-log/embedded/append/recent-ids.js';

describe('recent ids', () => {
  it('remember the newest position for a tag, at least as many as promised', () => {
    const entries = fc.array(fc.record({ tag: fc.nat({ max: 40 }), owner: fc.nat({ max: 3 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 20 }), (added, idsMax) => {
        const recent = new RecentIds(idsMax);
        for (const [i, { tag }] of added.entries()) recent.add(tag, i + 1);
        for (const { tag, owner } of added) {
          const found = recent.find(tag, (position) => added[position - 1]?.owner === owner);
          const newest = added.findLastIndex((entry) => entry.tag === tag && entry.owner === owner) + 1;
          if (newest > added.length - idsMax) expect(found).toBe(newest);
          else expect([undefined, newest]).toContain(found);
        }
      }),
    );
  });

  it('find nothing that was not added', () => {
    const recent = new RecentIds(4);
    expect(recent.find(0, () => true)).toBeUndefined();
    for (let tag = 0; tag < 100; tag++) recent.add(tag, tag + 1);
    expect(recent.find(3, () => true)).toBeUndefined();
    expect(recent.find(99, () => true)).toBe(100);
    expect(recent.find(99, () => false)).toBeUndefined();
  });
});
