// Everyday talk between friends in episodes: one begins, the other answers after minutes, and so on; marks of reading.
import { minuteMs } from '../../kernel/clock.js';
import { type Random, zipfWeights } from '../random.js';
import type { Person } from '../world/people.js';
import type { Setting } from '../world/setting.js';
import { sentence } from '../world/wording.js';
import type { Messaging } from './messaging.js';

const episodeMessagesMean = 4.2;
/** Direct messages are answered after a log-normal time: median 6 min, σ 1.6. */
export function replyDelayMs(draw: Random): number {
  return Math.max(2_000, draw.logNormal(6 * minuteMs, 1.6));
}
/** Partners by closeness: the first few get half of the messages. */
export function closeOne(friends: readonly Person[], draw: Random): Person | undefined {
  return friends.length === 0 ? undefined : friends[draw.weightedIndex(zipfWeights(friends.length, 1))];
}

export function makeChatter(setting: Setting, messaging: Messaging): void {
  const { profile, rhythm, people } = setting;
  const draw = setting.random.stream('chatter');
  const weights = people.map((person) => (person.chats ? person.activity : 0));
  for (let day = 0; day < profile.days; day += 1) {
    const episodes = draw.poisson(profile.episodesPerDay * rhythm.liveliness(day));
    for (let index = 0; index < episodes; index += 1) {
      const opener = people[draw.weightedIndex(weights)] as Person;
      const at = rhythm.instantOn(day, opener.utcOffsetHours, draw);
      const other = closeOne(messaging.partners(opener, at), draw);
      if (other) episode(messaging, { at, opener, other, draw });
    }
  }
}

function episode(
  messaging: Messaging,
  { at, opener, other, draw }: { at: number; opener: Person; other: Person; draw: Random },
): void {
  const messages = Math.min(40, draw.geometric(episodeMessagesMean));
  let [from, to] = [opener, other];
  let when = at;
  let last: string | undefined;
  for (let index = 0; index < messages; index += 1) {
    const repliesTo = last && from !== opener && draw.chance(0.12) ? last : undefined;
    const sent = messaging.say(when, from, to, { body: sentence(draw), ...(repliesTo ? { repliesTo } : {}) });
    if (!sent) return;
    last = sent;
    const sameAgain = draw.chance(0.3);
    const delay = sameAgain ? draw.exponential(40_000) + 1_500 : replyDelayMs(draw);
    if (!sameAgain && draw.chance(0.45))
      messaging.read(when + delay * draw.between(0.3, 0.9), to, messaging.direct(from, to));
    if (!sameAgain) [from, to] = [to, from];
    when += delay;
  }
  if (draw.chance(0.6)) messaging.read(when, to, messaging.direct(from, to));
}
