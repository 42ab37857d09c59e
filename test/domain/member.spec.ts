// People, brands and their products: registered once, changed when something changes.
import { describe, expect, it } from '@jest/globals';
import type { BrandCommand } from '../../src/domain/brand/brand.commands.js';
import { brandDecider } from '../../src/domain/brand/brand.decider.js';
import type { MemberCommand } from '../../src/domain/member/member.commands.js';
import { consentSnapshot, memberDecider } from '../../src/domain/member/member.decider.js';
import { type MemberEvent, presetSettings } from '../../src/domain/member/member.events.js';
import type { ProductCommand } from '../../src/domain/product/product.commands.js';
import { productDecider } from '../../src/domain/product/product.decider.js';
import { given, Story, t0 } from '../given.js';

const member = given(memberDecider);
const facts = { memberId: 'ann', handle: 'ann', displayName: 'Ann', ageBand: '18_plus', country: 'DE' } as const;
const registers = (change: Partial<typeof facts> | object = {}): MemberCommand => ({
  type: 'RegisterMember',
  now: t0,
  data: { ...facts, ...change },
});
const registered: MemberEvent = { type: 'MemberRegistered', data: facts };
function consents(
  type: 'GrantConsent' | 'WithdrawConsent',
  policyVersion = '1',
  purpose = 'brand_measurement' as const,
) {
  return { type, now: t0, data: { memberId: 'ann', purpose, policyVersion } } as MemberCommand;
}

describe('a person', () => {
  it('registers once', () => {
    member().when(registers()).then(registered);
    member(registered).when(registers()).thenNothing();
    member(registered)
      .when(registers({ ageBand: '16_17' }))
      .thenRejects('member-exists');
  });
  it('begins with the settings of the age band', () => {
    const { state } = member()
      .when(registers({ ageBand: '13_15' }))
      .outcome();
    expect(state?.settings).toEqual(presetSettings['13_15']);
  });
  it('changes settings as a whole, if they change', () => {
    const changes = (settings: typeof presetSettings.unknown): MemberCommand => ({
      type: 'ChangePrivacySettings',
      now: t0,
      data: { memberId: 'ann', settings },
    });
    member(registered).when(changes(presetSettings['18_plus'])).thenNothing();
    const closed = { ...presetSettings['18_plus'], allowIncoming: 'none' as const };
    member(registered)
      .when(changes(closed))
      .then({ type: 'PrivacySettingsChanged', data: { memberId: 'ann', settings: closed } });
  });
  it('changes a name whatever it was, and a country if it is another', () => {
    const moves = (data: object): MemberCommand => ({
      type: 'ChangeProfile',
      now: t0,
      data: { memberId: 'ann', ...data },
    });
    member(registered)
      .when(moves({ country: 'DE' }))
      .thenNothing();
    member(registered)
      .when(moves({ country: 'FR' }))
      .thenTypes('MemberProfileChanged');
    member(registered)
      .when(moves({ displayName: 'Ann B.' }))
      .thenTypes('MemberProfileChanged');
    member()
      .when(moves({ country: 'FR' }))
      .thenRejects('member-not-available');
  });
});

describe('consent', () => {
  it('is given per purpose and policy, once', () => {
    member(registered)
      .when(consents('GrantConsent'))
      .then({ type: 'ConsentGranted', data: { memberId: 'ann', purpose: 'brand_measurement', policyVersion: '1' } });
    const told = new Story(memberDecider);
    for (const command of [registers(), consents('GrantConsent'), consents('GrantConsent')]) told.carryOut(command);
    expect(told.events.length).toBe(2);
    expect(told.carryOut(consents('GrantConsent', '2')).length).toBe(1);
  });
  it('of an unknown person is none at all', () =>
    expect(consentSnapshot(undefined, true)).toEqual({ product_analytics: false, brand_measurement: false }));
  it('to product analytics is on until withdrawn, to brand measurement off until granted', () => {
    const told = new Story(memberDecider);
    told.carryOut(registers());
    expect(consentSnapshot(told.state, true)).toEqual({ product_analytics: true, brand_measurement: false });
    told.carryOut(consents('GrantConsent'));
    expect(consentSnapshot(told.state, true).brand_measurement).toBe(true);
    told.carryOut(consents('WithdrawConsent'));
    told.carryOut(consents('WithdrawConsent', '1', 'product_analytics' as never));
    const nothing = { product_analytics: false, brand_measurement: false, partner_sharing: false };
    expect(consentSnapshot(told.state, true)).toEqual({ ...nothing, policyVersion: '1' });
    expect(told.carryOut(consents('WithdrawConsent'))).toEqual([]);
  });
  it('to product analytics is off until granted where the deployment has no other basis', () => {
    const told = new Story(memberDecider);
    const agreed = () => consentSnapshot(told.state, false).product_analytics;
    told.carryOut(registers());
    expect(agreed()).toBe(false);
    told.carryOut(consents('GrantConsent', '1', 'product_analytics' as never));
    expect(agreed()).toBe(true);
    told.carryOut(consents('WithdrawConsent', '1', 'product_analytics' as never));
    expect(agreed()).toBe(false);
  });
});

describe('a brand', () => {
  const brand = { brandId: 'acme', name: 'Acme', timeZone: 'Europe/Berlin' };
  const opens = (change = {}): BrandCommand => ({ type: 'RegisterBrand', now: t0, data: { ...brand, ...change } });
  it('registers once, in a time zone that exists', () => {
    given(brandDecider)().when(opens()).then({ type: 'BrandRegistered', data: brand });
    given(brandDecider)({ type: 'BrandRegistered', data: brand }).when(opens()).thenNothing();
    given(brandDecider)({ type: 'BrandRegistered', data: brand })
      .when(opens({ name: 'Other' }))
      .thenRejects('brand-exists');
    given(brandDecider)()
      .when(opens({ timeZone: 'Mars/Olympus' }))
      .thenRejects('unknown-time-zone');
  });
});

describe('a product', () => {
  const listed = {
    productRef: { productId: 'shoe', brandId: 'acme' },
    name: 'Shoe',
    price: { amountMinor: 4_999, currency: 'EUR' },
    available: true,
    sensitive: false,
  };
  const lists = (change = {}, brandRegistered = true): ProductCommand => ({
    type: 'ListProduct',
    now: t0,
    data: { ...listed, ...change, brandRegistered },
  });
  const changes = (change = {}): ProductCommand => ({ type: 'ChangeProduct', now: t0, data: { ...listed, ...change } });
  const product = given(productDecider);
  it('is listed once by a registered brand', () => {
    product().when(lists()).then({ type: 'ProductListed', data: listed });
    product({ type: 'ProductListed', data: listed }).when(lists()).thenNothing();
    product({ type: 'ProductListed', data: listed })
      .when(lists({ name: 'Boot' }))
      .thenRejects('product-exists');
    product().when(lists({}, false)).thenRejects('brand-not-found');
  });
  it('is changed as a whole by its brand', () => {
    product().when(changes()).thenRejects('product-not-found');
    product({ type: 'ProductListed', data: listed }).when(changes()).thenNothing();
    product({ type: 'ProductListed', data: listed })
      .when(changes({ available: false }))
      .then({ type: 'ProductChanged', data: { ...listed, available: false } });
    product({ type: 'ProductListed', data: listed })
      .when(changes({ productRef: { productId: 'shoe', brandId: 'other' } }))
      .thenRejects('product-not-found');
  });
});
