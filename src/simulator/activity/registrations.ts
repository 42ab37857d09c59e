// People register, choose their settings, agree to this and that, and some take it back; brands and products are listed.
import { dayMs, hourMs, minuteMs } from '../../kernel/clock.js';
import type { Random } from '../random.js';
import type { Product } from '../world/catalogue.js';
import { productRef } from '../world/catalogue.js';
import type { Person } from '../world/people.js';
import { deviceHeaders, type Setting } from '../world/setting.js';

const policyVersion = '2026-08';
/** Withdraw product analytics, sooner or later. */
const objectsShare = 0.06;

export function makeRegistrations(setting: Setting, viaLinkOf: ReadonlyMap<number, string>): void {
  for (const person of setting.people) {
    register(setting, person, viaLinkOf.get(person.index));
    settle(setting, person);
    agree(setting, person);
  }
  listBrands(setting);
}

function register({ script }: Setting, person: Person, viaShare: string | undefined): void {
  script.command({
    at: person.registersAt,
    caller: 'app',
    method: 'POST',
    path: '/v1/members',
    body: {
      memberId: person.id,
      handle: person.handle,
      displayName: person.displayName,
      ageBand: person.ageBand,
      country: person.country,
      ...(viaShare ? { viaLinkId: `{{link:${viaShare}}}` } : {}),
    },
    headers: deviceHeaders(person),
    writes: [`member:${person.id}`],
    reads: viaShare ? [`link:${viaShare}`] : [],
  });
  script.count('members');
}

function settle({ script, random }: Setting, person: Person): void {
  const draw = random.stream('settings', person.index);
  const own = { caller: 'app', member: person.id, writes: [`member:${person.id}`] } as const;
  if (person.settings) {
    const at = person.registersAt + draw.between(5_000, 12_000);
    script.command({ ...own, at, method: 'PUT', path: '/v1/members/me/settings', body: { ...person.settings } });
  }
  if (draw.chance(0.06)) {
    const at = Math.floor(person.registersAt + draw.between(1, 4) * dayMs);
    const body = { displayName: `${person.displayName} ${draw.pick(['A.', 'K.', 'M.', 'S.'])}` };
    script.command({ ...own, at, method: 'PATCH', path: '/v1/members/me/profile', body });
  }
}

function agree({ script, random, rhythm }: Setting, person: Person): void {
  const draw = random.stream('consents', person.index);
  const say = (purpose: string, granted: boolean, at: number) =>
    script.command({
      at: Math.floor(at),
      caller: 'app',
      member: person.id,
      method: 'PUT',
      path: `/v1/members/me/consents/${purpose}`,
      body: { granted, policyVersion },
      // Observations carry the consent of the moment they arrive: batches and consents keep their order.
      writes: [`member:${person.id}`],
      reads: ['consents'],
    });
  if (person.consentAt !== undefined) say('brand_measurement', true, person.consentAt);
  if (person.withdrawsAt !== undefined) say('brand_measurement', false, person.withdrawsAt);
  if (person.ageBand === '18_plus' && draw.chance(0.25)) {
    say('personal_suggestions', true, person.registersAt + draw.between(1, 8) * minuteMs);
  }
  objectToAnalytics(person, rhythm, draw, (granted, at) => say('product_analytics', granted, at));
}

/** Some want to be in no statistics, from the beginning or from some day on; a few change their mind again. */
function objectToAnalytics(
  person: Person,
  { closeMs }: Setting['rhythm'],
  draw: Random,
  say: (granted: boolean, at: number) => void,
): void {
  const [objects, returns] = [draw.chance(objectsShare), draw.chance(0.3)];
  const offAt = person.registersAt + (draw.chance(0.3) ? 8 * minuteMs : draw.between(1, 20) * dayMs);
  const onAt = offAt + draw.between(1, 5) * dayMs;
  if (!objects || offAt >= closeMs) return;
  say(false, offAt);
  if (returns && onAt < closeMs) say(true, onAt);
}

function listBrands({ script, catalogue, rhythm, random }: Setting): void {
  const draw = random.stream('listings');
  let at = rhythm.startMs - dayMs + 6 * hourMs;
  for (const brand of catalogue.brands) {
    at += minuteMs;
    const { brandId, name, timeZone } = brand;
    const businessHours = { days: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' };
    script.command({
      at,
      caller: 'importer',
      method: 'POST',
      path: '/v1/brands',
      body: { brandId, name, timeZone, businessHours },
      writes: [`brand:${brandId}`],
    });
    for (const product of brand.products) {
      at += 1_000;
      list(setting(product, at));
      if (draw.chance(0.4)) {
        const later = Math.floor(draw.between(rhythm.startMs + dayMs, rhythm.closeMs));
        list({ ...setting(product, later, Math.round(product.priceMinor * draw.between(0.8, 1.15))), again: true });
      }
    }
  }
  function setting(product: Product, when: number, priceMinor = product.priceMinor) {
    return { product, at: when, priceMinor, again: false };
  }
  function list({
    product,
    at: when,
    priceMinor,
    again,
  }: {
    product: Product;
    at: number;
    priceMinor: number;
    again: boolean;
  }) {
    const { productId, name, brand, sensitive } = product;
    const price = { amountMinor: priceMinor, currency: brand.currency };
    script.command({
      at: when,
      caller: 'importer',
      method: again ? 'PUT' : 'POST',
      path: again ? `/v1/products/${productId}` : '/v1/products',
      body: { productRef: productRef(product), name, price, available: true, sensitive },
      writes: [`product:${productId}`],
      reads: [`brand:${brand.brandId}`],
    });
  }
}
