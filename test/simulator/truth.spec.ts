// The oracle: figures that must hang together whatever the seed, the planted brands, and the gap between what happened
// and what could be known.
import { describe, expect, it } from '@jest/globals';
import type { BrandFigures } from '../../src/simulator/oracle/brands.js';
import { peopleMin } from '../../src/simulator/oracle/brands.js';
import { makeTruth } from '../../src/simulator/oracle/truth.js';
import { type Profile, profiles } from '../../src/simulator/profile.js';
import { makeWorld } from '../../src/simulator/world.js';

const truthOf = (name: string, seed: number) => makeTruth(makeWorld(profiles[name] as Profile, seed));

describe.each([1, 2])('tiny, seed %i', (seed) => {
  const truth = truthOf('tiny', seed);
  const { sharing, activeMembers, brands } = truth.observable;
  const large = brands[truth.brands.large] as BrandFigures;
  const small = brands[truth.brands.small] as BrandFigures;

  it('has numerators within their denominators', () => {
    const ratios = [sharing.leakageRate, sharing.clickBackRate.all, sharing.clickBackRate.mature, sharing.talkBackRate];
    for (const { before } of Object.values(brands).map((brand) => ({ before: brand.beforeSuppression }))) {
      ratios.push(before.view, before.cart, before.purchase);
    }
    for (const { numerator, denominator } of ratios) {
      expect(numerator).toBeGreaterThanOrEqual(0);
      expect(numerator).toBeLessThanOrEqual(denominator);
    }
  });

  it('adds up', () => {
    const total = sharing.inApp + sharing.offPlatform;
    expect(sharing.leakageRate).toEqual({ numerator: sharing.offPlatform, denominator: total });
    for (const column of Object.values(sharing.channelMix)) {
      expect(Object.values(column).reduce((sum, count) => sum + count, 0)).toBe(total);
    }
    expect(sharing.clickBackRate.mature.denominator).toBeLessThan(sharing.clickBackRate.all.denominator);
    expect(Math.max(...activeMembers.perDay)).toBeLessThanOrEqual(activeMembers.month);
  });

  it('has a large brand with at least 120 buyers after a friend’s card, and a small one that stays hidden', () => {
    expect(large.beforeSuppression.purchase.numerator).toBeGreaterThanOrEqual(120);
    expect(large.dmPurchaseRate).toEqual(large.beforeSuppression.purchase);
    expect(small.beforeSuppression.view.denominator).toBeGreaterThan(0);
    expect(small.beforeSuppression.view.denominator).toBeLessThan(peopleMin);
    expect(small.dmProductViewRate).toEqual({ suppressed: true });
    expect(small.revenuePerConversation.friend).toEqual({ suppressed: true });
  });

  it('knows less than what happened', () => {
    expect(truth.happened['talkBacks']).toBeGreaterThan(sharing.talkBackRate.numerator);
    expect(truth.happened['shares.offPlatform']).toBeGreaterThanOrEqual(sharing.offPlatform);
    expect(truth.happened['channel.whatsapp']).toBeGreaterThan(sharing.channelMix.declared['whatsapp'] as number);
    expect(sharing.channelMix.reclassified['unknown']).toBeLessThan(sharing.channelMix.declared['unknown'] as number);
  });

  it('looks at shares with and without the parents that had to be inferred, and at some that had', () => {
    const { shares } = truth.observable;
    for (const { depth, children, explicit } of shares) {
      expect(explicit.depth).toBeLessThanOrEqual(depth);
      expect(explicit.children).toBeLessThanOrEqual(children);
    }
    expect(shares.filter(({ depth, explicit }) => explicit.depth < depth).length).toBeGreaterThan(10);
    expect(shares.filter(({ children, explicit }) => explicit.children < children).length).toBeGreaterThan(5);
    expect(shares.some(({ explicit }) => explicit.children > 0 && explicit.depth === 0)).toBe(true);
  });

  it('tells nothing of a sensitive product', () => {
    const calyx = brands['brand-calyx'] as BrandFigures;
    expect(calyx.beforeSuppression.view).toEqual({ numerator: 0, denominator: 0 });
  });
});

describe('nano', () => {
  it('is small and still has a large brand that passes the threshold', () => {
    const truth = truthOf('nano', 1);
    expect(truth.observable.brands[truth.brands.large]?.dmPurchaseRate).not.toEqual({ suppressed: true });
    expect(truth.observable.brands[truth.brands.small]?.dmPurchaseRate).toEqual({ suppressed: true });
  });
});
