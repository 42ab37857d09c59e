// People who look at products by themselves: the base rates of the funnel, without any message in between.
import type { Setting } from '../world/setting.js';
import type { Session } from './sessions.js';
import { makeJourney } from './shopping.js';

/** Of a hundred views about five go to a cart (twice the published rate: the world is thin), a third of these buy. */
const outcomes = { view: 934, ask: 8, cart: 34, checkout: 8, purchase: 16 };

export function makeStorefront(setting: Setting, sessions: readonly Session[]): void {
  const { profile, catalogue } = setting;
  const draw = setting.random.stream('storefront');
  if (sessions.length === 0) return;
  for (let left = Math.round(profile.productViewsPerDay * profile.days); left > 0; left -= 1) {
    const session = draw.pick(sessions);
    const at = Math.floor(draw.between(session.startsAt + 1_000, session.endsAt));
    const product = draw.chance(0.2) ? draw.pick(catalogue.planted('large').products) : catalogue.drawProduct(draw);
    const surface = draw.weighted({ feed: 50, product_page: 30, search: 20 });
    makeJourney(setting, draw, {
      person: session.person,
      product,
      at,
      upTo: draw.weighted(outcomes),
      surface,
      sessionId: session.id,
    });
  }
}
