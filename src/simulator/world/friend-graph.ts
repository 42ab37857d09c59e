// Who is friends with whom, and from when to when. Degrees are log-normal; wiring is community first: 45 % by place,
// 45 % by interest, 10 % at random, near neighbours within a community preferred (docs: domain 6, degree and clustering).
import { dayMs, hourMs } from '../../kernel/clock.js';
import { pairId } from '../../kernel/ids.js';
import type { Profile } from '../profile.js';
import type { Random } from '../random.js';
import type { Person } from './people.js';
import type { Rhythm } from './rhythm.js';

export interface Tie {
  readonly from: Person;
  readonly to: Person;
  readonly requestedAt: number;
  /** Both asked; the second request is the acceptance. */
  readonly crossed: boolean;
  readonly since: number;
  /** When it was ended again, and how. */
  readonly endsAt?: number;
  readonly endedBy?: 'removal' | 'block';
}

const degreeSigma = 1.145;
const endedShare = 0.016;
const crossedShare = 0.04;
/** Nobody writes within the first seconds. */
const settledMs = 2_000;

export class FriendGraph {
  readonly ties: readonly Tie[];
  readonly #byPair = new Map<string, Tie>();
  /** Closest first. */
  readonly #friends = new Map<string, Person[]>();

  constructor(ties: readonly Tie[]) {
    this.ties = ties;
    for (const tie of ties) {
      this.#byPair.set(pairId(tie.from.id, tie.to.id), tie);
      for (const [a, b] of [[tie.from, tie.to] as const, [tie.to, tie.from] as const]) {
        const friends = this.#friends.get(a.id);
        if (friends) friends.push(b);
        else this.#friends.set(a.id, [b]);
      }
    }
  }

  friendsOf(person: Person): readonly Person[] {
    return this.#friends.get(person.id) ?? [];
  }
  tie(a: Person, b: Person): Tie | undefined {
    return this.#byPair.get(pairId(a.id, b.id));
  }
  areFriends(a: Person, b: Person, at: number): boolean {
    const tie = this.tie(a, b);
    return tie !== undefined && tie.since + settledMs < at && at < (tie.endsAt ?? Number.POSITIVE_INFINITY);
  }
}

export function makeFriendGraph(
  people: readonly Person[],
  profile: Profile,
  rhythm: Rhythm,
  random: Random,
): FriendGraph {
  const draw = random.stream('friend-graph');
  const left = quotas(people.length, profile.meanFriends, draw);
  const pairs = new Map<string, readonly [Person, Person]>();
  const wire = (order: readonly Person[], share: number) => wireAlong(order, { left, share, pairs, draw });
  const shuffled = draw.shuffled(people);
  wire(
    [...shuffled].sort((a, b) => a.place - b.place),
    0.45,
  );
  wire(
    [...shuffled].sort((a, b) => a.interest - b.interest),
    0.82,
  );
  wire(draw.shuffled(people), 1);
  const sent = new Map<string, number>();
  return new FriendGraph([...pairs.values()].map(([a, b]) => makeTie(a, b, { rhythm, draw, sent })));
}

/** How many friends each should get: log-normal, scaled to the mean, at most a sixth of everybody. */
function quotas(size: number, mean: number, draw: Random): number[] {
  const median = mean / Math.exp(degreeSigma ** 2 / 2);
  return Array.from({ length: size }, () =>
    Math.max(1, Math.min(Math.floor(size / 6), Math.round(draw.logNormal(median, degreeSigma) + 0.35))),
  );
}

/** Connects people with near neighbours in the given order until that share of their quota is used. */
function wireAlong(
  order: readonly Person[],
  by: { left: number[]; share: number; pairs: Map<string, readonly [Person, Person]>; draw: Random },
): void {
  const used = new Map<number, number>();
  const room = (person: Person) =>
    Math.round((by.left[person.index] as number) * by.share) - (used.get(person.index) ?? 0) > 0;
  for (const [, [a, b]] of by.pairs) {
    for (const person of [a, b]) used.set(person.index, (used.get(person.index) ?? 0) + 1);
  }
  for (const [place, person] of order.entries()) {
    for (let attempt = 0; attempt < 60 && room(person); attempt += 1) {
      const other = order[(place + by.draw.geometric(12)) % order.length] as Person;
      const pair = pairId(person.id, other.id);
      if (other === person || by.pairs.has(pair) || !room(other) || !mayMeet(person, other)) continue;
      by.pairs.set(pair, [person, other]);
      for (const { index } of [person, other]) used.set(index, (used.get(index) ?? 0) + 1);
    }
  }
}

/** The app's contact rule for the youngest: nobody adult or of unknown age asks them (docs: domain F8). */
export function mayMeet(a: Person, b: Person): boolean {
  const young = (person: Person) => person.ageBand === '13_15';
  const minor = (person: Person) => young(person) || person.ageBand === '16_17';
  return (!young(a) && !young(b)) || (minor(a) && minor(b));
}

function makeTie(
  a: Person,
  b: Person,
  { rhythm, draw, sent }: { rhythm: Rhythm; draw: Random; sent: Map<string, number> },
): Tie {
  // Nobody sends many requests a day: the one who has asked less often asks.
  const [from, to] = (sent.get(a.id) ?? 0) <= (sent.get(b.id) ?? 0) ? [a, b] : [b, a];
  sent.set(from.id, (sent.get(from.id) ?? 0) + 1);
  const bothIn = Math.max(a.registersAt, b.registersAt);
  const old = draw.chance(0.8) && bothIn < rhythm.startMs;
  const requestedAt = old
    ? rhythm.startMs - dayMs + draw.between(6 * hourMs, 20 * hourMs)
    : Math.max(bothIn + draw.between(0.2, 30) * hourMs, draw.between(rhythm.startMs, rhythm.closeMs - 2 * dayMs));
  const delay = old ? Math.min(3.9 * hourMs, draw.exponential(hourMs)) : draw.exponential(1.2 * dayMs);
  const since = Math.min(requestedAt + 60_000 + delay, rhythm.closeMs - 1);
  const crossed = draw.chance(crossedShare);
  const [ends, endsAt, byBlock] = [draw.chance(endedShare), draw.between(since, rhythm.closeMs), draw.chance(0.4)];
  const times = { requestedAt: Math.floor(requestedAt), since: Math.floor(since), crossed };
  if (!ends || endsAt < since + dayMs) return { from, to, ...times };
  return { from, to, ...times, endsAt: Math.floor(endsAt), endedBy: byBlock ? 'block' : 'removal' };
}
