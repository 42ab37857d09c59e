// Who may see what: the one judgement of every read.
import { describe, expect, it } from '@jest/globals';
import { isVisible } from '../../src/queries/visibility.js';

const nowMs = Date.parse('2026-03-02T10:00:00.000Z');
const bob = { id: 'bob', nowMs };
const ann = { id: 'ann', nowMs };
const item = { authorId: 'ann', audience: 'friends' } as const;
const friend = { friendship: 'friends' } as const;

describe('a moment', () => {
  it('is for friends, or for everybody, never across a block', () => {
    expect(isVisible(bob, item, friend)).toBe(true);
    expect(isVisible(bob, item, undefined)).toBe(false);
    expect(isVisible(bob, { ...item, audience: 'public' }, undefined)).toBe(true);
    expect(isVisible(bob, { ...item, audience: 'public' }, { friendship: 'none', blockedBy: true })).toBe(false);
  });
  it('is kept from whom its author names, public or not', () => {
    const kept = { ...item, exceptMemberIds: ['bob'] };
    expect(isVisible(bob, kept, friend)).toBe(false);
    expect(isVisible(bob, { ...kept, audience: 'public' }, friend)).toBe(false);
    expect(isVisible({ id: 'cid', nowMs }, kept, friend)).toBe(true);
  });
  it('that has expired is its author’s alone, from that very moment', () => {
    const expiring = { ...item, expiresAt: '2026-03-02T10:00:00.000Z' };
    expect(isVisible(bob, expiring, friend)).toBe(false);
    expect(isVisible({ ...bob, nowMs: nowMs - 1 }, expiring, friend)).toBe(true);
    expect(isVisible(ann, expiring, undefined)).toBe(true);
  });
});
