// What every part of the world is made in: the time, the people, their ties, what there is to see and buy.
import type { Profile } from '../profile.js';
import { Random } from '../random.js';
import { Script } from '../script.js';
import { Catalogue } from './catalogue.js';
import { type FriendGraph, makeFriendGraph } from './friend-graph.js';
import { makePeople, type Person } from './people.js';
import { Rhythm } from './rhythm.js';

export interface Setting {
  readonly profile: Profile;
  readonly random: Random;
  readonly rhythm: Rhythm;
  readonly people: readonly Person[];
  readonly graph: FriendGraph;
  readonly catalogue: Catalogue;
  readonly script: Script;
}

/** Raised when the same seed would give other bytes. */
export const worldVersion = 1;

export function makeSetting(profile: Profile, seed: number): Setting {
  const random = new Random('homing world', String(worldVersion), profile.name, String(seed));
  const rhythm = new Rhythm(profile);
  const people = makePeople(profile, rhythm, random);
  const graph = makeFriendGraph(people, profile, rhythm, random);
  return { profile, random, rhythm, people, graph, catalogue: new Catalogue(profile, random), script: new Script() };
}

/** What the app says of itself with each request of this person. */
export function deviceHeaders(person: Person): Readonly<Record<string, string>> {
  return { 'Homing-Platform': person.platform, 'Homing-Country': person.country };
}
