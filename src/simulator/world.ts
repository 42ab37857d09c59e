// A seeded social world: the same profile and seed always give the same commands, deliveries and counts, to the byte.
import { makeBrandTalk } from './activity/brand-talk.js';
import { makeChatter } from './activity/chatter.js';
import { makeFriendships } from './activity/friendships.js';
import { Messaging } from './activity/messaging.js';
import { makeMoments } from './activity/moments.js';
import { makeNewcomers } from './activity/newcomers.js';
import { makeProductCards } from './activity/product-cards.js';
import { makeRegistrations } from './activity/registrations.js';
import { makeSessions, makeViews } from './activity/sessions.js';
import { makeShares } from './activity/shares.js';
import { makeStorefront } from './activity/storefront.js';
import { deliver } from './delivery.js';
import type { Profile } from './profile.js';
import type { DeliveredObservation, SimulatedCommand } from './script.js';
import { sequence } from './sequence.js';
import type { Brand } from './world/catalogue.js';
import type { Person } from './world/people.js';
import { makeSetting } from './world/setting.js';

export interface World {
  readonly profile: Profile;
  readonly seed: number;
  /** The month: nothing new begins at or after `closesAt`; the clock stops at `endsAt`. */
  readonly startsAt: number;
  readonly closesAt: number;
  readonly endsAt: number;
  readonly people: readonly Person[];
  readonly brands: readonly Brand[];
  readonly commands: readonly SimulatedCommand[];
  /** In order of delivery, duplicates included. */
  readonly observations: readonly DeliveredObservation[];
  /** What happened, counted where it was made, including what nobody could observe. */
  readonly happened: ReadonlyMap<string, number>;
}

export function makeWorld(profile: Profile, seed: number): World {
  const setting = makeSetting(profile, seed);
  const { script, rhythm, random } = setting;
  const messaging = new Messaging(setting);
  makeFriendships(setting);
  const sessions = makeSessions(setting);
  const views = makeViews(setting, sessions);
  const sharing = makeShares(setting, messaging, views);
  makeRegistrations(setting, makeNewcomers(sharing));
  makeChatter(setting, messaging);
  makeMoments(setting);
  makeProductCards(setting, messaging);
  makeBrandTalk(setting, messaging, sessions);
  makeStorefront(setting, sessions);
  const commands = sequence(script, rhythm.endMs);
  const observations = deliver(script.observations, { random, endMs: rhythm.endMs, happened: script });
  return {
    profile,
    seed,
    startsAt: rhythm.startMs,
    closesAt: rhythm.closeMs,
    endsAt: rhythm.endMs,
    people: setting.people,
    brands: setting.catalogue.brands,
    commands,
    observations,
    happened: script.counts,
  };
}
